"""Verifies and opens the golden vectors, those that must fail among them: `python3 tests/python/read_vectors.py`.

Written from docs/PROTOCOL.md alone, so that what that text does not say is noticed here. Every part of a vector that is
opened or verified is tried again with one byte changed, and must be refused then. The last line says how many passed.
"""

import hashlib
import json
import os
import struct
import sys

import blake3
import records
import texts
from cbor import Refused, decode, encode
from crypto import (H, Secret, appended_info, canary, committed, epoch_info, open_box, open_link, open_payload,
                    open_small, padme, seal_plain, seal_small, unpack, verifies)
from entries import (appended_of, card_fits, card_keys, checked_entry, epoch_of, hexed, number, opened_by,
                     possible)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
passed, failed = 0, 0


def load(path):
    with open(os.path.join(ROOT, path)) as file:
        return json.load(file)


def expect(what, condition):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print('FAILED', what)


def refused(what, read, *arguments):
    try:
        read(*arguments)
    except Refused:
        return expect(what, True)
    expect(f'{what}: must be refused', False)


def reads(what, read, *arguments):
    try:
        return read(*arguments)
    except Refused as why:
        expect(f'{what}: {why}', False)
        return None


def changed(data, at=None):
    """The same with one byte changed, in the middle if not said."""
    at = len(data) // 2 if at is None else at
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


# ---- core/wire/vectors

def wire_ids():
    v = load('core/wire/vectors/ids.json')
    space, device, incarnation = (hexed(v[key]) for key in ('space', 'device', 'incarnation'))
    for log in v['logs']:
        expect('log', H('log', space, number(log['stream'], 1), device, incarnation)[:20] == hexed(log['log']))
    c = v['continuation']
    expect('continuation', H('continuation', hexed(c['log']), hexed(c['first_entry']))[:20] == hexed(c['id']))
    expect('a continuation of it', H('continuation', hexed(c['id']), b'\x56' * 32)[:20] == hexed(v['continuation_of_it']))
    s = v['space_of']
    expect('space', H('space', device, incarnation, hexed(s['payload_hash']))[:16] == hexed(s['id']))
    p = v['person']
    parts = space, device, hexed(p['recovery'])
    expect('founder', H('person', *parts)[:16] == hexed(p['founder']))
    expect('added person', H('person', *parts, hexed(p['once']))[:16] == hexed(p['added']))
    expect('epoch', hexed(c['first_entry'])[:16] == hexed(v['epoch_of_entry']))
    m = v['mailbox']
    once = hexed(m['once'])
    expect('mailbox', H('mailbox', once) == hexed(m['address']))
    expect('reading a mailbox', H('mailbox use', once) == hexed(m['to_read']))
    expect('writing one', H('mailbox use', once, b'text') == hexed(m['to_write_text']))
    c = v['commitment']
    expect('commitment', H('invitation commitment', hexed(c['once']), hexed(c['nonce'])) == hexed(c['value']))
    a = v['admission']
    expect('admission', H('admission', hexed(a['secret']), space) == hexed(a['mac']))


def wire_entries():
    v = load('core/wire/vectors/entries.json')
    for case in v['cases']:
        kind, _ = records.suffix(hexed(case['suffix']))
        payload, prev = hexed(case['payload']), hexed(case['prev'])
        reads('header', possible, case['seq'], prev, len(payload), kind)
        prefix = (b'alliance entry\0\x01' + hexed(case['space']) + hexed(case['log']) + number(case['seq'], 8) + prev)
        data = prefix + hexed(case['suffix'])
        signed = data + number(len(payload), 4) + blake3.hash(payload)
        expect('payload hash', blake3.hash(payload) == hexed(case['payload_hash']))
        expect('associated data', data == hexed(case['associated_data']))
        expect('signed bytes', signed == hexed(case['signed_bytes']))
        expect('header hash', blake3.hash(signed) == hexed(case['header_hash']))
        expect('another header', blake3.hash(changed(signed)) != hexed(case['header_hash']))
    for case in v['must_fail']:
        data = hexed(case['bytes']) if 'bytes' in case else bytes(case['zeros'])
        refused(f'suffix: {case["what"]}', records.suffix, data)
    for case in v['impossible']:
        refused(f'header: {case["what"]}', possible, case['seq'], hexed(case['prev']), case['payload_len'], 1)


def wire_values():
    for file, form, limit in (('membership', records.membership, 1 << 20), ('content', records.CONTENT, 16 << 20),
                              ('frames', records.FRAME, (1 << 20) + (8 << 10)), ('receipts', records.RECEIPT, 32 << 10)):
        def read(data):
            if len(data) > limit:
                raise Refused('over the limit')
            return form(decode(data))
        v = load(f'core/wire/vectors/{file}.json')
        for case in v['cases']:
            what = f'{file}: {case["what"]}'
            value = reads(what, read, hexed(case['bytes']))
            expect(what, value is not None and encode(value) == hexed(case['bytes']))
            refused(f'{what}, a byte less', read, hexed(case['bytes'])[:-1])
        for case in v.get('newer', ()):
            value = reads(case['what'], read, hexed(case['bytes']))
            expect(f'{file}: {case["what"]}', value is not None and encode(value) == hexed(case['reads_as']))
        for case in v['must_fail']:
            if 'bytes' in case:
                data = hexed(case['bytes'])
            elif 'repeat' in case:
                data = hexed(case['prefix']) + hexed(case['repeat']) * case['times']
            else:
                data = hexed(case['prefix']).ljust(case['zeros_to'], b'\0')
            refused(f'{file}: {case["what"]}', read, data)
    v = load('core/wire/vectors/receipts.json')['message']
    expect("a receipt's message", H('receipt', hexed(v['body'])) == hexed(v['message']))


def wire_cards():
    v = load('core/wire/vectors/membership.json')['card_messages']
    keys = card_keys([hexed(v['device']), hexed(v['boxes']), v['kem'], b''],
                     [hexed(v['recovery_signer']), hexed(v['recovery_boxes'])])
    first, add = v['first'], v['add']
    expect("a founder's card", H('device card', b'\0', hexed(first['random']), *keys) == hexed(first['message']))
    place = hexed(add['space']), hexed(add['tag']), hexed(add['once']), number(add['role'], 1)
    expect("a newcomer's card", H('device card', b'\1', *place, *keys) == hexed(add['message']))
    own = v['device_of_own']
    place = hexed(own['space']), hexed(own['tag']), hexed(own['by'])
    expect("a further device's card", H('device card', b'\2', *place, *keys[:3]) == hexed(own['message']))


def wire_digests():
    v = load('core/wire/vectors/vectors.json')
    space, empty = hexed(v['space']), hexed(v['empty_space'])
    rows = b''.join(hexed(row['log']) + number(row['seq'], 8) + hexed(row['hash']) for row in v['rows'])
    expect('digest', H('digest', space, rows)[:8] == hexed(v['digest']))
    expect('digest of nothing', H('digest', empty)[:8] == hexed(v['empty_digest']))
    root = space + hexed(v['digest']) + empty + hexed(v['empty_digest'])
    expect('root', H('root', root)[:16] == hexed(v['root']))
    expect('root of nothing', H('root')[:16] == hexed(v['empty_root']))
    cursors = b''.join(hexed(c['space']) + number(c['number'], 8) + hexed(c['hash']) for c in v['cursors'])
    expect('check', H('cursor check', cursors)[:8] == hexed(v['cursor_check']))
    expect('check of nothing', H('cursor check')[:8] == hexed(v['empty_check']))


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
    space, _, role, _, seed, _, _ = invitation
    once = Secret('invitation', seed)
    inner = open_small('invitation message', seed, b'\0' + space + once.signer_key, message)
    _, card, recovery, nonce, name, signature = accept = ACCEPT(decode(inner))
    device, box, kem, card_signature = card
    signed = H('invitation accept', space, once.signer_key, device, box, number(kem, 2), card_signature, *recovery, nonce,
               name.encode())
    tag = H('person', space, device, recovery[0], once.signer_key)[:16]
    place = H('device card', b'\1', space, tag, once.signer_key, number(role, 1), *card_keys(card, recovery))
    if len(name.encode()) > 512 or not verifies(once.signer_key, signed, signature) or kem != 0x20 \
            or not verifies(device, place, card_signature) or device == recovery[0]:
        raise Refused('not in order')
    return accept, signed, tag


def open_reveal(invitation, said, message):
    """The four words, if the reveal answers this accept and fits the commitment."""
    space, _, role, _, seed, commitment, inviter = invitation
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


# ---- core/crypto/vectors/history.json: entries of one space

def history():
    v = load('core/crypto/vectors/history.json')
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


SECTIONS = (wire_ids, wire_entries, wire_values, wire_cards, wire_digests, keys, signatures, sealing, watching, epochs,
            invitations, recovery, history, genesis)

if __name__ == '__main__':
    for section in SECTIONS:
        before = passed + failed
        section()
        print(f'{section.__name__}: {passed + failed - before}')
        if passed + failed == before:
            sys.exit(f'{section.__name__} looked at nothing')
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed else 0)
