"""What docs/PROTOCOL.md sections 0 to 4 say of keys, signatures, sealing and boxes."""

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
import zstandard

import blake3
from cbor import Refused

P = 2 ** 255 - 19
D = -121665 * pow(121666, P - 2, P) % P


def H(context, *parts):
    return blake3.derive_key('alliance v1 ' + context, b''.join(parts))


def raw(public_key):
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


# ---- signatures: Ed25519, strictly

def _point(encoded):
    """The affine point of 32 bytes, or none (RFC 8032, section 5.1.3)."""
    number = int.from_bytes(encoded, 'little')
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * pow(2, (P - 1) // 4, P) % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def _double(point):
    x, y = point
    t = D * x * x * y * y % P
    return 2 * x * y * pow(1 + t, P - 2, P) % P, (y * y + x * x) * pow(1 - t, P - 2, P) % P


def of_small_order(encoded):
    """Eight times the point is the neutral element, or it is no point."""
    point = _point(encoded)
    if point is None:
        return True
    for _ in range(3):
        point = _double(point)
    return point == (0, 1)


def verifies(key, message, signature):
    if of_small_order(key) or of_small_order(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


# ---- secrets

def hkdf_extract(salt, key):
    return hmac.new(salt or bytes(32), key, hashlib.sha256).digest()


def hkdf_expand(prk, info, length):
    out, block = b'', b''
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256).digest()
        out += block
    return out[:length]


class Hpke:
    """RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305."""
    KEM = b'KEM' + struct.pack('>H', 0x20)
    SUITE = b'HPKE' + struct.pack('>HHH', 0x20, 1, 3)

    @staticmethod
    def extract(suite, salt, label, key):
        return hkdf_extract(salt, b'HPKE-v1' + suite + label + key)

    @staticmethod
    def expand(suite, prk, label, info, length):
        return hkdf_expand(prk, struct.pack('>H', length) + b'HPKE-v1' + suite + label + info, length)

    @classmethod
    def derive_key_pair(cls, material):
        prk = cls.extract(cls.KEM, b'', b'dkp_prk', material)
        return X25519PrivateKey.from_private_bytes(cls.expand(cls.KEM, prk, b'sk', b'', 32))

    @classmethod
    def open(cls, secret, encapsulated, info, ciphertext):
        try:
            shared = secret.exchange(X25519PublicKey.from_public_bytes(encapsulated))
        except ValueError:
            raise Refused('an encapsulated key of small order') from None
        prk = cls.extract(cls.KEM, b'', b'eae_prk', shared)
        shared = cls.expand(cls.KEM, prk, b'shared_secret', encapsulated + raw(secret.public_key()), 32)
        context = (b'\0' + cls.extract(cls.SUITE, b'', b'psk_id_hash', b'')
                   + cls.extract(cls.SUITE, b'', b'info_hash', info))
        prk = cls.extract(cls.SUITE, shared, b'secret', b'')
        key, nonce = (cls.expand(cls.SUITE, prk, label, context, length)
                      for label, length in ((b'key', 32), (b'base_nonce', 12)))
        try:
            return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b'')
        except InvalidTag:
            raise Refused('the box does not open') from None


class Secret:
    """A seed of 32 bytes and what is derived from it; `what` is device, recovery or invitation."""

    def __init__(self, what, seed):
        derive = lambda purpose: blake3.derive_key(f'alliance v1 {what} {purpose} key', seed)
        self.seed, self.signing = seed, Ed25519PrivateKey.from_private_bytes(derive('signing'))
        self.box, self.hedge_key = Hpke.derive_key_pair(derive('box')), derive('hedge')
        self.signer_key, self.box_key = raw(self.signing.public_key()), raw(self.box.public_key())

    def hedge(self, random, purpose, parts):
        framed = b''.join(struct.pack('>Q', len(part)) + part for part in (purpose, *parts))
        return blake3.keyed(self.hedge_key, random + framed)


# ---- sealing

def _hchacha20(key, nonce):
    words = list(struct.unpack('<16I', b'expand 32-byte k' + key + nonce))
    mask = 0xFFFFFFFF
    rotate = lambda word, by: (word << by | word >> 32 - by) & mask

    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            words[x] = (words[x] + words[y]) & mask
            words[z] = rotate(words[z] ^ words[x], by)
    for _ in range(10):
        for at in range(4):
            quarter(at, 4 + at, 8 + at, 12 + at)
        for at in range(4):
            quarter(at, 4 + (at + 1) % 4, 8 + (at + 2) % 4, 12 + (at + 3) % 4)
    return struct.pack('<8I', *words[:4], *words[12:])


def _cipher(key, nonce):
    return ChaCha20Poly1305(_hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def open_aead(key, ad, sealed):
    """nonce (24), ciphertext, tag (16)."""
    cipher, nonce = _cipher(key, sealed[:24])
    try:
        return cipher.decrypt(nonce, sealed[24:], ad)
    except InvalidTag:
        raise Refused('does not open') from None


def seal_aead(key, nonces, random, ad, inner):
    nonce = blake3.keyed(nonces, random + struct.pack('>Q', len(ad)) + ad + inner)[:24]
    cipher, short = _cipher(key, nonce)
    return nonce + cipher.encrypt(short, inner, ad)


def log_keys(epoch_key, log):
    okm = hkdf_expand(hkdf_extract(b'alliance v1 sealing', epoch_key), log, 64)
    return okm[:32], okm[32:]


def padme(length):
    if length < 2:
        return length
    e = length.bit_length() - 1
    s = e.bit_length()
    step = 1 << (e - s)
    return (length + step - 1) // step * step


def decompress(body):
    """One zstd frame without its magic number, within both limits."""
    limit = min(16 << 20, 20 * len(body))
    reader = zstandard.ZstdDecompressor().decompressobj()
    out, rest = b'', b'\x28\xb5\x2f\xfd' + body
    try:
        for at in range(len(rest)):
            out += reader.decompress(rest[at:at + 1])
            if len(out) > limit:
                raise Refused('decompresses over its limit')
            if reader.eof:
                if at + 1 != len(rest):
                    raise Refused('something follows the frame')
                return out
    except zstandard.ZstdError:
        raise Refused('no zstd frame') from None
    raise Refused('the frame ends early')


def unpack(inner):
    """The form is the last byte that is not zero."""
    inner = inner.rstrip(b'\0')
    if not inner:
        raise Refused('padding only')
    body, form = inner[:-1], inner[-1]
    if form == 1:
        return body
    if form == 2:
        return decompress(body)
    raise Refused('no known form')


def open_payload(epoch_key, log, ad, sealed):
    if not 42 <= len(sealed) <= 64 * 1024:
        raise Refused('no sealed payload')
    if sealed[0] != 1:
        raise Refused('another version')
    return unpack(open_aead(log_keys(epoch_key, log)[0], ad, sealed[1:]))


def seal_plain(epoch_key, log, ad, content, random):
    """Sealing of a content that compression does not shorten."""
    inner = content + b'\x01'
    inner = inner.ljust(padme(len(inner)), b'\0')
    return b'\x01' + seal_aead(*log_keys(epoch_key, log), random, ad, inner)


def small_keys(purpose, key):
    return tuple(blake3.derive_key(f'alliance v1 {purpose} {what}', key) for what in ('key', 'nonces'))


def open_small(purpose, key, ad, sealed):
    if len(sealed) < 41 or sealed[0] != 1:
        raise Refused('no small sealed message of this version')
    return open_aead(small_keys(purpose, key)[0], ad, sealed[1:])


def seal_small(purpose, key, ad, content, random):
    return b'\x01' + seal_aead(*small_keys(purpose, key), random, ad, content)


# ---- epochs

def canary(key, space, generation):
    return H('epoch canary', key, space, struct.pack('>Q', generation))


def committed(key, space, generation, expected):
    if canary(key, space, generation) != expected:
        raise Refused('another key than committed to')
    return key


def epoch_info(space, generation, parents, recipient):
    return (b'alliance v1 epoch box' + space + struct.pack('>QQ', generation, len(parents)) + b''.join(parents)
            + recipient)


def appended_info(space, epoch, recipient):
    return b'alliance v1 appended box' + space + epoch + recipient


def open_box(secret, info, sealed):
    return Hpke.open(secret.box, sealed[:32], info, sealed[32:])


def open_link(key, space, predecessor, sealed):
    if len(sealed) < 40:
        raise Refused('no link')
    return open_aead(blake3.derive_key('alliance v1 epoch link', key), space + predecessor, sealed)
