"""A store's random key under a PIN and for the recovery words (docs/PROTOCOL.md section 2)."""

import struct
import unicodedata

import blake3
from cbor import Refused, decode, encode
from checks import changed, expect, load, reads, refused
from crypto import Secret, open_box, open_small, seal_small
from entries import hexed
from records import U32, data, flag, record
from texts import argon2id

PIN_WRAP = record(data(16), U32, U32, flag, data())


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
