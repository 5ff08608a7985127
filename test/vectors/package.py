#!/usr/bin/env python3
"""Writes package.json: EIP-712 digests, a form, a certificate, a sealed report body and a whole package, made from SPEC.md.

Needs eth-account, cryptography, cbor2 and pyhpke; shares no code with the crate that is tested against it.
The keys are the well-known development keys of anvil: never use them for money.
"""
import hashlib
import json
import pathlib
import struct

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys import keys
from eth_utils import keccak
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey
from pyhpke.kem_key import KEMKeyPair

NODE_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
WALLET_KEY = bytes.fromhex("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")
VERIFIER_KEY = bytes.fromhex("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6")
CHAIN_ID = 31337
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
REQUESTOR = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
VERIFIER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
REQUESTOR_SECRET = bytes([6]) * 32
CONTRACT_SECRET = bytes([7]) * 32
SHARES = (bytes([1]) * 32, bytes([2]) * 32)
SALT = bytes([8]) * 32
CHUNK = 64 * 1024
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
TYPES = {
    "Selection": "string[] fields,string filter",
    "AccessRequest": "address requestor,address custodian,bytes32 dataset,bytes32 purpose,Selection selection,"
    "bytes32 salt,uint64 deadline",
    "Registration": "address requestor,bytes32 sealingKey,uint8 class,bytes32 credential,uint256 nonce,uint64 deadline",
    "Usage": "uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey",
    "Validation": "bytes32 package,bytes32 payloadHash,bytes32 formDigest,uint8 sensitivity,bytes32 usage,uint64 deadline",
    "Certification": "bytes32 package,bytes32 payloadHash,bytes32 content",
    "Report": "bytes32 package,uint32 number,bytes32 previous,uint8 actions,uint64 time,bytes32 body",
    "Session": "bytes32 package,address key,uint64 expiry",
    "Renewal": "bytes32 package,uint32 number,uint64 time",
    "SessionEnd": "bytes32 package,uint32 number,uint64 time",
    "OutputDecision": "bytes32 package,uint32 number,bytes32 output,bool released,string reason,uint64 time",
    "Receipt": "bytes32 package,uint32 number,bytes32 report,uint64 received,uint32 leaseSeconds",
    "Deletion": "bytes32 package,uint64 time",
    "Disclosure": "bytes32 package,uint64 deadline",
    "PeerMessage": "address sender,address recipient,bytes32 content,uint64 deadline",
}


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def address(text):
    return bytes.fromhex(text[2:])


def typed(name, message):
    domain = {"name": "MeDShare", "version": "1", "chainId": CHAIN_ID, "verifyingContract": CONTRACT}
    types = {
        each: [dict(zip(("type", "name"), field.split(" "))) for field in fields.split(",")]
        for each, fields in TYPES.items()
        if each == name or (name == "AccessRequest" and each == "Selection")
    }
    types["EIP712Domain"] = [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ]
    return encode_typed_data(
        full_message={"types": types, "primaryType": name, "domain": domain, "message": message}
    )


def digest(name, message):
    signable = typed(name, message)
    return keccak(b"\x19\x01" + signable.header + signable.body)


def hash_struct(name, message):
    return typed(name, message).body


def public(secret):
    key = X25519PrivateKey.from_private_bytes(secret).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def seal(to, info, aad, plaintext, ephemeral):
    key = KEMKey.from_pyca_cryptography_key(X25519PrivateKey.from_private_bytes(to).public_key())
    enc, context = SUITE.create_sender_context(key, info=info, eks=ephemeral_pair(ephemeral))
    return enc + context.seal(plaintext, aad=aad)


def ephemeral_pair(secret):
    private = X25519PrivateKey.from_private_bytes(secret)
    return KEMKeyPair(
        KEMKey.from_pyca_cryptography_key(private), KEMKey.from_pyca_cryptography_key(private.public_key())
    )


def text32(code):
    return code.encode().ljust(32, b"\0")


def hexed(value):
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {key: hexed(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [hexed(each) for each in value]
    return value


def main():
    dataset = keccak(b"medshare/dataset/v1" + b"hospital")
    request = {
        "requestor": REQUESTOR,
        "custodian": OWNER,
        "dataset": dataset,
        "purpose": text32("DUO:0000042"),
        "selection": {"fields": ["age", "sex"], "filter": '{"sex":["F"]}'},
        "salt": bytes([5]) * 32,
        "deadline": 1_700_000_600_000,
    }
    package = digest("AccessRequest", request)
    usage = {
        "sensitivity": 1,
        "granted": 1,
        "exempt": 0,
        "environment": 0,
        "expiry": 1_800_000_000_000,
        "contractKey": public(CONTRACT_SECRET),
    }
    payload = b"age,sex\n" + b"20-39,F\n" * 9000  # two chunks
    payload_hash = sha256d(SALT + payload)

    node = Account.from_key(NODE_KEY).address
    time = 1_700_000_000_000
    steps = [
        [time, address(node), "received", [
            ["timestamp-hash", "0x" + sha256d(struct.pack("<Q", time)).hex()],
            ["requestor-hash", "0x" + sha256d(address(REQUESTOR)).hex()],
            ["purpose", "DUO:0000042"],
        ]],
        [time + 7, address(node), "retrieved", [["timestamp-hash", "0x" + sha256d(struct.pack("<Q", time + 7)).hex()]]],
        [time + 9, address(node), "ranked", [["sensitivity", "high"]]],
    ]
    running = [sha256d(b"medshare/form/v1")]
    for step in steps:
        running.append(sha256d(running[-1] + cbor2.dumps(step)))
    form = running[-1]
    certificate = json.dumps({
        "version": 1, "package": "0x" + package.hex(), "payload_hash": "0x" + payload_hash.hex(), "time": time + 12,
        "promised_k": 5, "k": 9000, "classes": 1, "rows": 9000, "unique_share": 0.0, "identifiers": [],
        "sensitivity": "high", "reasons": ["Column `sex` has one value in all rows."],
        # In the order that a node writes them, that of their names.
        "risks": {"journalist_average": 0.0001, "journalist_highest": 0.0001, "marketer": 0.0001,
                  "prosecutor_average": 0.0001, "prosecutor_highest": 0.0001},
        "sensitive": [{"beta": 0.0, "column": "diagnosis", "delta": 0.0, "delta_present": 0.0, "distinct_l": 4,
                       "entropy_l": 3.5, "guessed": 0.375, "guessed_blindly": 0.375, "recursive_c": 0.75,
                       "t_equal": 0.0, "t_hierarchical": None, "t_ordered": 0.0, "values": 4}],
        "linkage": {"attacks": 9000, "expected": 0.0001, "successes": 1},
        "safe_harbor": [{"found": [], "letter": "A", "rule": "names",
                         "undecided": ["whether a text names somebody"], "verdict": "not-decidable"}],
    }, separators=(",", ":"))
    certification = {"package": package, "payloadHash": payload_hash, "content": sha256d(certificate.encode())}

    body = {0: "Data has been decrypted", 1: "data.csv", 2: [[0, 100]], 3: "cat"}
    output = b"sex,n\nF,9000\n"
    account = {0: "read, write of a data set", 1: "data.csv", 2: [[0, 65_536], [131_072, 131_584]], 3: "python3", 4: {0: 25, 1: 1},
               5: [["result.csv", len(output), hashlib.sha256(output).digest(), 0]]}
    held = {0: "an output of a command in the sandbox, held back", 2: [], 5: account[5], 6: bytes([4]) * 32}
    number = 1
    sealed_body = seal(CONTRACT_SECRET, b"medshare/report/v1", package + struct.pack("<I", number), cbor2.dumps(body), bytes([11]) * 32)
    report = {"package": package, "number": number, "previous": bytes(32), "actions": 0x40, "time": time, "body": sha256d(sealed_body)}

    context = package + address(REQUESTOR)
    sealed_share = seal(REQUESTOR_SECRET, b"medshare/requestor-share/v1", context, SHARES[0], bytes([12]) * 32)
    custodian_share = seal(REQUESTOR_SECRET, b"medshare/custodian-share/v1", context, SHARES[1], bytes([13]) * 32)
    header = cbor2.dumps({
        0: dataset, 1: package, 2: address(node), 3: address(OWNER), 4: address(REQUESTOR), 5: payload_hash, 6: SALT,
        7: len(payload), 8: "text/csv", 9: address(VERIFIER), 10: time + 20, 11: CHAIN_ID, 12: address(CONTRACT),
        13: 1, 14: 1, 15: 0, 16: 0, 17: usage["expiry"], 18: usage["contractKey"], 19: sealed_share,
    })
    signature = keys.PrivateKey(NODE_KEY).sign_msg_hash(sha256d(b"medshare/package/v1" + header)).to_bytes()
    signature = signature[:64] + bytes([signature[64] + 27])
    material = HKDF(SHA256(), 39, hashlib.sha256(header).digest(), b"medshare/data/v1").derive(SHARES[0] + SHARES[1])
    chunks = [payload[at:at + CHUNK] for at in range(0, len(payload), CHUNK)]
    container = b"MDSPKG01" + struct.pack("<I", len(header)) + header + signature
    for index, chunk in enumerate(chunks):
        nonce = material[32:] + struct.pack(">I", index) + bytes([index == len(chunks) - 1])
        container += AESGCM(material[:32]).encrypt(nonce, chunk, None)

    messages = {
        "Report": report,
        "Certification": certification,
        "Deletion": {"package": package, "time": time},
        "Disclosure": {"package": package, "deadline": time},
        "Session": {"package": package, "key": OWNER, "expiry": time},
        "Renewal": {"package": package, "number": 1, "time": time},
        "SessionEnd": {"package": package, "number": 1, "time": time},
        "OutputDecision": {"package": package, "number": 2, "output": bytes([4]) * 32, "released": False, "reason": "too few persons in a cell", "time": time},
        "Receipt": {"package": package, "number": 1, "report": digest("Report", report), "received": time, "leaseSeconds": 60},
        "PeerMessage": {"sender": OWNER, "recipient": REQUESTOR, "content": bytes(32), "deadline": time},
        "Registration": {"requestor": REQUESTOR, "sealingKey": public(REQUESTOR_SECRET), "class": 2, "credential": bytes([3]) * 32, "nonce": 0, "deadline": time},
        "Validation": {"package": package, "payloadHash": payload_hash, "formDigest": form, "sensitivity": 1, "usage": hash_struct("Usage", usage), "deadline": time},
    }
    vector = {
        "about": "payload = (payload_head, then payload_line so many times), each with a line feed behind it; `chunks` are "
        "the sha256 of each chunk's ciphertext and tag; secrets are X25519's 32 bytes; "
        "`report` is number 1 of this package, `account` and `held` the bodies of later ones; `running` are the form's digests before the first step and after each; "
        "`key_and_prefix` is the AES-256 key and the nonce prefix",
        "chain_id": CHAIN_ID,
        "contract": CONTRACT,
        "domain_separator": typed("AccessRequest", request).header,
        "node_key": NODE_KEY,
        "messages": messages,
        "digests": {
            "AccessRequest": package,
            "Usage (hashStruct)": hash_struct("Usage", usage),
            **{name: digest(name, message) for name, message in messages.items()},
        },
        "request": {**request, "signature": Account.sign_message(typed("AccessRequest", request), WALLET_KEY).signature},
        "usage": usage,
        "form": {"steps": [cbor2.dumps(step) for step in steps], "running": running, "digest": form},
        "certificate": {
            "second_node": VERIFIER,
            "text": certificate,
            "signature": Account.sign_message(typed("Certification", certification), VERIFIER_KEY).signature,
        },
        "report": {
            "body": cbor2.dumps(body),
            "sealed_body": sealed_body,
            "contract_secret": CONTRACT_SECRET,
            "comment": body[0],
            "account": cbor2.dumps(account),
            "held": cbor2.dumps(held),
            "receipt_signature": Account.sign_message(typed("Receipt", messages["Receipt"]), NODE_KEY).signature,
        },
        "package": {
            "requestor_secret": REQUESTOR_SECRET,
            "sealed_custodian_share": custodian_share,
            "shares": SHARES,
            "key_and_prefix": material,
            "header_sha256": hashlib.sha256(header).digest(),
            "container_head": container[: 12 + len(header) + 65],
            "container_hash": sha256d(container),
            "payload_head": "age,sex",
            "payload_line": "20-39,F",
            "payload_lines": 9000,
            "payload_hash": payload_hash,
            "chunks": [hashlib.sha256(container[at:at + CHUNK + 16]).digest() for at in range(12 + len(header) + 65, len(container), CHUNK + 16)],
        },
    }
    path = pathlib.Path(__file__).with_name("package.json")
    path.write_text(json.dumps(hexed(vector), indent=2) + "\n")


if __name__ == "__main__":
    main()
