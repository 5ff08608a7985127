"""Proofs that prove nothing; leaves doubled as in CVE-2012-2459 (SPEC.md §2)."""

from . import raw, read, sha256, sha256d, text


def node(left, right):
    return sha256(b"\x01" + left + right)


def tree(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(tree(leaves[:split]), tree(leaves[split:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return path(index, leaves[:split]) + [tree(leaves[split:])]
    return path(index - split, leaves[split:]) + [tree(leaves[:split])]


def header_root(root, size):
    return sha256(root + size.to_bytes(8, "little"))


def as_bitcoin_has_it(leaves):
    """Bitcoin's tree: the last hash of an odd level is paired with itself."""
    while len(leaves) > 1:
        leaves = leaves + leaves[-1:] if len(leaves) % 2 else leaves
        leaves = [sha256d(left + right) for left, right in zip(leaves[::2], leaves[1::2])]
    return leaves[0]


def claim(why, root, size, index, leaf, proof):
    return {"index": index, "leaf": text(leaf), "proof": list(map(text, proof)), "root": text(root), "size": size, "why": why}


def of_the_doubled(leaves, doubled):
    """What the doubled log proves, against the header of the other."""
    root, size, other = tree(leaves), len(leaves), tree(doubled)
    for index, leaf in enumerate(doubled):
        proof = path(index, doubled)
        yield claim(f"leaf {index} of the doubled log, with its root and size", other, len(doubled), index, leaf, proof)
        yield claim(f"leaf {index} of the doubled log, with its size", root, len(doubled), index, leaf, proof)
        yield claim(f"leaf {index} of the doubled log, with its root", other, size, index, leaf, proof)


def spoiled(leaves):
    """Right leaves with wrong proofs, places or sizes, and what is no leaf."""
    root, size = tree(leaves), len(leaves)
    for index, leaf in enumerate(leaves):
        proof = path(index, leaves)
        yield claim(f"proof {index}, too long", root, size, index, leaf, [*proof, bytes(32)])
        yield claim(f"proof {index}, too long at its beginning", root, size, index, leaf, [bytes(32), *proof])
        yield claim(f"proof {index}, doubled", root, size, index, leaf, [*proof, *proof])
        yield claim(f"proof {index}, too short", root, size, index, leaf, proof[:-1])
        yield claim(f"proof {index}, too short at its beginning", root, size, index, leaf, proof[1:])
        if proof[::-1] != proof:
            yield claim(f"proof {index}, upside down", root, size, index, leaf, proof[::-1])
        yield claim(f"proof {index}, of another leaf", root, size, index, leaves[index - 1], proof)
        for wrong in sorted({*range(size + 2), 1 << 32} - {index}):
            yield claim(f"proof {index}, for index {wrong}", root, size, wrong, leaf, proof)
        for wrong in sorted({0, 1, size - 1, size + 1, 2 * size, 1 << 32} - {size}):
            yield claim(f"proof {index}, for size {wrong}", root, wrong, index, leaf, proof)
    yield claim("65 hashes", root, size, 0, leaves[0], [bytes(32)] * 65)
    split = 1 << (size - 1).bit_length() - 1
    inner, rest = tree(leaves[:split]), tree(leaves[split:])
    assert node(inner, rest) == root
    yield claim("an inner node for a leaf, of a log of two", root, 2, 0, inner, [rest])
    yield claim("an inner node for a leaf", root, size, 0, inner, [rest])
    yield claim("the root for a leaf, of a log of one", root, 1, 0, root, [])


def growth(why, old, old_root, new, new_root, proof):
    return {"new_root": text(new_root), "new_size": new, "old_root": text(old_root), "old_size": old,
            "proof": list(map(text, proof)), "why": why}


def consistency(leaves, doubled):
    size, root, more, other = len(leaves), tree(leaves), len(doubled), tree(doubled)
    right = next(each["consistency"][size - 1] for each in read("merkle")["logs"] if each["size"] == more)
    zero = bytes(32)
    yield growth("no proof", size, root, more, other, [])
    yield growth("another log's proof", size, root, more, other, list(map(raw, right)))
    yield growth("the same root for a greater size", size, root, more, root, [])
    yield growth("another root for the same size", size, root, size, other, [])
    yield growth("a proof where none is due", size, root, size, root, [zero])
    yield growth("shrunk", more, other, size, root, [])
    yield growth("shrunk to nothing", size, root, 0, sha256(b""), [])
    yield growth("from nothing, with another root", 0, zero, size, root, [])
    yield growth("from nothing, with a proof", 0, sha256(b""), size, root, [zero])
    yield growth("nothing with two roots", 0, sha256(b""), 0, root, [])


def made():
    leaves = list(map(raw, read("merkle")["leaf_hashes"]))
    found = []
    for size, tail in ((3, 1), (6, 2), (7, 1)):
        log, doubled = leaves[:size], leaves[:size] + leaves[size - tail:size]
        assert as_bitcoin_has_it(log) == as_bitcoin_has_it(doubled) and tree(log) != tree(doubled)
        found.append({
            "leaves": list(map(text, log)),
            "doubled": list(map(text, doubled)),
            "root": text(tree(log)),
            "header_root": text(header_root(tree(log), size)),
            "doubled_root": text(tree(doubled)),
            "doubled_header_root": text(header_root(tree(doubled), len(doubled))),
            "proofs": [list(map(text, path(index, log))) for index in range(size)],
            "inclusion": [*of_the_doubled(log, doubled), *(spoiled(log) if size == 3 else ())],
            "consistency": list(consistency(log, doubled)),
        })
    return found
