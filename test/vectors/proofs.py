#!/usr/bin/env python3
"""Writes proofs.json: a proof that a block is in a chain, one that the chain grew, and what slots of the contract held.

Taken out of evidence.zip by SPEC.md §2.1 and §9.2; what is proven about them is the readers' to find out. Needs nothing but Python.
"""

import hashlib
import json
import pathlib
import zipfile

HERE = pathlib.Path(__file__)


def part(name):
    with zipfile.ZipFile(HERE.with_name("evidence.zip")) as bundle:
        return json.loads(bundle.read(f"{name}.json"))


def main():
    subject, proofs, blocks, contract = map(part, ("evidence", "proofs", "blocks", "contract"))
    second = proofs["sides"][1]
    # The record has 40 bytes before its header, and the log of one leaf has that leaf as its root.
    first_header = "0x" + blocks["sides"][0][2 + 80:2 + 240]
    leaves = [proof["leaf"] for proof in proofs["sides"]]
    growth = {
        "chain": second["chain"],
        "old": {"size": 1, "root": leaves[0], "header": first_header},
        "new": second["end"],
        "path": leaves[1:],
    }
    made = {
        "about": "of the package in evidence.zip: heads are the hashes of the headers; slots are in the order of contract.json",
        "chain_id": subject["chain_id"],
        "contract": subject["contract"],
        "package": subject["package"],
        "heads": {"1": head(first_header), "3": head(second["end"]["header"])},
        "inclusion": {"proof": "inclusion", **second},
        "growth": {"proof": "growth", **growth},
        "slots": [{name: each[name] for name in ("slot", "value")} for each in contract["storage"]],
    }
    HERE.with_suffix(".json").write_text(json.dumps(made, indent=1) + "\n")


def head(header):
    return "0x" + hashlib.sha256(hashlib.sha256(bytes.fromhex(header[2:])).digest()).hexdigest()


if __name__ == "__main__":
    main()
