"""Bodies that the node that they name has not signed (SPEC.md §1.6)."""

from curve import ORDER, sign

from . import BLOCKS, NODE_KEY, cases, put, raw, sha256

# Where NID and Nsig begin (SPEC.md §1.5), behind the 120 bytes of the envelope.
PARENT, SIDE = (401 - 120, 421 - 120), (274 - 120, 294 - 120)


def unsigned(good, digest, node, at):
    """What is wrong with the signature at `at` of a body, or with the body that it stands in."""
    signature, behind = good[at:at + 64], good[at + 64:]
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    spell = lambda r, s: put(good, at, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    integer = lambda raw: b"\x02" + bytes([len(raw)]) + raw
    der = integer(b"\0" + signature[:32]) + integer(signature[32:])
    yield "s in the upper half: the malleated twin", spell(r, ORDER - s)
    yield "s one above half the order", spell(r, ORDER // 2 + 1)
    yield "r is 0", spell(0, s)
    yield "s is 0", spell(r, 0)
    yield "r and s are 0", spell(0, 0)
    yield "r is the order", spell(ORDER, s)
    yield "r is one above the order", spell(ORDER + 1, s)
    yield "r is as great as can be", spell(2**256 - 1, s)
    yield "s is the order", spell(r, ORDER)
    yield "s is as great as can be", spell(r, 2**256 - 1)
    yield "r and s in each other's place", spell(s, r)
    yield "r is the x of no point", spell(5, s)
    yield "another r", spell(r ^ 1, s)
    yield "another s", spell(r, s ^ 1)
    yield "little-endian", put(good, at, signature[31::-1] + signature[:31:-1])
    yield "compact, EIP-2098", spell(r, s | 1 << 255)
    yield "of another digest", put(good, at, sign(NODE_KEY, sha256(b"another"))[:64])
    yield "of another key", put(good, at, sign(NODE_KEY + 1, digest)[:64])
    yield "another node named", put(good, node, bytes(20))
    yield "another body", put(good, 0, bytes([good[0] ^ 1]))
    for v in (0, 1, 27, 28):
        yield f"v {v} behind it", good[:at + 64] + bytes([v]) + behind
        yield f"v {v} before it", good[:at] + bytes([v]) + good[at:]
    yield "DER", good[:at] + b"\x30" + bytes([len(der)]) + der + behind
    yield "a byte too short", good[:at + 63] + behind
    yield "none", good[:at] + behind


def kind(block, node, at):
    good, digest = raw(block["body"]), raw(block["signing_digest"])
    assert good[at:at + 64] == sign(NODE_KEY, digest)[:64] and good[node:at] == raw(block["fields"]["node"])
    return {"origin": block["origin"], **cases(good, unsigned(good, digest, node, at))}


def made():
    return {"parent": kind(BLOCKS["parent"], *PARENT), "side": kind(BLOCKS["side"][1], *SIDE)}
