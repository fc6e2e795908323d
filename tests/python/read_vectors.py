"""Verifies and opens the golden vectors, those that must fail among them: `python3 tests/python/read_vectors.py`.

Written from docs/PROTOCOL.md alone, so that what that text does not say is noticed here. Every part of a vector that is
opened or verified is tried again with one byte changed, and must be refused then. The last line says how many passed.
"""

import hashlib
import hmac

import blake3
import pins
import records
import texts
from cbor import Refused, decode, encode
from checks import changed, expect, load, reads, refused, run
from crypto import (H, Secret, appended_info, canary, committed, epoch_info, open_box, open_link, open_payload,
                    open_small, padme, seal_plain, seal_small, unpack, verifies)
from entries import appended_of, card_fits, card_keys, checked_entry, epoch_of, hexed, number, opened_by
from wire_vectors import wire_cards, wire_digests, wire_entries, wire_ids, wire_values


# ---- core/crypto/vectors

def keys():
    v = load('core/crypto/vectors/keys.json')
    for case in v['cases']:
        what = {'one-time': 'invitation'}.get(case['what'], case['what'])
        secret, message = Secret(what, hexed(case['seed'])), hexed(case['message'])
        expect(f'{what}: signer key', secret.signer_key == hexed(case['signer_key']))
        expect(f'{what}: box key', secret.box_key == hexed(case['box_key']))
        expect(f'{what}: signature', secret.signing.sign(message) == hexed(case['signature']))
        hedged = secret.hedge(b'\x09' * 32, b'purpose', (b'one', b'', b'three'))
        expect(f'{what}: hedge', hedged == hexed(case['hedge']))
    c = v['cards']
    device, recovery = Secret('device', hexed(c['device_seed'])), Secret('recovery', hexed(c['recovery_seed']))
    keys = card_keys([device.signer_key, device.box_key, 0x20, b''], [recovery.signer_key, recovery.box_key])
    once = Secret('invitation', hexed(c['once_seed'])).signer_key
    tag = H('person', hexed(c['space']), device.signer_key, recovery.signer_key, once)[:16]
    expect('tag', tag == hexed(c['tag']))
    for what, signature, place in (('first', c['first_signature'], (b'\0', hexed(c['first_random']))),
                                   ('add', c['add_signature'], (b'\1', hexed(c['space']), tag, once, number(c['role'], 1)))):
        message, signature = H('device card', *place, *keys), hexed(signature)
        expect(f'card, {what}', verifies(device.signer_key, message, signature))
        expect(f'card, {what}, changed', not verifies(device.signer_key, message, changed(signature)))
        expect(f'card, {what}, of another key', not verifies(recovery.signer_key, message, signature))


def signatures():
    for case in load('core/crypto/vectors/signatures.json')['cases']:
        verdict = verifies(hexed(case['key']), hexed(case['message']), hexed(case['signature']))
        expect(f'signature: {case["what"]}', verdict == case['verifies'])


def sealing():
    v = load('core/crypto/vectors/sealing.json')
    key, log, random = hexed(v['epoch_key']), hexed(v['log']), hexed(v['random'])
    for case in v['seal'] + [v['open_only']]:
        ad, sealed, content = hexed(case['ad']), hexed(case['sealed']), hexed(case['plaintext'])
        expect('payload opens', reads('payload', open_payload, key, log, ad, sealed) == content)
        if case is not v['open_only']:
            expect('payload as sealed', seal_plain(key, log, ad, content, random) == sealed)
        for at in (0, 1, 24, len(sealed) - 1):
            refused('payload, changed', open_payload, key, log, ad, changed(sealed, at))
        refused('payload in another log', open_payload, key, changed(log), ad, sealed)
        refused('payload in another place', open_payload, key, log, ad + b'\0', sealed)
    for case in v['must_fail']:
        what = f'payload: {case["what"]}'
        if 'unsealed' in case:
            refused(what, unpack, hexed(case['unsealed']))
        else:
            sealed = hexed(case['sealed']) if 'sealed' in case else bytes(case['sealed_zeros'])
            refused(what, open_payload, key, log, hexed(case.get('ad', '')), sealed)
    for length, padded in v['padme']:
        expect(f'padding of {length}', padme(length) == padded)
    small = v['small']
    for purpose in ('backup', 'invitation'):
        what = 'invitation message' if purpose == 'invitation' else purpose
        arguments = what, hexed(small['key']), hexed(small['ad'])
        sealed = hexed(small[purpose])
        expect(f'small, {purpose}', reads('small', open_small, *arguments, sealed) == hexed(small['plaintext']))
        expect('as sealed', seal_small(*arguments, hexed(small['plaintext']), hexed(small['random'])) == sealed)
        refused('small, changed', open_small, *arguments, changed(sealed))


def open_watching(key, space, notice):
    if len(notice) > 256:
        raise Refused('over the limit')
    epoch, device, sealed = notice[:16], notice[16:48], notice[48:]
    inner = open_small('watching', blake3.derive_key('alliance v1 watching', key + device), space + epoch + device, sealed)
    if len(inner) != 32:
        raise Refused('no document and random bytes')
    return inner[:16], inner[16:]


def watching():
    v = load('core/crypto/vectors/sealing.json')
    key, w = hexed(v['epoch_key']), v['watching']
    space, notice = hexed(w['space']), hexed(w['sealed'])
    expect('notice', reads('notice', open_watching, key, space, notice) == (hexed(w['document']), hexed(w['id'])))
    for at in (0, 16, 48, 60):
        refused('notice, changed', open_watching, key, space, changed(notice, at))



def open_parcel(salt, reader, parcel):
    """Section 3, carried: the slot that this replica's key opens holds the key of the rest."""
    slot_key = blake3.derive_key('alliance v1 parcel slot', salt + reader)
    for slot in parcel[0]:
        try:
            key = open_small('parcel slot', slot_key, salt, slot)
        except Refused:
            continue
        return open_small('parcel contents', key, salt, parcel[1])
    raise Refused('not for this replica')


def parcels():
    v = load('core/crypto/vectors/sealing.json')['parcel']
    salt, bundle = hexed(v['salt']), records.BUNDLE(decode(hexed(v['bundle'])))
    expect('salt of a bundle', bundle[1] == salt)
    for reader in v['readers']:
        opened = reads('parcel', open_parcel, salt, hexed(reader), bundle[2][0])
        expect('parcel', opened == hexed(v['contents']))
        refused('parcel, another replica', open_parcel, salt, changed(hexed(reader)), bundle[2][0])

def epochs():
    v = load('core/crypto/vectors/epochs.json')
    space, secret = hexed(v['space']), Secret('device', hexed(v['recipient_seed']))
    expect('recipient', (secret.signer_key, secret.box_key) == (hexed(v['recipient']), hexed(v['recipient_box_key'])))

    def open_epoch(place, sealed, expected):
        parents = [hexed(parent) for parent in place['parents']]
        info = epoch_info(space, place['generation'], parents, secret.signer_key)
        return committed(open_box(secret, info, sealed), space, place['generation'], expected)
    e = v['epoch']
    sealed = hexed(e['sealed'])
    expect('box', reads('box', open_epoch, e['place'], sealed, hexed(e['canary'])) == hexed(e['key']))
    for at in (0, 40, 79):
        refused('box, changed', open_epoch, e['place'], changed(sealed, at), hexed(e['canary']))
    for case in v['must_fail']:
        refused(f'box: {case["what"]}', open_epoch, case['place'], hexed(case['sealed']), hexed(case['canary']))

    def open_appended(sealed, expected, generation):
        info = appended_info(space, hexed(v['appended']['epoch']), secret.signer_key)
        return committed(open_box(secret, info, sealed), space, generation, expected)
    a = v['appended']
    arguments = hexed(a['canary']), a['generation']
    expect('appended box', reads('box', open_appended, hexed(a['sealed']), *arguments) == hexed(a['key']))
    refused('appended box, changed', open_appended, changed(hexed(a['sealed'])), *arguments)
    expect('canary', canary(hexed(a['key']), space, a['generation']) == hexed(a['canary']))

    def open_predecessor(sealed, expected):
        key = open_link(hexed(v['link']['from_key']), space, hexed(v['link']['epoch']), sealed)
        return committed(key, space, v['link']['generation'], expected)
    link = v['link']
    sealed, expected = hexed(link['sealed']), hexed(link['canary'])
    expect('link', reads('link', open_predecessor, sealed, expected) == hexed(link['key']))
    refused('link, changed', open_predecessor, changed(sealed), expected)
    refused('link to another key', open_predecessor, sealed, changed(expected))


ACCEPT = records.record(records.one_of(1), records.DEVICE_CARD, records.RECOVERY_CARD, records.data(32), records.text,
                        records.SIGNATURE)
REVEAL = records.record(records.one_of(1), records.data(32), records.data(32))


def open_accept(invitation, message):
    """The accept of an invitation, what a reveal must name, and the newcomer's tag."""
    space, _, role, _, seed, _, inviter = invitation[:7]
    own = invitation[7] if len(invitation) > 7 else None
    once = Secret('invitation', seed)
    inner = open_small('invitation message', seed, b'\0' + space + once.signer_key, message)
    _, card, recovery, nonce, name, signature = accept = ACCEPT(decode(inner))
    device, box, kem, card_signature = card
    signed = H('invitation accept', space, once.signer_key, device, box, number(kem, 2), card_signature, *recovery, nonce,
               name.encode())
    tag = own or H('person', space, device, recovery[0], once.signer_key)[:16]
    place = H('device card', b'\2', space, tag, inviter, *card_keys(card, ())[:3]) if own else \
        H('device card', b'\1', space, tag, once.signer_key, number(role, 1), *card_keys(card, recovery))
    if len(name.encode()) > 512 or not verifies(once.signer_key, signed, signature) or kem != 0x20 \
            or not verifies(device, place, card_signature) or device == recovery[0]:
        raise Refused('not in order')
    return accept, signed, tag


def open_reveal(invitation, said, message):
    """The four words, if the reveal answers this accept and fits the commitment."""
    space, _, role, _, seed, commitment, inviter = invitation[:7]
    once = Secret('invitation', seed).signer_key
    inner = open_small('invitation message', seed, b'\1' + space + once, message)
    _, named, nonce = REVEAL(decode(inner))
    if H('invitation commitment', once, nonce) != commitment or named != said:
        raise Refused('another accept or nonce')
    digest = H('invitation words', commitment, inviter, number(role, 1), said, nonce)
    bits = int.from_bytes(digest[:6], 'big')
    return [texts.WORDS[bits >> 11 * at & 2047] for at in range(4)]


def invitations():
    v = load('core/crypto/vectors/invitation.json')
    invitation = reads('invitation', texts.invitation, v['text'])
    expect('invitation in capitals and lines', texts.invitation(v['text'].upper().replace('A', ' A\n')) == invitation)
    space, relay, role, expires, seed, commitment, inviter = invitation
    expect('fields', (space, role, expires, seed, commitment) ==
           (hexed(v['space']), v['role'], v['expires'], hexed(v['once_seed']), hexed(v['commitment'])))
    expect('relay', relay == [hexed(v['relay']['key']), v['relay']['address']])
    expect('inviter', inviter == Secret('device', hexed(v['inviter_seed'])).signer_key)
    expect('one-time key', Secret('invitation', seed).signer_key == hexed(v['once_key']))
    for at in range(16, len(v['text']), 29):
        letter = 'b' if v['text'][at] != 'b' else 'c'
        refused('invitation, changed', texts.invitation, v['text'][:at] + letter + v['text'][at + 1:])
    for case in v['must_fail']:
        refused(f'invitation: {case["what"]}', texts.invitation, case['text'])
    message = hexed(v['accept'])
    accept, said, tag = reads('accept', open_accept, invitation, message)
    expect('who accepts', accept[1][0] == Secret('device', hexed(v['newcomer_seed'])).signer_key)
    expect('recovery', accept[2][0] == Secret('recovery', hexed(v['recovery_seed'])).signer_key)
    expect('name and tag', (accept[4], tag) == (v['name'], hexed(v['tag'])))
    refused('accept, changed', open_accept, invitation, changed(message))
    refused('a reveal as an accept', open_accept, invitation, hexed(v['reveal']))
    expect('words', reads('reveal', open_reveal, invitation, said, hexed(v['reveal'])) == v['words'])
    refused('reveal, changed', open_reveal, invitation, said, changed(hexed(v['reveal'])))
    refused('reveal of another accept', open_reveal, invitation, changed(said), hexed(v['reveal']))
    other = invitation[:5] + [changed(commitment), inviter]
    refused('reveal of another nonce', open_reveal, other, said, hexed(v['reveal']))
    own = v['for_device']
    invitation, message = reads('invitation of a device', texts.invitation, own['text']), hexed(own['accept'])
    _, said, tag = reads('accept of a device', open_accept, invitation, message)
    expect('the tag of a device is its person', (tag, invitation[7]) == (hexed(own['person']),) * 2)
    refused('accept of a device for another person', open_accept, invitation[:7] + [changed(invitation[7])], message)
    refused('accept of a device as a person', open_accept, invitation[:7], message)
    expect('words of a device', reads('reveal', open_reveal, invitation, said, hexed(own['reveal'])) == own['words'])


def recovery():
    v = load('core/crypto/vectors/recovery.json')
    entropy = reads('words', texts.entropy_of, v['words'])
    for name, cost in (('test_signer', v['test_cost']), ('signer', v['default_cost'])):
        secret = Secret('recovery', texts.recovery_seed(entropy, cost['memory_kib'], cost['passes']))
        expect(f'recovery key, {name}', secret.signer_key == hexed(v[name]))
    expect('recovery box key', secret.box_key == hexed(v['boxes']))
    expect('the cost is the default', (v['default_cost']['memory_kib'], v['default_cost']['passes']) == (64 * 1024, 3))
    for case in v['must_fail']:
        refused(f'words: {case["what"]}', texts.entropy_of, case['words'])


# ---- core/crypto/vectors/history.json and links.json: entries of one space

def history():
    for name in ('history', 'links'):
        space_of(load(f'core/crypto/vectors/{name}.json'))


def space_of(v):
    space, hashes, listed, granted = hexed(v['space']), set(), set(), []
    for case in v['entries']:
        value = reads(case['what'], checked_entry, space, hashes, listed, case)
        if value is None:
            continue
        _, parents, person, (operation, body) = value
        body, own, author = body[0] if body else None, hexed(case['hash']), hexed(case['device'])
        if operation == 0:
            made = H('space', author, hexed(case['incarnation']), blake3.hash(hexed(case['payload'])))[:16]
            expect('the space of its first entry', made == space)
        fits = card_fits(space, author, person, operation, body)
        expect(f'{case["what"]}: the card', fits or not case['granted'])
        if operation == 6:
            expect(f'{case["what"]}: the card, by another', not card_fits(space, changed(author), person, 6, body))
        hashes.add(own)
        if case['granted']:
            granted.append((own[:16], parents, epoch_of(operation, body), appended_of(operation, body)))
            # A device's card, or a recovery key's: both begin with the key.
            cards = {0: (3, 4), 3: (3, 4), 6: (0,), 7: (0,)}.get(operation, ())
            listed.update(body[at][0] for at in cards)
    for case in v['opens']:
        secret = Secret(case['kind'], hexed(case['seed']))
        keys = reads(case['who'], opened_by, secret, space, granted)
        expect(case['who'], keys == {hexed(epoch): hexed(key) for epoch, key in case['epochs']})
    for case in v['must_fail']:
        refused(f'entry: {case["what"]}', checked_entry, space, hashes, listed, case)


def discovery():
    v = load('core/crypto/vectors/discovery.json')
    epoch, exporter = hexed(v['space']) + hexed(v['epoch']), hexed(v['exporter'])

    def secret_of(key, info):
        # HKDF-SHA256 (RFC 5869); 32 bytes are one block.
        extracted = hmac.digest(b'alliance v1 discovery secret', key, 'sha256')
        return hmac.digest(extracted, info + b'\x01', 'sha256')

    def tag(secret, side, age):
        return hmac.digest(secret, b'alliance v1 discovery' + bytes([side, age]) + exporter, 'sha256')[:16]
    secret = secret_of(hexed(v['key']), epoch)
    expect('secret of an epoch', secret == hexed(v['secret']))
    for case in v['tags']:
        expect('tag', tag(secret, case['side'], case['age']) == hexed(case['tag']))
    said = hexed(v['pages']['said'])
    tags = [said[at:at + 16] for at in range(2, len(said), 16)]
    expect('pages', said[:2] == bytes([2, 1]) and len(tags) == 32 and tags == sorted(tags))
    second = secret_of(hexed(v['key']), bytes([0x53] * 16) + hexed(v['epoch']))
    expect('tags in pages', tag(secret, 1, 1) in tags and tag(second, 1, 2) in tags)


# ---- core/document/vectors

def genesis():
    for case in load('core/document/vectors/genesis.json')['genesis']:
        change = hexed(case['change'])
        # Automerge's chunk: magic, the hash's first four bytes, type, length, data; the hash is SHA-256 from the type on.
        digest = hashlib.sha256(change[8:]).digest()
        expect('hash of a genesis', digest == hexed(case['hash']) and change[4:8] == digest[:4])
        at = 10 if change[9] < 0x80 else 11
        dependencies, actor, seq, start, time = change[at], change[at + 1:at + 3], *change[at + 3:at + 6]
        expect('a genesis', (change[8], dependencies, actor, seq, start, time) == (1, 0, b'\x01\0', 1, 1, 0))
        expect('its document', hexed(case['document']) in change)
        if 'upgrade' in case:
            upgrade = hexed(case['upgrade']['change'])
            above = hashlib.sha256(upgrade[8:]).digest()
            expect('hash of an upgrade', above == hexed(case['upgrade']['hash']) and upgrade[4:8] == above[:4])
            at = 10 if upgrade[9] < 0x80 else 11
            expect('it builds on genesis', upgrade[at] == 1 and upgrade[at + 1:at + 33] == digest)
            expect('an upgrade', upgrade[at + 33:at + 38] == bytes([1, 0, 2, 13, 0]))


SECTIONS = (wire_ids, wire_entries, wire_values, wire_cards, wire_digests, keys, signatures, sealing, watching, parcels, epochs,
            invitations, recovery, pins.pins, discovery, history, genesis)

if __name__ == '__main__':
    run(SECTIONS)
