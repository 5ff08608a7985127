"""Proofs of a Merkle-Patricia trie that are none (SPEC.md §9.2): of two slots whose keys begin alike, and of slots that are not there."""

import itertools

import rlp
from eth_utils import keccak

from . import sha256, text


def key(slot):
    """The half-bytes of a slot's key."""
    return [int(digit, 16) for digit in keccak(slot).hex()]


def compact(path, is_leaf):
    """The yellow paper's appendix C."""
    flags = 2 * is_leaf + len(path) % 2
    halves = [flags, *path] if len(path) % 2 else [flags, 0, *path]
    return bytes(high * 16 + low for high, low in zip(halves[::2], halves[1::2], strict=True))


def slots():
    return (sha256(bytes([number >> 8, number & 255])) for number in itertools.count())


def with_key(*begins):
    """For each beginning the first slot whose key has it."""
    return [next(slot for slot in slots() if key(slot)[:len(begin)] == begin) for begin in begins]


SHARED = [3, 7]
ONE, OTHER = with_key([*SHARED, 1], [*SHARED, 9])
EMPTY, AWAY, ASTRAY = with_key([*SHARED, 4], [3, 8], [*key(ONE)[:3], key(ONE)[3] ^ 1])
VALUE = rlp.encode(0x1234)
LEAF = rlp.encode([compact(key(ONE)[3:], True), VALUE])
SISTER = rlp.encode([compact(key(OTHER)[3:], True), rlp.encode(7)])
BRANCH = rlp.encode([b"", keccak(LEAF), *[b""] * 7, keccak(SISTER), *[b""] * 7])
ROOT = rlp.encode([compact(SHARED, False), keccak(BRANCH)])
WAY = [ROOT, BRANCH, LEAF]


def case(slot, nodes, value=0, **more):
    return {**more, "slot": text(slot), "value": value, "nodes": [text(node) for node in nodes]}


def good():
    yield case(ONE, WAY, 0x1234)
    yield case(OTHER, [ROOT, BRANCH, SISTER], 7)
    yield case(EMPTY, [ROOT, BRANCH])
    yield case(AWAY, [ROOT])
    yield case(ASTRAY, WAY)


def refused():
    yield case(ONE, WAY, 0x1235, why="another value")
    yield case(ONE, WAY, why="nothing there")
    yield case(ONE, [ROOT, BRANCH], 0x1234, why="the last node is left out")
    yield case(ONE, [ROOT, BRANCH], why="the last node is left out, to say that nothing is there")
    yield case(ONE, [ROOT], why="two nodes are left out")
    yield case(ONE, [], why="no nodes")
    yield case(ONE, [BRANCH, LEAF], 0x1234, why="without the root")
    yield case(ONE, [ROOT, LEAF, BRANCH], 0x1234, why="in another order")
    yield case(ONE, [ROOT, BRANCH, SISTER], 7, why="the way to another slot")
    yield case(ONE, [*WAY, LEAF], 0x1234, why="the last node twice")
    yield case(ONE, [ROOT, *WAY], 0x1234, why="the first node twice")
    yield case(ONE, [*WAY, b"\x80"], 0x1234, why="an empty node behind it")
    yield case(ONE, [*WAY, b""], 0x1234, why="no node behind it")
    yield case(OTHER, WAY, 0x1234, why="the value of another slot")
    yield case(EMPTY, WAY, why="a node behind an empty child")
    yield case(EMPTY, [ROOT], why="no branch that lacks it")
    yield case(AWAY, [ROOT, BRANCH], why="a node behind a path that is another key's")
    yield case(AWAY, WAY, why="two nodes behind a path that is another key's")
    yield case(AWAY, [], why="an empty proof of nothing")
    yield case(ASTRAY, [*WAY, SISTER], why="a node behind another key's leaf")
    yield case(ASTRAY, WAY, 0x1234, why="the value of a key that begins alike")
    yield case(ONE, [ROOT + b"\0", BRANCH, LEAF], 0x1234, why="a byte behind the first node")
    yield case(ONE, [ROOT, BRANCH, LEAF[:-1]], 0x1234, why="the last node cut")


def made():
    return {"root": text(keccak(ROOT)), "good": [*good()], "refused": [*refused()]}
