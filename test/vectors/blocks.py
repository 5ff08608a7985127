#!/usr/bin/env python3
"""Writes blocks.json: a thread of one parent block and its side-chain of two, made with fixed keys.

Straight from SPEC.md with nothing but hashlib and curve.py, the textbook form of secp256k1; shares no code with the
crate that is tested against it. The keys are the well-known development keys of anvil: never use them for money.
"""
import hashlib
import json
import pathlib
import struct

from curve import GENERATOR, sign, times

NODE_KEY = 0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80
NODE = bytes.fromhex("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
CHAIN_ID = 31337
CONTRACT = bytes.fromhex("5FbDB2315678afecb367f032d93F642f64180aa3")
OWNER = bytes.fromhex("70997970C51812dc3A010C7d01b50e0d17dc79C8")
REQUESTOR = bytes.fromhex("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
VERIFIER = bytes.fromhex("90F79bf6EB2c4f870365E785982E1f101E93b906")
BITS = 0x1F0FFFFF
TARGET = 0x0FFFFF << (8 * (0x1F - 3))


def sha256(data):
    return hashlib.sha256(data).digest()


def sha256d(data):
    return sha256(sha256(data))


def tree_hash(leaves):
    if len(leaves) == 1:
        return leaves[0]
    power = 1
    while power * 2 < len(leaves):
        power *= 2
    return sha256(b"\x01" + tree_hash(leaves[:power]) + tree_hash(leaves[power:]))


def mine(version, previous, leaves, time):
    root = sha256(tree_hash(leaves) + struct.pack("<Q", len(leaves)))
    front = struct.pack("<I", version) + previous + root + struct.pack("<II", time, BITS)
    for number in range(2**32):
        header = front + struct.pack("<I", number)
        if int.from_bytes(sha256d(header), "little") <= TARGET:
            return header
    raise SystemExit("no nonce fits")


def seal(domain, origin, counter, unsigned, locktime):
    counter, locktime = struct.pack("<I", counter), struct.pack("<Q", locktime)
    digest = sha256d(domain + origin + counter + unsigned + locktime)
    return digest, counter + unsigned + sign(NODE_KEY, digest)[:64] + locktime


def text(data):
    return "0x" + data.hex()


def block(magic, block_id, header, body, origin, digest, fields):
    record = magic + block_id + struct.pack("<I", len(header + body)) + header + body
    return {
        "fields": fields,
        "origin": text(origin),
        "signing_digest": text(digest),
        "body": text(body),
        "leaf": text(sha256(b"\x00" + body)),
        "header": text(header),
        "header_hash": text(sha256d(header)),
        "entry": text(header[:4] + header[36:] + sha256(b"\x00" + body)),
        "id": text(block_id),
        "record": text(record),
    }


def parent_block(package):
    fields = {
        "received": 1700000000123, "processing_ms": 87, "sent": 1700000000345,
        "owner": text(OWNER), "requestor": text(REQUESTOR), "sensitivity": 1, "purpose": "DUO:0000042",
        "dataset": text(b"\xd1" * 32), "package": text(package), "payload_hash": text(b"\xa2" * 32),
        "container_hash": text(b"\xc3" * 32), "form_digest": text(b"\xf4" * 32), "verifier": text(VERIFIER),
        "node": text(NODE), "action_counter": 5, "locktime": 1700000000400, "version": 0x00010001,
    }
    unsigned = struct.pack("<QQQ", fields["received"], fields["processing_ms"], fields["sent"])
    unsigned += OWNER + REQUESTOR + bytes([1]) + fields["purpose"].encode().ljust(32, b"\0")
    unsigned += b"\xd1" * 32 + package + b"\xa2" * 32 + b"\xc3" * 32 + b"\xf4" * 32 + VERIFIER + NODE
    origin = sha256d(b"medshare/thread/v1" + CHAIN_ID.to_bytes(8, "big") + CONTRACT + REQUESTOR)
    digest, body = seal(b"medshare/parent/v1", origin, fields["action_counter"], unsigned, fields["locktime"])
    header = mine(fields["version"], origin, [sha256(b"\x00" + body)], 1700000000)
    return block(b"MDSP", sha256d(header), header, body, origin, digest, fields)


def side_block(parent, earlier, number, reported, violated):
    package = bytes.fromhex(parent["fields"]["package"][2:])
    origin = bytes.fromhex(parent["leaf"][2:])
    fields = {
        "time": 1700000001000 + number, "owner": text(OWNER), "requestor": text(REQUESTOR),
        "reported": reported, "violated": violated, "package": text(package), "number": number,
        "report": text(bytes([0xE0 + number]) * 32), "sealed_report": text(bytes([0xB0 + number]) * 32),
        "node": text(NODE), "action_counter": violated.bit_count(), "locktime": 1700000001500 + number,
        "version": number,
    }
    unsigned = struct.pack("<Q", fields["time"]) + OWNER + REQUESTOR + bytes([reported, violated]) + package
    unsigned += struct.pack("<I", number) + bytes([0xE0 + number]) * 32 + bytes([0xB0 + number]) * 32 + NODE
    digest, body = seal(b"medshare/side/v1", origin, fields["action_counter"], unsigned, fields["locktime"])
    leaves = [bytes.fromhex(one["leaf"][2:]) for one in earlier] + [sha256(b"\x00" + body)]
    previous = bytes.fromhex(earlier[-1]["header_hash"][2:]) if earlier else origin
    header = mine(number, previous, leaves, 1700000001)
    block_id = bytes.fromhex(parent["id"][2:])[:16] + sha256d(header)[:16]
    return block(b"MDSS", block_id, header, body, origin, digest, fields)


def main():
    public = times(NODE_KEY, GENERATOR)
    assert public[0] == 0x8318535B54105D4A7AAE60C08FC45F9687181B4FDFC625BD1A753FA7397FED75
    parent = parent_block(b"\x7a" * 32)
    opened = side_block(parent, [], 1, 0x40, 0)
    copied = side_block(parent, [opened], 2, 0x21, 0x20)
    vectors = {
        "about": "integers in `fields` as numbers, bytes in hex; bitmaps as in SPEC.md; node key: anvil's first",
        "chain_id": CHAIN_ID,
        "contract": text(CONTRACT),
        "node_key": f"0x{NODE_KEY:064x}",
        "parent": parent,
        "side": [opened, copied],
    }
    target = pathlib.Path(__file__).with_name("blocks.json")
    target.write_text(json.dumps(vectors, indent=1) + "\n")


main()
