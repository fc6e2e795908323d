"""CBOR (RFC 8949) of definite lengths, as docs/PROTOCOL.md section 0 reads it."""

NESTING_MAX = 32
WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


class Refused(Exception):
    """Bytes or texts that are not what they should be."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        if length > len(self.data) - self.at:
            raise Refused('ends early')
        self.at += length
        return self.data[self.at - length:self.at]

    def item(self, open_levels):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            number = info
        elif info in WIDTHS:
            number = int.from_bytes(self.take(WIDTHS[info]), 'big')
        else:
            raise Refused('an indefinite or reserved length')
        if major == 0:
            return number
        if major == 1:
            return -1 - number
        if major == 2:
            return bytes(self.take(number))
        if major == 3:
            try:
                return self.take(number).decode()
            except UnicodeDecodeError:
                raise Refused('no Unicode') from None
        if major == 7:
            if info in (20, 21):
                return info == 21
            if info in (22, 23):
                return None
            return Simple(number)
        count = {4: number, 5: 2 * number, 6: 1}[major]
        if count and open_levels >= NESTING_MAX:
            raise Refused('nested too deep')
        if count > len(self.data) - self.at:
            raise Refused('more items than bytes')
        items = [self.item(open_levels + 1) for _ in range(count)]
        if major == 5:
            return Map(zip(items[::2], items[1::2]))
        return Tagged(number, items[0]) if major == 6 else items


class Map(list):
    """Pairs of a map in their order."""


class Simple:
    def __init__(self, number):
        self.number = number


class Tagged:
    def __init__(self, tag, item):
        self.tag, self.item = tag, item


def decode(data):
    """The one value that fills `data`."""
    reader = Reader(data)
    value = reader.item(0)
    if reader.at != len(data):
        raise Refused('bytes follow the value')
    return value


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    info, width = next((info, width) for info, width in WIDTHS.items() if number < 1 << 8 * width)
    return bytes([major << 5 | info]) + number.to_bytes(width, 'big')


def encode(value):
    """The shortest form: how the golden vectors are written."""
    if value is None:
        return b'\xf6'
    if isinstance(value, bool):
        return b'\xf5' if value else b'\xf4'
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, Map):
        return _head(5, len(value)) + b''.join(encode(k) + encode(v) for k, v in value)
    return _head(4, len(value)) + b''.join(map(encode, value))
