"""Records and choices of docs/PROTOCOL.md: what a decoded value must look like. Each form takes a value of CBOR and gives
it back without what this version does not know, or refuses it."""

from cbor import Map, Refused, decode

ABSENT = object()


def data(length=None, at_most=None):
    def form(value):
        if not isinstance(value, bytes):
            raise Refused('no byte string')
        if length is not None and len(value) != length:
            raise Refused('another length')
        if at_most is not None and len(value) > at_most:
            raise Refused('over its limit')
        return value
    return form


def number(bits):
    def form(value):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
            raise Refused('no number of its width')
        return value
    return form


def one_of(*values):
    def form(value):
        if isinstance(value, bool) or value not in values:
            raise Refused('another number or version')
        return value
    return form


def text(value):
    if not isinstance(value, str):
        raise Refused('no text')
    return value


def flag(value):
    if not isinstance(value, bool):
        raise Refused('neither true nor false')
    return value


def list_of(form, at_most=None):
    def whole(value):
        if not isinstance(value, list) or isinstance(value, Map):
            raise Refused('no array')
        if at_most is not None and len(value) > at_most:
            raise Refused('over its limit')
        return [form(item) for item in value]
    return whole


def optional(form):
    def whole(value):
        return None if value is None else form(value)
    whole.optional = True
    return whole


def record(*forms):
    """An array in the order of its keys. Further elements are skipped."""
    def whole(value):
        if not isinstance(value, list) or isinstance(value, Map):
            raise Refused('no array')
        out = []
        for at, form in enumerate(forms):
            if at >= len(value):
                if not getattr(form, 'optional', False):
                    raise Refused('a field is missing')
                continue
            out.append(form(value[at]))
        while out and out[-1] is None:
            out.pop()
        return out
    return whole


def pair(*forms):
    """An array of exactly these."""
    inner = record(*forms)

    def whole(value):
        if not isinstance(value, list) or len(value) != len(forms):
            raise Refused('another number of elements')
        return inner(value)
    return whole


def choice(alternatives):
    def whole(value):
        if not isinstance(value, list) or isinstance(value, Map) or len(value) != 2:
            raise Refused('no choice')
        if isinstance(value[0], bool) or value[0] not in alternatives:
            raise Refused('no such alternative')
        return [value[0], alternatives[value[0]](value[1])]
    return whole


# Sizes of ids (section 1).
DEVICE = SIGNER = BOX_KEY = HASH = data(32)
SPACE = TAG = DOCUMENT = DRAFT = EPOCH = PREFIX = INCARNATION = INSTANCE = data(16)
LOG = data(20)
SIGNATURE = data(64)
U8, U16, U32, U64 = number(8), number(16), number(32), number(64)

# ---- section 2: what a data entry says
CHANGES = record(DOCUMENT, U16, U16, U8, record(DRAFT, U32, PREFIX), list_of(data(at_most=32 * 1024)))


def _card(value):
    card = record(text, text, text)(value)
    if sum(len(part.encode()) for part in card) > 1024:
        raise Refused('a card over its limit')
    return card


# ---- section 4: payloads of membership entries
ROLE, ERASE = one_of(0, 1, 2), one_of(0, 1, 2)
KIND = choice({0: record(), 1: record(U16), 2: record()})
DEVICE_CARD = record(DEVICE, BOX_KEY, U16, SIGNATURE)
RECOVERY_CARD = record(SIGNER, BOX_KEY)


def _place(value):
    place = record(SPACE, TAG, text, optional(pair(DEVICE, text)))(value)
    if len(place[2].encode()) + (len(place[3][1].encode()) if len(place) > 3 else 0) > 1024:
        raise Refused('a place over its limit')
    return place


ASKS = record(SPACE, DEVICE, DEVICE_CARD)
CONTENT = record(one_of(1), list_of(PREFIX, 8), U64,
                 choice({0: record(CHANGES), 1: record(_card), 2: record(_place), 3: record(ASKS)}))
FIRST = record(data(16), KIND, ERASE, RECOVERY_CARD, DEVICE_CARD)


def _address(value):
    if len(text(value).encode()) > 256:
        raise Refused('an address over its limit')
    return value


RELAY = record(DEVICE, _address, optional(record(data(8), data(32))))
INVITE = record(list_of(record(SIGNER, data(32)), 200), ROLE, U64)
KEY_BOX = record(SIGNER, data(80))
BOX = record(EPOCH, list_of(KEY_BOX))
ADD = record(HASH, SIGNER, ROLE, DEVICE_CARD, RECOVERY_CARD, BOX)
EPOCH_ENTRY = record(U64, data(32), list_of(KEY_BOX), list_of(record(EPOCH, data()), 64))
CUT_OFF = record(LOG, U64, HASH)


def ascending(key, at_most):
    def whole(value):
        entries = list_of(CUT_OFF, at_most)(value)
        if any(entry[1] == 0 for entry in entries):
            raise Refused('number 0')
        if any(key(one) >= key(other) for one, other in zip(entries, entries[1:])):
            raise Refused('not in ascending order')
        return entries
    return whole


CUT_OFFS = ascending(lambda entry: entry[0], 4096)
ENDING = record(CUT_OFFS, EPOCH_ENTRY)
STOP = record(SIGNER, ENDING)


def _given_role(value):
    given = record(ROLE, optional(ENDING))(value)
    if (given[0] == 0) != (len(given) == 2):
        raise Refused("a reader's role ends what it wrote, and no other does")
    return given


OPERATION = choice({0: record(FIRST), 1: record(RELAY), 2: record(INVITE), 3: record(ADD), 4: record(BOX),
                    5: record(EPOCH_ENTRY), 6: record(record(DEVICE_CARD, optional(BOX))),
                    7: record(record(RECOVERY_CARD, optional(BOX))), 8: record(STOP), 9: record(record(SIGNER)),
                    10: record(STOP), 11: record(_given_role), 12: record(ENDING), 13: record(record(CUT_OFFS)),
                    14: record(), 15: record(record(ascending(lambda entry: entry, 4096)))})


def membership(value):
    payload = record(one_of(1), list_of(HASH, 64), optional(TAG), OPERATION)(value)
    first = payload[3][0] == 0
    if first != (payload[1] == []) or first != (payload[2] is None):
        raise Refused('only a first entry has no parents and no person')
    return payload


# ---- section 3: receipts and frames
ROW = record(LOG, U64, PREFIX)


def receipt_rows(value):
    """Rows of 16 bytes in one string; version 1 had those of a vector."""
    if isinstance(value, bytes):
        if len(value) % 16:
            raise Refused('half a row')
        return value
    return b''.join(log[:8] + min(seq, (1 << 32) - 1).to_bytes(4, 'big') + hash[:4]
                    for log, seq, hash in list_of(ROW)(value))


RECEIPT = record(one_of(1, 2), SPACE, DEVICE, INCARNATION, U64, list_of(INCARNATION, 16), receipt_rows,
                 list_of(PREFIX, 8), list_of(pair(LOG, U64), 256), U64)
CURSORS = choice({0: record(list_of(U64, 32)), 1: record(list_of(pair(SPACE, U64), 16384))})
HELLO = record(U16, INSTANCE, data(8), U32, data(16), CURSORS, data(8))
NAME = record(DEVICE, INCARNATION, one_of(0, 1), list_of(HASH, 16))
PAYLOAD = choice({0: record(data()), 1: record(U32, data(32))})
RUN_ENTRY = record(data(), SIGNATURE, PAYLOAD)
RUN = record(U32, U64, optional(HASH), list_of(RUN_ENTRY, 1000))
ANSWER = choice({0: record(data()), 1: record(), 2: record()})
FORK_HEADER = record(data(), U32, data(32), SIGNATURE)
FRAME = choice({
    0: record(HELLO),
    1: record(INSTANCE, data(16), U32),
    2: record(list_of(record(SPACE, data(8)), 16384), flag),
    3: record(SPACE),
    4: record(U32, NAME),
    5: record(U32, list_of(ROW, 16384), flag, flag),
    6: record(RUN),
    7: record(U32, U64, PREFIX),
    8: record(U32, U64),
    9: record(U32, list_of(pair(LOG, U64), 256)),
    10: record(U32, LOG, U64, ANSWER),
    11: record(U32, record(data(at_most=32 * 1024), SIGNATURE)),
    12: record(U32, data(at_most=256)),
    13: record(U32, data(16)),
    14: record(U32, NAME, record(U64, HASH, FORK_HEADER, FORK_HEADER)),
    15: record(SPACE, optional(pair(LOG, U64)), one_of(*range(10))),
    16: record(record(SIGNER, data(at_most=4096), optional(data()))),
    17: record(SIGNER, optional(data())),
    18: record(SIGNER, optional(list_of(data(), 8))),
    19: record(U32),
    20: record(record(SPACE, NAME, U64, HASH, list_of(RUN_ENTRY, 256))),
    21: record(),
})
BUNDLE = record(one_of(1), data(16), list_of(record(list_of(data(), 1024), data()), 1024))


def suffix(value_bytes):
    """Section 2: a map {0: kind, 1: epoch}. Gives kind and epoch; unknown keys are kept by whoever keeps the bytes."""
    if len(value_bytes) > 1024:
        raise Refused('over the limit of a suffix')
    value = decode(value_bytes)
    if not isinstance(value, Map):
        raise Refused('no map')
    fields = {key: item for key, item in value if isinstance(key, int)}
    kind = one_of(0, 1)(fields.get(0, ABSENT))
    epoch = optional(EPOCH)(fields.get(1))
    if (epoch is not None) != (kind == 1):
        raise Refused('a data entry names an epoch and a membership entry none')
    return kind, epoch
