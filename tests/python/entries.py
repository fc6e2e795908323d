"""Membership entries as docs/PROTOCOL.md sections 1, 2 and 4 have them: signatures, cards, the epochs that they carry."""

import blake3
import records
from cbor import Map, Refused, decode, encode
from crypto import H, appended_info, committed, epoch_info, open_box, open_link, verifies


def number(value, width):
    return value.to_bytes(width, 'big')


hexed = bytes.fromhex


def possible(seq, prev, payload_len, kind):
    limit = 64 * 1024 if kind == 1 else 1024 * 1024
    if not 1 <= seq < 1 << 63 or (seq == 1) != (prev == bytes(32)) or payload_len > limit:
        raise Refused('no possible header')


def card_keys(card, recovery):
    device, box, kem, _ = card
    return device, box, number(kem, 2), *recovery


def ending_of(operation, value):
    """The cut-offs and the epoch that stand in an entry."""
    if operation in (8, 10):
        return value[1]
    if operation == 11 and len(value) > 1:
        return value[1]
    return value if operation == 12 else None


def epoch_of(operation, value):
    return value if operation == 5 else (ending_of(operation, value) or (None, None))[1]


def appended_of(operation, value):
    """Boxes of an earlier epoch's key."""
    if operation in (3, 4):
        return value[5] if operation == 3 else value
    return value[1] if operation in (6, 7) and len(value) > 1 else None


def checked_entry(space, hashes, listed, case):
    """Signature, hash, payload and ancestors of a membership entry; gives its payload."""
    device, incarnation, payload = hexed(case['device']), hexed(case['incarnation']), hexed(case['payload'])
    log, prev = H('log', space, b'\0', device, incarnation)[:20], hexed(case['prev'])
    possible(case['seq'], prev, len(payload), 0)
    signed = (b'alliance entry\0\x01' + space + log + number(case['seq'], 8) + prev + encode(Map([(0, 0)]))
              + number(len(payload), 4) + blake3.hash(payload))
    if not verifies(device, signed, hexed(case['signature'])):
        raise Refused('the signature')
    if blake3.hash(signed) != hexed(case['hash']):
        raise Refused('the hash')
    value = records.membership(decode(payload))
    named = [parent for parent in (*value[1], prev) if parent != bytes(32)]
    if not all(parent in hashes for parent in named):
        raise Refused('an ancestor is missing')
    if hashes and device not in listed:
        raise Refused('a stranger')
    return value


def card_fits(space, author, person, operation, value):
    """Whether an entry's device signed its card for this place; true where there is none."""
    if operation == 0:
        card, place = value[4], (b'\0', value[0], *card_keys(value[4], value[3]))
    elif operation == 3:
        card, tag = value[3], H('person', space, value[3][0], value[4][0], value[1])[:16]
        place = b'\1', space, tag, value[1], number(value[2], 1), *card_keys(value[3], value[4])
        if tag != person:
            return False
    elif operation == 6:
        card, place = value[0], (b'\2', space, person, author, *card_keys(value[0], ())[:3])
    else:
        return True
    return verifies(card[0], H('device card', *place), card[3])


def opened_by(secret, space, entries):
    """Every epoch key that the secret opens by boxes and links of granted entries."""
    commitments = {key: (epoch[0], epoch[1]) for key, _, epoch, _ in entries if epoch}
    keys = {}
    for own, parents, epoch, appended in entries:
        boxes = epoch[2] if epoch else appended[1] if appended else []
        ident = own if epoch else appended[0] if appended else None
        for recipient, sealed in boxes:
            if recipient == secret.signer_key and ident in commitments:
                generation, expected = commitments[ident]
                info = (epoch_info(space, generation, parents, recipient) if epoch
                        else appended_info(space, ident, recipient))
                keys[ident] = committed(open_box(secret, info, sealed), space, generation, expected)
    for own, _, epoch, _ in reversed(entries):
        for predecessor, sealed in epoch[3] if epoch and own in keys else ():
            generation, expected = commitments[predecessor]
            keys[predecessor] = committed(open_link(keys[own], space, predecessor, sealed), space, generation, expected)
    return keys
