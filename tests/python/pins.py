"""A store's random key under a PIN and for the recovery words (docs/PROTOCOL.md section 2)."""

import struct
import unicodedata

import blake3
from cbor import Refused, decode, encode
from checks import changed, expect, load, reads, refused
from crypto import H, Secret, open_box, open_small, seal_small, verifies
from entries import hexed
from records import DEVICE, SIGNATURE, U32, data, flag, list_of, record
from texts import argon2id

PIN_WRAP = record(data(16), U32, U32, flag, data())
HELP_WRAP = record(data(32), list_of(record(DEVICE, data(80)), 8), data())
HELP_ANSWER = record(DEVICE, data(80), SIGNATURE)


def _pin_key(pin, secret, salt, memory_kib, passes):
    pin = unicodedata.normalize('NFC', pin)
    pin = ''.join(str(unicodedata.decimal(letter, letter)) for letter in pin)
    key = argon2id(pin.encode(), salt, memory_kib, passes)
    if secret is None:
        return blake3.derive_key('alliance v1 pin wrap', key)
    return blake3.derive_key('alliance v1 pin wrap with a secret', key + secret)


def _pin_data(place, salt, memory_kib, passes, flag):
    return place + salt + struct.pack('>IIB', memory_kib, passes, flag)


def open_pin(wrap, pin, secret, place):
    salt, memory_kib, passes, flag, sealed = PIN_WRAP(decode(wrap))
    if flag and secret is None:
        raise Refused("the caller's secret is missing")
    key = _pin_key(pin, secret if flag else None, salt, memory_kib, passes)
    return open_small('pin wrap', key, _pin_data(place, salt, memory_kib, passes, flag), sealed)


def seal_pin(key, pin, secret, place, cost, random):
    data = _pin_data(place, *cost, secret is not None)
    return encode([*cost, secret is not None, seal_small('pin wrap', _pin_key(pin, secret, *cost), data, key, random)])


def pins():
    v = load('core/crypto/vectors/pin.json')
    key, place, random = hexed(v['key']), hexed(v['place']), hexed(v['random'])
    maybe = lambda secret: None if secret is None else hexed(secret)
    for case in v['wraps']:
        what, wrap, secret = f'PIN: {case["what"]}', hexed(case['wrap']), maybe(case['secret'])
        expect(what, reads(what, open_pin, wrap, case['typed'], secret, place) == key)
        cost = hexed(v['salt']), case['memory_kib'], case['passes']
        expect(f'{what}, as sealed', seal_pin(key, case['pin'], secret, place, cost, random) == wrap)
        if case['memory_kib'] == 64:
            refused(f'{what}, changed', open_pin, changed(wrap), case['typed'], secret, place)
    for case in v['must_fail']:
        refused(f'PIN: {case["what"]}', open_pin, hexed(case['wrap']), case['pin'], maybe(case['secret']),
                hexed(case['place']))
    words = v['words']
    secret, sealed = Secret('recovery', hexed(words['recovery_seed'])), hexed(words['sealed'])
    info = b'alliance v1 store key box' + place + secret.signer_key
    expect('a key for the words', reads('a key for the words', open_box, secret, info, sealed) == key)
    refused('a key for the words, changed', open_box, secret, info, changed(sealed))
    refused('a key for the words, beside another store', open_box, secret, changed(info, 30), sealed)
    helped(v, key, place)


def helped(v, key, place):
    v = v['help']
    wrap, answer = HELP_WRAP(decode(hexed(v['wrap']))), HELP_ANSWER(decode(hexed(v['answer'])))
    helpers = [Secret('device', hexed(seed)) for seed in v['helper_seeds']]
    asker, own = Secret('help', hexed(v['asker_seed'])), hexed(v['own'])
    request = [place, asker.box_key, wrap[1]]
    expect('help: the request', encode(request) == hexed(v['request']))
    for helper, (device, sealed) in zip(helpers, wrap[1]):
        info = b'alliance v1 help share' + place + helper.signer_key
        expect('help: the device', device == helper.signer_key)
        expect('help: a share', reads('help: a share', open_box, helper, info, sealed) == hexed(v['theirs']))
        refused('help: a share, changed', open_box, helper, info, changed(sealed))
    device, sealed, signature = answer
    info = b'alliance v1 help answer' + place + asker.box_key + device
    message = H('help signature', info, sealed)
    expect('help: the signature', verifies(device, message, signature))
    expect('help: the signature, changed', not verifies(device, message, changed(signature)))
    theirs = reads('help: the answer', open_box, asker, info, sealed)
    refused('help: the answer to another request', open_box, asker, changed(info, 50), sealed)
    under = H('help wrap', own, theirs)
    expect('help: the key', reads('help: the key', open_small, 'help wrap', under, place, wrap[2]) == key)
    refused('help: the key by one share', open_small, 'help wrap', H('help wrap', own, own), place, wrap[2])
