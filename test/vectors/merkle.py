#!/usr/bin/env python3
"""Writes merkle.json: RFC 6962 roots and proofs, by the RFC's own recursive definitions (sections 2.1, 2.1.1, 2.1.2).

Leaf i is the bytes 00 01 ... i-1 (leaf 0 is empty). Shares no code with the crate that is tested against it.
"""
import hashlib
import json
import pathlib


def sha256(data):
    return hashlib.sha256(data).digest()


def split(size):
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def tree_hash(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0])
    k = split(len(leaves))
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [tree_hash(leaves[k:])]
    return path(index - k, leaves[k:]) + [tree_hash(leaves[:k])]


def subproof(old, leaves, is_whole):
    if old == len(leaves):
        return [] if is_whole else [tree_hash(leaves)]
    k = split(len(leaves))
    if old <= k:
        return subproof(old, leaves[:k], is_whole) + [tree_hash(leaves[k:])]
    return subproof(old - k, leaves[k:], False) + [tree_hash(leaves[:k])]


def texts(hashes):
    return ["0x" + one.hex() for one in hashes]


def main():
    leaves = [bytes(range(i)) for i in range(8)]
    logs = []
    for size in range(9):
        root = tree_hash(leaves[:size])
        logs.append({
            "size": size,
            "root": "0x" + root.hex(),
            "header_root": "0x" + sha256(root + size.to_bytes(8, "little")).hex(),
            "inclusion": [texts(path(i, leaves[:size])) for i in range(size)],
            "consistency": [texts(subproof(old, leaves[:size], True)) for old in range(1, size + 1)],
        })
    vectors = {
        "about": "logs of the first `size` leaves; inclusion[i]: path of leaf i; consistency[i]: proof from size i + 1",
        "leaves": ["0x" + leaf.hex() for leaf in leaves],
        "leaf_hashes": texts(sha256(b"\x00" + leaf) for leaf in leaves),
        "logs": logs,
    }
    target = pathlib.Path(__file__).with_name("merkle.json")
    target.write_text(json.dumps(vectors, indent=1) + "\n")


main()
