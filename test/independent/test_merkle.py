"""The Merkle log (§2): the vectors, spoiled proofs, and what other trees get wrong."""

from collections.abc import Iterator

import pytest

from conftest import unhexed, vectors
from medshare_independent.codec import sha256
from medshare_independent.merkle import Log, leaf_hash, node_hash, verify_consistency, verify_inclusion

MERKLE = unhexed(vectors("merkle"))
LEAVES = MERKLE["leaf_hashes"]


def test_leaf_hashes() -> None:
    assert [leaf_hash(leaf) for leaf in MERKLE["leaves"]] == LEAVES


@pytest.mark.parametrize("vector", MERKLE["logs"], ids=lambda vector: vector["size"])
def test_log(vector: dict) -> None:
    size, root = vector["size"], vector["root"]
    log = Log()
    for leaf in LEAVES[:size]:
        log.append(leaf)
    assert (log.size, log.root(), log.header_root()) == (size, root, vector["header_root"])
    assert len(vector["inclusion"]) == len(vector["consistency"]) == size
    for index, path in enumerate(vector["inclusion"]):
        assert verify_inclusion(LEAVES[index], index, size, path, root)
        assert not any(verify_inclusion(LEAVES[index], other, size, path, root) for other in {*range(-1, 9)} - {index})
        for wrong in spoiled(path):
            assert not verify_inclusion(LEAVES[index], index, size, wrong, root)
    for index, proof in enumerate(vector["consistency"]):
        first = MERKLE["logs"][index + 1]["root"]
        assert verify_consistency(index + 1, first, size, root, proof)
        assert not verify_consistency(index + 1, bytes(32), size, root, proof)
        assert not verify_consistency(index + 1, first, size, bytes(32), proof)
        for wrong in spoiled(proof):
            assert not verify_consistency(index + 1, first, size, root, wrong)
    assert verify_consistency(0, sha256(b""), size, root, [])
    assert not verify_consistency(0, sha256(b""), size, root, [bytes(32)])
    assert not verify_consistency(0, bytes(32), size, root, [])
    assert not verify_consistency(size + 1, root, size, root, [])


def spoiled(proof: list[bytes]) -> Iterator[list[bytes]]:
    """Truncated, over-long, and with one hash changed."""
    yield [*proof, bytes(32)]
    yield [bytes(32), *proof]
    for index in range(len(proof)):
        yield proof[:index] + proof[index + 1:]
        yield proof[:index] + [bytes(32)] + proof[index + 1:]


def test_growing_log_is_the_recursive_definition() -> None:
    """RFC 6962 §2.1, word for word, against the log that keeps only its peaks."""

    def mth(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return leaves[0]
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return node_hash(mth(leaves[:split]), mth(leaves[split:]))

    log, leaves = Log(), [leaf_hash(bytes([number])) for number in range(130)]
    for size, leaf in enumerate(leaves, 1):
        log.append(leaf)
        assert log.root() == mth(leaves[:size])


def test_duplicated_leaves_change_the_root() -> None:
    """CVE-2012-2459: where Bitcoin repeats the last leaf of an odd level, two lists have one root."""
    roots = set()
    lists = [LEAVES[:size] + LEAVES[size - tail:size] for size in range(1, 9) for tail in range(size + 1)]
    for leaves in lists:
        log = Log()
        for leaf in leaves:
            log.append(leaf)
        roots.add(log.root())
    assert len(roots) == len(lists)


def test_size_is_pinned() -> None:
    """§2: MTH of two leaves is a root of one leaf, if that could be a node; the header root is another."""
    two, one = Log(), Log()
    two.append(LEAVES[0])
    two.append(LEAVES[1])
    one.append(node_hash(LEAVES[0], LEAVES[1]))
    assert two.root() == one.root() and two.header_root() != one.header_root()
