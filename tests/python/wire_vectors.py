"""The vectors of core/wire: ids, entries, values, cards and digests."""

import blake3
import records
from cbor import Refused, decode, encode
from checks import changed, expect, load, reads, refused
from crypto import H
from entries import card_keys, hexed, number, possible


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
        for case in v.get('newer', []) + v.get('older', []):
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
