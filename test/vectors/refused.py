#!/usr/bin/env python3
"""Writes refused.json: what every implementation MUST refuse, with the reason, beside what it was made of.

Made out of blocks.json, merkle.json and package.json with SPEC.md in hand; shares no code with the crate that is tested
against it. A case is made of the good bytes: a list of [from, to) ranges of them and of literal bytes, joined.
Needs cbor2, cryptography, eth-utils and rlp.
"""

import json
import pathlib

from refusals import bodies, cbor, certificates, containers, headers, logs, records, signatures, tries


def main():
    made = {
        "about": "pieces: [from, to) of the good bytes, or bytes; `long` is package.json's container; counts: of a segment "
        "that comes with the good entries; keys and shares of the containers are package.json's",
        "signatures": signatures.made(),
        "bodies": bodies.made(),
        "headers": headers.made(),
        "targets": headers.targets(),
        "entries": headers.entries(),
        "logs": logs.made(),
        "records": records.made(),
        "cbor": cbor.made(),
        "certificate": certificates.made(),
        "container": containers.made(),
        "trie": tries.made(),
    }
    pathlib.Path(__file__).with_name("refused.json").write_text(dump(made) + "\n")


def dump(value, depth=0):
    """One case a line."""
    if depth == 4 or not isinstance(value, (dict, list)) or not value or "why" in value:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        (opening, closing), inner = "{}", [f"{json.dumps(key)}: {dump(each, depth + 1)}" for key, each in value.items()]
    else:
        (opening, closing), inner = "[]", [dump(each, depth + 1) for each in value]
    indent = "\n" + " " * depth
    return f"{opening}{indent} " + f",{indent} ".join(inner) + f"{indent}{closing}"


if __name__ == "__main__":
    main()
