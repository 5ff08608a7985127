"""Containers cut, lengthened, shuffled, and made by a node that signs and encrypts as it likes (SPEC.md §7)."""

import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from curve import ORDER, sign

from . import HEAD, NODE_KEY, PACKAGE, cases, put, raw, sha256, sha256d, spelling, text, u32
from .cbor import HEADER

CHUNK, TAG = 65_536, 16
SHARES = bytes([1]) * 32 + bytes([2]) * 32  # what package.py seals
PAYLOAD = b"age,sex\n20-39,F\n"


def beginning(header, key=NODE_KEY, domain=b"medshare/package/v1"):
    return b"MDSPKG01" + u32(len(header)) + header + sign(key, sha256d(domain + header))


def chunk(header, plain, index=0, last=1, aad=None, shares=SHARES):
    material = HKDF(SHA256(), 39, sha256(header), b"medshare/data/v1").derive(shares)
    return AESGCM(material[:32]).encrypt(material[32:] + struct.pack(">I", index) + bytes([last]), plain, aad)


def short():
    """A container of one chunk, and what a node, which can sign and encrypt as it likes, could make of it."""
    salt = bytes([9]) * 32
    fields = HEADER | {5: sha256d(salt + PAYLOAD), 6: salt, 7: len(PAYLOAD)}
    header = spelling.item(fields)
    start, only = beginning(header), chunk(header, PAYLOAD)
    good = start + only

    def resealed(changes, plain=PAYLOAD):
        changed = spelling.item(fields | changes)
        return beginning(changed) + chunk(changed, plain)

    signature = start[-65:]
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    signed = lambda other: start[:-65] + other + only
    bad = [
        *((f"ends before byte {at}", good[:at]) for at in (0, 4, 8, 12, 13, len(start) - 65, len(start) - 1, len(start),
                                                          len(start) + len(PAYLOAD), len(good) - 1)),
        ("a byte behind it", good + b"\0"),
        ("the chunk twice", good + only),
        ("an empty chunk behind it", good + chunk(header, b"", 1)),
        ("magic MDSPKG02", put(good, 0, b"MDSPKG02")),
        ("magic in lower case", put(good, 0, b"mdspkg01")),
        *((f"header length {length}", put(good, 8, u32(length)))
          for length in (0, len(header) - 1, len(header) + 1, 16_384, 16_385, 2**32 - 1)),
        ("header length, big-endian", put(good, 8, struct.pack(">I", len(header)))),
        ("a byte behind the header, signed", beginning(header + b"\0") + chunk(header + b"\0", PAYLOAD)),
        ("not the last chunk", start + chunk(header, PAYLOAD, last=0)),
        ("last chunk 2", start + chunk(header, PAYLOAD, last=2)),
        ("chunk 1 as the first", start + chunk(header, PAYLOAD, index=1)),
        ("two chunks of a half each", start + chunk(header, PAYLOAD[:8], last=0) + chunk(header, PAYLOAD[8:], index=1)),
        ("with associated data", start + chunk(header, PAYLOAD, aad=b"x")),
        ("shares in each other's place", start + chunk(header, PAYLOAD, shares=SHARES[32:] + SHARES[:32])),
        ("chunk under another header", start + chunk(header + b"\0", PAYLOAD)),
        ("payload hash of another payload", resealed({5: sha256d(salt + b"another")})),
        ("payload hash without the salt", resealed({5: sha256d(PAYLOAD)})),
        ("payload length a byte short", resealed({7: len(PAYLOAD) - 1})),
        ("payload length a byte long", resealed({7: len(PAYLOAD) + 1})),
        ("payload length of two chunks", resealed({7: CHUNK + 1})),
        ("the share sealed for the other use", resealed({19: raw(PACKAGE["package"]["sealed_custodian_share"])})),
        ("the share sealed to another requestor", resealed({4: HEADER[3]})),
        ("signed by another key", beginning(header, NODE_KEY + 1) + only),
        ("signed as another message", beginning(header, domain=b"") + only),
        ("signature: s in the upper half", signed(r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v]))),
        *((f"signature: v {wrong}", signed(signature[:64] + bytes([wrong]))) for wrong in (v - 27, 55 - v, v + 8)),
        ("signature: zeros", signed(bytes(65))),
        ("without a signature", start[:-65] + only),
    ]
    return cases(good, bad)


def long():
    """Ranges of package.json's container of two chunks."""
    begin = len(HEAD)
    length = len(PACKAGE["package"]["payload_head"]) + 1
    length += PACKAGE["package"]["payload_lines"] * (len(PACKAGE["package"]["payload_line"]) + 1)
    second, end = begin + CHUNK + TAG, begin + length + 2 * TAG
    bad = [
        ("without chunks", [[0, begin]]),
        ("the second chunk cut off", [[0, second]]),
        ("the first chunk left out", [[0, begin], [second, end]]),
        ("chunks swapped", [[0, begin], [second, end], [begin, second]]),
        ("the first chunk twice", [[0, second], [begin, second]]),
        ("the second chunk appended once more", [[0, end], [second, end]]),
        ("a chunk of zeros appended", [[0, end], text(bytes(CHUNK // 256 + TAG))]),
        ("a byte appended", [[0, end], "0x00"]),
        ("the last byte cut off", [[0, end - 1]]),
        ("the last tag cut off", [[0, end - TAG]]),
        ("a byte of the first chunk cut off", [[0, second - 1], [second, end]]),
        ("the first chunk's tag cut off", [[0, second - TAG], [second, end]]),
        ("tags swapped", [[0, second - TAG], [end - TAG, end], [second, end - TAG], [second - TAG, second]]),
        ("a byte between the chunks", [[0, second], "0x00", [second, end]]),
    ]
    return {"length": end, "refused": [{"why": why, "pieces": parts} for why, parts in bad]}


def made():
    return {"short": short(), "long": long()}
