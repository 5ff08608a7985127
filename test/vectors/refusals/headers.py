"""Headers without work, bits that are no target, entries that are no whole number (SPEC.md §1.3, §1.4)."""

import itertools
import struct

from . import BLOCKS, raw, sha256d, text

TARGETS = [
    ("zero", [0, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x04000000, 0x1D000000, 0xFF000000]),
    ("negative", [0x00923456, 0x01FEDCBA, 0x04923456, 0x01803456, 0x04800000, 0x1D80FFFF, 0x1F8FFFFF, 0xFFFFFFFF]),
    ("overflowing", [0x21010000, 0x22000100, 0x23000001, 0x217FFFFF, 0x227FFFFF, 0xFF123456, 0xFF000001]),
]
LIMIT = 0x1F0FFFFF


def with_bits(header, bits):
    return header[:72] + struct.pack("<I", bits) + header[76:]


def reaching(header, bits):
    """The header with an honest target and a nonce for it."""
    target = (bits & 0x7FFFFF) << 8 * ((bits >> 24) - 3)
    header = with_bits(header, bits)
    return next(header for header in (header[:76] + struct.pack("<I", nonce) for nonce in itertools.count())
                if int.from_bytes(sha256d(header), "little") <= target)


def made():
    good = raw(BLOCKS["side"][0]["header"])
    nonce = struct.unpack("<I", good[76:])[0]
    bad = [(f"a target that is {why}: {bits:08x}", with_bits(good, bits)) for why, all_ in TARGETS for bits in all_]
    bad += [(f"another nonce, which does not reach the target: {nonce + step}", good[:76] + struct.pack("<I", nonce + step))
            for step in (1, 2)]
    bad += [(f"a target above the limit, reached: {bits:08x}", reaching(good, bits)) for bits in (LIMIT + 1, 0x207FFFFF)]
    bad += [("cut by a byte", good[:-1]), ("a byte behind it", good + b"\0"), ("nothing", b"")]
    return {
        "limit": LIMIT,
        "good": text(good),
        "refused": [{"header": text(each), "why": why} for why, each in bad],
    }


def targets():
    return [{"bits": bits, "why": why} for why, all_ in TARGETS for bits in all_]


def entries():
    good = b"".join(raw(side["entry"]) for side in BLOCKS["side"])
    lengths = (1, 48, 79, 81, 159)
    bad = [(f"{length} bytes", good[:length]) for length in lengths] + [("a byte behind them", good + b"\0")]
    return {
        "good": text(good),
        "refused": [{"entries": text(each), "why": why} for why, each in bad],
        "counts": [{"count": count, "why": why} for count, why in [
            (0, "a segment of none"), (1, "fewer than there are"), (3, "more than there are"), (513, "more than 512")]],
    }
