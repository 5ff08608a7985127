"""Records that are none (SPEC.md §1.5)."""

import struct

from . import BLOCKS, cases, put, raw, u32, u64

# Where fields begin (SPEC.md §1.5), behind magic, id, size and header.
ENVELOPE = [0, 4, 36, 40, 44, 76, 108, 112, 116, 120]
PARENT = [124, 132, 140, 148, 168, 188, 189, 221, 253, 285, 317, 349, 381, 401, 421, 485]
SIDE = [124, 132, 152, 172, 174, 206, 210, 242, 274, 294, 358]


def damaged(good, fields, other_magic):
    """What is wrong with a record of either kind."""
    yield from ((f"ends before the field at {at}", good[:at]) for at in [*ENVELOPE, *fields])
    yield "ends a byte early", good[:-1]
    yield "a byte behind it", good + b"\0"
    yield "a byte before it", b"\0" + good
    yield "twice", good + good
    for magic in (other_magic, b"MDSX", b"mdsp", b"PSDM", bytes(4)):
        yield f"magic {magic!r}", put(good, 0, magic)
    size = len(good) - 40
    for wrong in (0, size - 1, size + 1, size - 80, len(good), size << 16, 2**32 - 1):
        yield f"size {wrong}", put(good, 36, u32(wrong))
    yield "size, big-endian", put(good, 36, struct.pack(">I", size))
    yield "the last byte of the id", put(good, 35, bytes([good[35] ^ 1]))
    yield "no id", put(good, 4, bytes(32))
    yield "the id upside down", put(good, 4, good[35:3:-1])
    for at, name in ((40, "version"), (44, "previous hash"), (76, "merkle root"), (108, "time"), (112, "bits"), (116, "nonce")):
        yield f"another {name}, under the old id", put(good, at, bytes([good[at] ^ 1]))


def parent_record(good):
    yield from damaged(good, PARENT, b"MDSS")
    for counter in (7, 1 << 24, 2**32 - 1):
        yield f"action counter {counter}", put(good, 120, u32(counter))
    received, sent, locktime = (struct.unpack_from("<Q", good, at)[0] for at in (124, 140, 485))
    yield "received after it was sent", put(good, 124, u64(sent + 1))
    yield "sent after it was closed", put(good, 140, u64(locktime + 1))
    yield "closed before it was sent", put(good, 485, u64(sent - 1))
    yield "sent before it was received", put(good, 140, u64(received - 1))
    for sensitivity in (2, 255):
        yield f"sensitivity {sensitivity}", put(good, 188, bytes([sensitivity]))
    for purpose in (b"", b"DUO 42", b"DUO\0000042", b"\0DUO", b"DUO.42", "DÜO".encode(), b"D" * 31 + b"\n", b"\xff" * 32):
        yield f"purpose {purpose!r}", put(good, 189, purpose.ljust(32, b"\0"))


def side_record(good):
    yield from damaged(good, SIDE, b"MDSP")
    yield "the first byte of the id's own half", put(good, 20, bytes([good[20] ^ 1]))
    yield "the own half of the id first", put(good, 4, good[20:36] + good[4:20])
    yield "nothing reported", put(put(good, 120, u32(0)), 172, bytes(2))
    yield "a violation of what was not reported", put(good, 172, bytes([0x01, 0x20]))
    for counter in (0, 2, 1 << 24):
        yield f"action counter {counter} of one violation", put(good, 120, u32(counter))
    for number in (0, 1, 3, 2 << 24):
        yield f"report number {number} under version 2", put(good, 206, u32(number))


def made():
    parent, side = raw(BLOCKS["parent"]["record"]), raw(BLOCKS["side"][1]["record"])
    return {
        "parent_id": BLOCKS["parent"]["id"],
        "parent": cases(parent, parent_record(parent)),
        "side": cases(side, side_record(side)),
    }
