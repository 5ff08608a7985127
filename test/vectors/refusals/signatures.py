"""Signatures of another form than SPEC.md §4 has; those of blocks are in bodies.py."""

from curve import ORDER, sign

from . import BLOCKS, NODE_KEY, sha256, text


def made():
    digests = (sha256(b"medshare/refused" + bytes([each])) for each in range(99))
    # With v 28, so that the compact form is another one than that without v.
    digest, good = next((digest, good) for digest in digests if (good := sign(NODE_KEY, digest))[64] == 28)
    (r, s), v = (int.from_bytes(half, "big") for half in (good[:32], good[32:64])), good[64]
    spell = lambda r, s, v: r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])
    other = 55 - v
    integer = lambda raw: b"\x02" + bytes([len(raw)]) + raw
    der = integer(b"\0" + good[:32]) + integer(good[32:64])
    bad = [
        ("s in the upper half, v flipped: the malleated twin", spell(r, ORDER - s, other)),
        ("s in the upper half", spell(r, ORDER - s, v)),
        ("s one above half the order", spell(r, ORDER // 2 + 1, v)),
        ("v flipped: another account's", spell(r, s, other)),
        *((f"v {wrong}", spell(r, s, wrong)) for wrong in (0, 1, 2, 26, 29, 30, 35, 36, 37, 38, 128, 255)),
        ("r is 0", spell(0, s, v)),
        ("s is 0", spell(r, 0, v)),
        ("r and s are 0", spell(0, 0, v)),
        ("r is the order", spell(ORDER, s, v)),
        ("r is one above the order", spell(ORDER + 1, s, v)),
        ("r is as great as can be", spell(2**256 - 1, s, v)),
        ("s is the order", spell(r, ORDER, v)),
        ("s is as great as can be", spell(r, 2**256 - 1, v)),
        ("r and s in each other's place", spell(s, r, v)),
        ("r is the x of no point", spell(5, s, v)),
        ("little-endian", good[31::-1] + good[63:31:-1] + good[64:]),
        ("v first", good[64:] + good[:64]),
        ("compact, EIP-2098", spell(r, s | (v - 27) << 255, 0)[:64]),
        ("without v", good[:64]),
        ("a byte behind it", good + b"\0"),
        ("a byte before it", b"\0" + good),
        ("DER", b"\x30" + bytes([len(der)]) + der),
        ("nothing", b""),
        ("65 zeros", bytes(65)),
        ("of another digest", sign(NODE_KEY, sha256(b"another"))),
        ("of another key", sign(NODE_KEY + 1, digest)),
    ]
    return {
        "account": BLOCKS["parent"]["fields"]["node"],
        "digest": text(digest),
        "good": text(good),
        "refused": [{"signature": text(each), "why": why} for why, each in bad],
    }
