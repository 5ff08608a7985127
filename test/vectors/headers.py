#!/usr/bin/env python3
"""Writes headers.json: Bitcoin's first headers, and compact targets from Bitcoin Core's own tests.

The hashes are Bitcoin's published block ids; they are checked here before they are written.
"""

import hashlib
import json
import pathlib
import struct

# version, previous id, merkle root, time, bits, nonce, id; ids and roots as block explorers print them.
BLOCKS = [
    (1, "00" * 32, "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b", 1231006505, 0x1D00FFFF,
     2083236893, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
    (1, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
     "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098", 1231469665, 0x1D00FFFF, 2573394689,
     "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"),
    (1, "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048",
     "9b0fc92260312ce44e74ef369f5c66bbb85848f2eddd5a7a1cde251e54ccfdd5", 1231469744, 0x1D00FFFF, 1639830024,
     "000000006a625f06636b8bb6ac7b960a8d03705d1ace08b1a19da3fdcc99ddbd"),
]

# Bitcoin Core, src/test/arith_uint256_tests.cpp; zero where Core calls the form zero, negative or overflowing.
TARGETS = [
    (0x00000000, 0), (0x00123456, 0), (0x01003456, 0), (0x02000056, 0), (0x03000000, 0), (0x04000000, 0),
    (0x00923456, 0), (0x01803456, 0), (0x02800056, 0), (0x03800000, 0), (0x04800000, 0),
    (0x01123456, 0x12), (0x01FEDCBA, 0), (0x02123456, 0x1234), (0x03123456, 0x123456), (0x04123456, 0x12345600),
    (0x04923456, 0), (0x05009234, 0x92340000), (0x20123456, 0x123456 << 232), (0xFF123456, 0),
    (0x1D00FFFF, 0xFFFF << 208), (0x207FFFFF, 0x7FFFFF << 232), (0x2100FFFF, 0xFFFF << 240),
    (0x2101FFFF, 0), (0x220000FF, 0xFF << 248), (0x220001FF, 0), (0x23000001, 0),
]


def header(version, previous, root, time, bits, nonce):
    reverse = lambda text: bytes.fromhex(text)[::-1]
    return struct.pack("<I", version) + reverse(previous) + reverse(root) + struct.pack("<III", time, bits, nonce)


headers = []
for *fields, block_id in BLOCKS:
    raw = header(*fields)
    assert len(raw) == 80
    digest = hashlib.sha256(hashlib.sha256(raw).digest()).digest()
    assert digest[::-1].hex() == block_id, (digest[::-1].hex(), block_id)
    headers.append({"header": "0x" + raw.hex(), "hash": "0x" + digest.hex(), "id": block_id, "bits": fields[4],
                    "time": fields[3]})

made = {
    "about": "hash: bytes in internal order, as hashed; id: the same reversed, as block explorers print it",
    "headers": headers,
    "targets": [{"bits": bits, "target": f"0x{target:064x}"} for bits, target in TARGETS],
}
pathlib.Path(__file__).with_name("headers.json").write_text(json.dumps(made, indent=1) + "\n")
