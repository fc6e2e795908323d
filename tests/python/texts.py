"""Texts that people copy (docs/PROTOCOL.md sections 0, 1 and 4)."""

import base64
import hashlib
import os

from argon2.low_level import Type, hash_secret_raw
import mnemonic

import blake3
import records
from cbor import Refused, decode

WORDS = open(os.path.join(os.path.dirname(mnemonic.__file__), 'wordlist', 'english.txt')).read().split()
assert len(WORDS) == 2048


def from_base32(text):
    """RFC 4648, lower case, no padding; bits that belong to no byte are zero."""
    if len(text) % 8 in (1, 3, 6):
        raise Refused('characters are missing')
    try:
        out = base64.b32decode(text.upper() + '=' * (-len(text) % 8))
    except ValueError:
        raise Refused('a character that is none') from None
    if base64.b32encode(out).decode().rstrip('=').lower() != text:
        raise Refused('bits are left over')
    return out


INVITATION = records.record(records.SPACE, records.optional(records.record(records.DEVICE, records._address)),
                            records.ROLE, records.U64, records.data(32), records.data(32), records.DEVICE,
                            records.optional(records.TAG))


def invitation(text):
    """The fields of an invitation's text."""
    text = ''.join(text.split()).lower()
    if len(text) > 4096 or not text.startswith('alliance-invite:'):
        raise Refused('something else')
    whole = from_base32(text[len('alliance-invite:'):])
    if len(whole) < 5 or blake3.derive_key('alliance v1 invitation checksum', whole[:-4])[:4] != whole[-4:]:
        raise Refused('characters are missing or wrong')
    if whole[0] != 1:
        raise Refused('a newer version')
    return INVITATION(decode(whole[1:-4]))


def entropy_of(text):
    """The 16 bytes of twelve words of BIP-39."""
    words = text.lower().split()
    if len(words) != 12 or not all(word in WORDS for word in words):
        raise Refused('not twelve words of the list')
    bits = 0
    for word in words:
        bits = bits << 11 | WORDS.index(word)
    entropy = (bits >> 4).to_bytes(16, 'big')
    if hashlib.sha256(entropy).digest()[0] >> 4 != bits & 15:
        raise Refused('the words do not fit each other')
    return entropy


def argon2id(secret, salt, memory_kib, passes):
    return hash_secret_raw(secret, salt, passes, memory_kib, 1, 32, Type.ID, 0x13)


def recovery_seed(entropy, memory_kib=64 * 1024, passes=3):
    return argon2id(entropy, b'alliance v1 recovery words', memory_kib, passes)
