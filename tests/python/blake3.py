"""BLAKE3 as its specification has it (no library of Debian has it): hash, keyed hash and key derivation."""

import struct

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED, DERIVE_CONTEXT, DERIVE_MATERIAL = 1, 2, 4, 8, 16, 32, 64
BLOCK, CHUNK, MASK = 64, 1024, 0xFFFFFFFF


def _mix(s, a, b, c, d, x, y):
    s[a] = (s[a] + s[b] + x) & MASK
    s[d] = _rotate(s[d] ^ s[a], 16)
    s[c] = (s[c] + s[d]) & MASK
    s[b] = _rotate(s[b] ^ s[c], 12)
    s[a] = (s[a] + s[b] + y) & MASK
    s[d] = _rotate(s[d] ^ s[a], 8)
    s[c] = (s[c] + s[d]) & MASK
    s[b] = _rotate(s[b] ^ s[c], 7)


def _rotate(word, by):
    return (word >> by) | (word << (32 - by)) & MASK


def _compress(chain, block, length, counter, flags):
    m = list(struct.unpack('<16I', block.ljust(BLOCK, b'\0')))
    s = list(chain) + list(IV[:4]) + [counter & MASK, counter >> 32, length, flags]
    for turn in range(7):
        for i, (a, b, c, d) in enumerate(((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                                          (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))):
            _mix(s, a, b, c, d, m[2 * i], m[2 * i + 1])
        m = [m[at] for at in PERMUTATION]
    return [s[i] ^ s[i + 8] for i in range(8)]


def _chunk(data, key, counter, flags, root):
    chain = key
    blocks = [data[at:at + BLOCK] for at in range(0, len(data), BLOCK)] or [b'']
    for i, block in enumerate(blocks):
        first, last = i == 0, i == len(blocks) - 1
        extra = CHUNK_START * first | CHUNK_END * last | ROOT * (root and last)
        chain = _compress(chain, block, len(block), counter, flags | extra)
    return chain


def _tree(data, key, counter, flags, root):
    if len(data) <= CHUNK:
        return _chunk(data, key, counter, flags, root)
    chunks = (len(data) + CHUNK - 1) // CHUNK
    left = CHUNK * (1 << (chunks - 1).bit_length() - 1)
    pair = (_tree(data[:left], key, counter, flags, False)
            + _tree(data[left:], key, counter + left // CHUNK, flags, False))
    return _compress(key, struct.pack('<16I', *pair), BLOCK, 0, flags | PARENT | ROOT * root)


def _run(data, key, flags):
    return struct.pack('<8I', *_tree(bytes(data), key, 0, flags, True))


def hash(data):
    return _run(data, list(IV), 0)


def keyed(key, data):
    return _run(data, list(struct.unpack('<8I', key)), KEYED)


def derive_key(context, data):
    key = _run(context.encode(), list(IV), DERIVE_CONTEXT)
    return _run(data, list(struct.unpack('<8I', key)), DERIVE_MATERIAL)
