#!/usr/bin/env python3
"""Writes seeds: what the decoders are meant to take, and what they are meant to refuse, out of test/vectors.

Usage: seeds.py FOLDER; then least.py chooses among them.
"""

import hashlib
import json
import pathlib
import sys

VECTORS = pathlib.Path(__file__).parent.parent / "test/vectors"


def read(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def raw(text):
    return bytes.fromhex(text[2:])


BLOCKS, PACKAGE, REFUSED, MERKLE = map(read, ("blocks", "package", "refused", "merkle"))
ALL_BLOCKS = [BLOCKS["parent"], *BLOCKS["side"]]


def bad(section):
    """The good bytes and the refused ones of a section of refused.json."""
    good = raw(section["good"])
    yield good
    for case in section["refused"]:
        yield b"".join(raw(piece) if isinstance(piece, str) else good[slice(*piece)] for piece in case["pieces"])


def header():
    yield from (raw(each["header"]) for each in read("headers")["headers"])
    yield from (raw(each["header"]) for each in REFUSED["headers"]["refused"])
    yield from (bytes(72) + target["bits"].to_bytes(4, "little") + bytes(4) for target in read("headers")["targets"])
    yield from (raw(each["entry"]) for each in ALL_BLOCKS)
    yield raw(REFUSED["entries"]["good"])


def record():
    yield from (raw(each[part]) for each in ALL_BLOCKS for part in ("record", "body"))
    for kind in ("parent", "side"):
        yield from bad(REFUSED["records"][kind])


def package_header():
    head = raw(PACKAGE["package"]["container_head"])
    yield from (head, head[12:-65])
    yield from bad(REFUSED["cbor"]["package_header"])
    yield from bad(REFUSED["container"]["short"])


def report():
    yield raw(PACKAGE["report"]["sealed_body"])
    yield raw(PACKAGE["report"]["account"])
    yield from bad(REFUSED["cbor"]["report_body"])


def cbor():
    yield from map(raw, PACKAGE["form"]["steps"])
    yield from bad(REFUSED["cbor"]["form_step"])
    yield from report()


def spelled(hashes):
    return b"".join(b"\xf0" + raw(each) for each in hashes)


def claimed(log, claim):
    leaves = log["leaves"]
    place = bytes([0, len(leaves) - 1, claim["index"], claim["size"], leaves.index(claim["leaf"])])
    return place + spelled(claim["proof"])


def proof():
    """See src/checks/proof.rs: kind, size − 1, index or old size, size or nothing, leaf or old size; hashes."""
    for log in MERKLE["logs"][1:]:
        size = log["size"]
        for index, path in enumerate(log["inclusion"]):
            yield bytes([0, size - 1, index, size, index]) + spelled(path)
        for old, grown in enumerate(log["consistency"][:-1], 1):
            yield bytes([1, size - 1, old, 0, old]) + spelled(grown)
    for log in REFUSED["logs"]:
        for claim in log["inclusion"]:
            if claim["index"] < 256 and claim["size"] < 256 and claim["leaf"] in log["leaves"]:
                yield claimed(log, claim)


def telling(target):
    """What reaches no other code than its neighbours, and tells a right decoder from a wrong one: least.py keeps it."""
    if target is package_header:
        cases = REFUSED["cbor"]["package_header"]
        yield from bad(cases | {"refused": [case for case in cases["refused"] if case["why"].startswith("key 7: a")]})
    if target is proof:
        log = REFUSED["logs"][0]
        for claim in log["inclusion"]:
            if "for index" in claim["why"] and claim["index"] < 3:
                yield claimed(log, claim)
        # The third leaf does make the whole log out of the first two, but not out of the first one.
        yield bytes([1, 2, 1, 0, 2]) + spelled(log["leaves"][2:])


def main(folder):
    for target in (header, record, package_header, report, cbor, proof):
        into = pathlib.Path(folder) / target.__name__
        into.mkdir(parents=True, exist_ok=True)
        for seed in target():
            (into / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
        for seed in telling(target):
            (into / f"telling-{hashlib.sha1(seed).hexdigest()}").write_bytes(seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
