"""CBOR (RFC 8949) item by item, rightly and wrongly spelled: what refused.py makes its cases of."""

import struct

UINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = 0, 2, 3, 4, 5, 6, 7
BREAK = b"\xff"


def head(major, number, longer=0):
    """Initial byte and argument; `longer` steps longer than need be."""
    fits = [number < 24, number < 1 << 8, number < 1 << 16, number < 1 << 32, True].index(True)
    size = fits + longer
    if size == 0:
        return bytes([major << 5 | number])
    return bytes([major << 5 | 23 + size]) + number.to_bytes(1 << size - 1, "big")


def item(value):
    """In deterministic encoding; maps in the order of their keys, which are small numbers here."""
    if isinstance(value, int):
        return head(UINT, value)
    if isinstance(value, bytes):
        return head(BYTES, len(value)) + value
    if isinstance(value, str):
        return head(TEXT, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(ARRAY, len(value)) + b"".join(map(item, value))
    return head(MAP, len(value)) + b"".join(item(key) + item(each) for key, each in sorted(value.items()))


def respelled(value):
    """Other spellings of the very same value, each with what is wrong about it."""
    if isinstance(value, int):
        yield "an integer longer than need be", head(UINT, value, 1) if value < 1 << 32 else None
        yield "an integer as a bignum", head(TAG, 2) + item(value.to_bytes(8, "big"))
        yield "an integer as a float", b"\xfb" + struct.pack(">d", value)
    elif isinstance(value, (bytes, str)):
        major, raw = (BYTES, value) if isinstance(value, bytes) else (TEXT, value.encode())
        yield "a length longer than need be", head(major, len(raw), 1) + raw
        yield "a string of indefinite length", bytes([major << 5 | 31]) + item(value) + BREAK
        yield "text for bytes, or bytes for text", head(BYTES + TEXT - major, len(raw)) + raw
    elif isinstance(value, list):
        yield "an array's length longer than need be", head(ARRAY, len(value), 1) + b"".join(map(item, value))
        yield "an array of indefinite length", b"\x9f" + b"".join(map(item, value)) + BREAK
        yield "an array with one element more", head(ARRAY, len(value) + 1) + b"".join(map(item, value)) + item(0)
    yield "a tag before it", head(TAG, 55799) + item(value)
    yield "null in its place", b"\xf6"
    yield "true in its place", b"\xf5"
    yield "undefined in its place", b"\xf7"
    yield "a half-precision float in its place", b"\xf9\x3c\x00"
    yield "a negative integer in its place", b"\x20"
    yield "a reserved head in its place", b"\x1c"


def elements(pieces, major, value, order):
    """What can be wrong with an element of an array or a map: each of its spellings, at its place."""
    for place, key in enumerate(order):
        for why, raw in respelled(value[key]):
            if raw is not None:
                changed = [*pieces[:place], (item(key) if major == MAP else b"") + raw, *pieces[place + 1:]]
                yield f"element {key}: {why}", head(major, len(pieces)) + b"".join(changed)


def array(value):
    pieces = [item(each) for each in value]
    yield from elements(pieces, ARRAY, value, range(len(value)))
    yield from whole(value, pieces, ARRAY)


def map_(value, optional=()):
    keys = sorted(value)
    pieces = [item(key) + item(value[key]) for key in keys]
    yield from elements(pieces, MAP, value, keys)
    yield from whole(value, pieces, MAP)
    count = len(pieces)
    for place, key in enumerate(keys):
        if key not in optional:
            yield f"without key {key}", head(MAP, count - 1) + b"".join(pieces[:place] + pieces[place + 1:])
        longer = head(UINT, key, 1) + item(value[key])
        yield f"key {key} longer than need be", head(MAP, count) + b"".join([*pieces[:place], longer, *pieces[place + 1:]])
    swapped = [pieces[1], pieces[0], *pieces[2:]]
    yield "two keys in the wrong order", head(MAP, count) + b"".join(swapped)
    yield "the last key first", head(MAP, count) + b"".join([pieces[-1], *pieces[:-1]])
    yield "a key twice", head(MAP, count + 1) + pieces[0] + b"".join(pieces)
    yield "a key twice, at the end", head(MAP, count + 1) + b"".join(pieces) + pieces[-1]
    yield "a key twice, where another is due", head(MAP, count) + pieces[0] + pieces[0] + b"".join(pieces[2:])
    for key in (max(keys) + 1, 23, 24, 1 << 16):
        yield f"a further key, {key}", head(MAP, count + 1) + b"".join(pieces) + item(key) + item(0)
    yield "a further key, a text", head(MAP, count + 1) + b"".join(pieces) + item("x") + item(0)
    yield "a further key, negative", head(MAP, count + 1) + b"".join(pieces) + b"\x20" + item(0)
    yield "an array of its values", item([value[key] for key in keys])


def whole(value, pieces, major):
    """The length, the ends, and what stands around it."""
    count, good = len(pieces), item(value)
    yield "a length longer than need be", head(major, count, 1) + b"".join(pieces)
    yield "indefinite length", bytes([major << 5 | 31]) + b"".join(pieces) + BREAK
    yield "one element fewer than there are", head(major, count - 1) + b"".join(pieces)
    yield "one element more than there are", head(major, count + 1) + b"".join(pieces)
    yield "more elements than memory has", head(major, (1 << 64) - 1) + b"".join(pieces)
    yield "a byte behind it", good + b"\0"
    yield "twice", good + good
    yield "a tag before it", head(TAG, 55799) + good
    yield "as a byte string", item(good)
    yield "nothing", b""
    at = len(head(major, count))
    for place, piece in enumerate(pieces):
        yield f"ends before element {place}", good[:at]
        yield f"ends within element {place}", good[:at + len(piece) - 1]
        at += len(piece)


def bad_texts(why, spell):
    """Byte sequences that are no UTF-8 (RFC 3629), in the place of a text."""
    for raw in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
        yield f"{why} is no UTF-8: {raw.hex()}", spell(head(TEXT, len(raw)) + raw)
