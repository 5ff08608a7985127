"""Proofs of a Merkle-Patricia trie that are none (SPEC.md §9.2): of two slots whose keys begin alike, of slots that are not there,
and of made-up tries, each with a root of its own, in which a node is none."""

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


KEY = key(ONE)
HASH = keccak(b"a node that nobody asks for")
DEEP = 50  # half-bytes; what is left of a key behind them fits into the node above


def own(nodes, value=0, slot=ONE, **more):
    """A case of its own trie."""
    return case(slot, nodes, value, root=text(keccak(nodes[0])), **more)


def leaf(path, value=VALUE):
    return [compact(path, True), value]


def branch(children, value=b""):
    return [*(children.get(half, b"") for half in range(16)), value]


def fork(children, value=b""):
    """A branch that is too long to stand inside another node, by a child that nobody asks for."""
    spare = next(half for half in range(16) if half not in (*children, NEXT, KEY[0], KEY[63]))
    return branch({**children, spare: HASH}, value)


def behind(node, path=KEY[:DEEP]):
    """An extension, and the node that it leads to."""
    node = node if type(node) is bytes else rlp.encode(node)
    return [rlp.encode([compact(path, False), keccak(node)]), node]


def other(half, step=1):
    return (half + step) % 16


NEXT, REST = KEY[DEEP], KEY[DEEP + 1:]
INSIDE = leaf(REST)
ELSEWHERE = leaf([other(REST[0]), *REST[1:]])


def good_of_their_own():
    yield own([rlp.encode(leaf(KEY))], 0x1234)
    yield own([rlp.encode(leaf([other(KEY[0]), *KEY[1:]]))])
    yield own(behind(fork({NEXT: INSIDE})), 0x1234)
    yield own(behind(fork({NEXT: INSIDE, other(NEXT): HASH, other(NEXT, 2): ELSEWHERE})), 0x1234)
    yield own(behind(fork({NEXT: ELSEWHERE})))
    yield own(behind(fork({NEXT: [compact(REST[:3], False), branch({})]})))
    yield own([rlp.encode([compact([*KEY[:9], other(KEY[9])], False), HASH])])
    # With nothing at the end: a branch of the last half-byte.
    yield own(behind(fork({other(KEY[63]): leaf([])}), KEY[:63]))
    yield own(behind(fork({KEY[63]: leaf([])}), KEY[:63]), 0x1234)


def listed(*items):
    """The RLP of a list, of items that are RLP already."""
    payload = b"".join(items)
    assert 55 < len(payload) < 256
    return bytes([0xF8, len(payload)]) + payload


def no_nodes():
    """Nodes that are none, with what they would show to whom they are nodes."""
    yield "a leaf whose value is a list", [rlp.encode(leaf(KEY, [b"\x12", b"\x34"]))], 0
    yield "another key's leaf whose value is a list", [rlp.encode(leaf([other(KEY[0]), *KEY[1:]], [b"1"]))], 0
    yield "a leaf with no value", [rlp.encode(leaf(KEY, b""))], 0
    yield "a leaf whose value is the empty list", [rlp.encode(leaf(KEY, []))], 0
    yield "a leaf behind its key", [rlp.encode(leaf([*KEY, 0]))], 0
    yield "a leaf before the end of its key", [rlp.encode(leaf(KEY[:63]))], 0
    yield "a leaf of another key before its end", [rlp.encode(leaf([other(KEY[0])]))], 0
    yield "a branch with a value", behind(fork({NEXT: INSIDE}, b"1")), 0x1234
    yield "a branch with a list for its value", behind(fork({NEXT: INSIDE}, [])), 0x1234
    for size in (1, 31, 33):
        yield f"a child of {size} bytes", behind(fork({NEXT: INSIDE, other(NEXT): HASH[:1] * size})), 0x1234
        yield f"a child of {size} bytes on the way", behind(fork({NEXT: HASH[:1] * size})), 0
    yield "a child that is an empty list", behind(fork({NEXT: INSIDE, other(NEXT): []})), 0x1234
    yield "a child of one item", behind(fork({NEXT: INSIDE, other(NEXT): [b""]})), 0x1234
    yield "a leaf for a child, of another key, before its end", behind(fork({NEXT: INSIDE, other(NEXT): leaf(REST[1:])})), 0x1234
    yield "a leaf for a child, of another key, behind its end", behind(fork({NEXT: INSIDE, other(NEXT): leaf([*REST, 0])})), 0x1234
    long = leaf(KEY[6:])
    yield "a child that is too long to stand inside", behind(fork({KEY[5]: long}), KEY[:5]), 0x1234
    yield "a child that is not on the way and too long", behind(fork({other(KEY[5]): long}), KEY[:5]), 0
    apart = rlp.encode(INSIDE)
    yield "a short node by itself", [*behind(fork({NEXT: keccak(apart)})), apart], 0x1234
    yield "a short node inside and by itself", [*behind(fork({NEXT: INSIDE})), apart], 0x1234
    yield "an extension by nothing", behind(leaf(KEY), []), 0x1234
    yield "an extension to nothing", [rlp.encode([compact(KEY[:4], False), b""])], 0
    yield "an extension of another key to nothing", [rlp.encode([compact([other(KEY[0])], False), b""])], 0
    yield "an extension behind its key", [rlp.encode([compact([*KEY, 1], False), HASH])], 0
    yield "a branch behind its key", behind(fork({}), KEY), 0
    last = fork({KEY[63]: [compact([1], False), branch({})]})
    yield "an extension inside, behind its key", behind(last, KEY[:63]), 0
    for count in (1, 3, 16, 18):
        yield f"a list of {count}", behind([HASH] * count), 0
    yield "no list", [*behind(b"\x80" + bytes(40))], 0
    yield "an empty string", [rlp.encode(b"")], 0
    yield "a byte behind an inner node", behind(rlp.encode(fork({NEXT: INSIDE})) + b"\0"), 0x1234
    path = compact(KEY, True)
    yield "a half-byte in the padding", [rlp.encode([bytes([path[0] + 1]) + path[1:], VALUE])], 0x1234
    for flags in (0x40, 0x60, 0xA0):
        yield f"flags of {flags:#x}", [rlp.encode([bytes([flags]) + path[1:], VALUE])], 0x1234
    yield "no path", [rlp.encode([b"", VALUE])], 0
    yield "a path that is a list", [rlp.encode([[path], VALUE])], 0
    odd = [compact(KEY[1:], True), VALUE]
    yield "a path that is too long for a leaf of a branch", behind(fork({KEY[0]: HASH, other(KEY[0]): odd}), KEY[:1]), 0
    long_size = bytes([0xB8, len(path)]) + path
    yield "the size of a short string as of a long one", [listed(long_size, b"\x82" + VALUE[1:], bytes(30))], 0
    yield "the size of a short path as of a long one", [listed(long_size, rlp.encode(b"\x77" * 30))], 0
    zeros = listed(rlp.encode(path), rlp.encode(b"\x77" * 30))
    yield "the size of a list with a zero before it", [bytes([0xF9, 0]) + zeros[1:]], 0
    wrapped = fork({NEXT: INSIDE})
    raw = b"".join(rlp.encode(item) for item in wrapped[:16])
    yield "a byte below 0x80 with a size before it", behind(listed(raw, b"\x81\x05")), 0x1234
    yield "an empty value with a size before it", behind(listed(raw, b"\xb8\0")), 0x1234


def made():
    theirs = ({**own(nodes, value), "why": why} for why, nodes, value in no_nodes())
    found = [own([bytes.fromhex(node)], slot=b"\x11" * 32, why=f"made up: {why}") for why, node in FOUND.items()]
    good_ones = [*good(), *good_of_their_own()]
    return {"root": text(keccak(ROOT)), "good": good_ones, "refused": [*refused(), *theirs, *found]}


FOUND = {
    "a leaf whose value is a list": "df9d20b569321de72d0af89c2fb48a484de3fc9343f31600ae1f3e13d633cbc0",
    "a byte behind it": "e6a123b569321de72d0af89c2fb48a584de3fc9343f31600ae1f3e13d633cb48cbf8168382123400",
}
