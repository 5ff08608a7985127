"""Blocks (§1.4 to §1.6): the vectors, and what a reader must refuse."""

import contextlib
import itertools
from dataclasses import replace

import pytest
from coincurve import PrivateKey

from conftest import unhexed, vectors
from medshare_independent.block import (
    ParentBody, SideBody, decode_record, encode_record, side_id, signed, thread_origin)
from medshare_independent.chain import Chain
from medshare_independent.codec import Refused, decode_purpose, encode_purpose
from medshare_independent.header import Entry, Header, target
from medshare_independent.signature import ORDER, address

Kind = type[ParentBody] | type[SideBody]
BLOCKS = unhexed(vectors("blocks"))
PARENT, SIDES = BLOCKS["parent"], BLOCKS["side"]
ALL = [(ParentBody, PARENT, None)] + [(SideBody, side, PARENT["id"]) for side in SIDES]


@pytest.mark.parametrize("kind, vector, parent", ALL)
def test_block(kind: Kind, vector: dict, parent: bytes | None) -> None:
    fields, header = vector["fields"], Header.decode(vector["header"])
    version = fields["version"]
    values = {name: value for name, value in fields.items() if name != "version"}
    if kind is ParentBody:
        values["purpose"] = encode_purpose(values["purpose"])
        assert decode_purpose(values["purpose"]) == fields["purpose"]
    key = PrivateKey(BLOCKS["node_key"])
    body = signed(kind(**values, signature=b""), key, vector["origin"])
    assert address(key.public_key) == fields["node"]
    assert body.digest(vector["origin"]) == vector["signing_digest"]
    assert body.encode() == vector["body"] and kind.decode(vector["body"]) == body
    assert body.leaf() == vector["leaf"] and body.is_signed(vector["origin"])
    assert header.version == version and header.hash() == vector["header_hash"] and header.mined() == header
    assert Entry.of(header, vector["leaf"]) == Entry.decode(vector["entry"])
    assert Entry.decode(vector["entry"]).header(header.previous) == header
    own = header.hash() if parent is None else side_id(parent, header.hash())
    assert own == vector["id"] and encode_record(vector["body"], header, kind.MAGIC, own) == vector["record"]
    assert decode_record(vector["record"], parent) == (header, body)


def test_chains_of_the_vectors() -> None:
    """The three blocks are two sound chains; the side-chain's origin is the parent block's leaf hash."""
    fields, nodes = PARENT["fields"], {PARENT["fields"]["node"]}
    assert thread_origin(BLOCKS["chain_id"], BLOCKS["contract"], fields["requestor"]) == PARENT["origin"]
    thread = Chain(PARENT["origin"], fields["requestor"])
    side = Chain(PARENT["leaf"], fields["package"], PARENT["id"])
    for chain, vector in [(thread, PARENT), (side, SIDES[0]), (side, SIDES[1])]:
        faults, _, body = chain.append(Entry.decode(vector["entry"]), vector["record"], target(0x1F0FFFFF), nodes)
        assert faults == [] and body is not None


@pytest.mark.parametrize("kind, vector, parent", ALL[:2])
def test_every_bit_of_a_record_counts(kind: Kind, vector: dict, parent: bytes | None) -> None:
    """Each bit of a record, flipped, is refused by the reader or is in the body, where the leaf hash is its guard."""
    record, entry = vector["record"], Entry.decode(vector["entry"])
    subject = vector["fields"]["requestor" if parent is None else "package"]
    for position, bit in itertools.product(range(len(record)), range(8)):
        flipped = bytearray(record)
        flipped[position] ^= 1 << bit
        chain = Chain(vector["origin"], subject, parent)
        assert chain.append(entry, bytes(flipped), 1 << 256, {vector["fields"]["node"]})[0]
        if position < 120:
            with pytest.raises(Refused):
                decode_record(bytes(flipped), parent)


@pytest.mark.parametrize("kind, vector, parent", ALL[:2])
def test_every_bit_of_a_body_is_signed(kind: Kind, vector: dict, parent: bytes | None) -> None:
    body = vector["body"]
    for position, bit in itertools.product(range(len(body)), range(8)):
        flipped = bytearray(body)
        flipped[position] ^= 1 << bit
        with contextlib.suppress(Refused):
            assert not kind.decode(bytes(flipped)).is_signed(vector["origin"])
    assert not kind.decode(body).is_signed(bytes(32))


@pytest.mark.parametrize("kind, vector, parent", ALL)
def test_malleable_signature(kind: Kind, vector: dict, parent: bytes | None) -> None:
    """The same key's other signature, with high s: the body is well-formed, and not signed (§1.6)."""
    body = kind.decode(vector["body"])
    r, s = body.signature[:32], int.from_bytes(body.signature[32:])
    for other in (ORDER - s, 0, ORDER, s + 1):
        spoiled = replace(body, signature=r + other.to_bytes(32))
        assert kind.decode(spoiled.encode()) == spoiled and not spoiled.is_signed(vector["origin"])


@pytest.mark.parametrize("kind, vector, parent", ALL)
def test_record_length(kind: Kind, vector: dict, parent: bytes | None) -> None:
    record = vector["record"]
    wrong = [record[:size] for size in range(len(record))] + [record + b"\0", record + record, b"\0" + record]
    for raw in wrong:
        with pytest.raises(Refused):
            decode_record(raw, parent)
    with pytest.raises(Refused):
        decode_record(record, None if parent else PARENT["id"])
    for raw in (vector["body"][:-1], vector["body"] + b"\0"):
        with pytest.raises(Refused):
            kind.decode(raw)


def test_violations_reported_exactly() -> None:
    """Of all 65,536 pairs of bitmaps: something is reported, and what violated is a subset of it."""
    body = SideBody.decode(SIDES[0]["body"])
    for reported, violated in itertools.product(range(256), range(256)):
        valid = reported != 0 and violated & ~reported == 0
        raw = replace(body, reported=reported, violated=violated, action_counter=violated.bit_count()).encode()
        try:
            SideBody.decode(raw)
            assert valid
        except Refused:
            assert not valid


@pytest.mark.parametrize("purpose", [b"", b"\0A", b"A\0B", b"A B", b"A\n", "ä".encode(), b"A" * 33, b"A/B"])
def test_purpose(purpose: bytes) -> None:
    with pytest.raises(Refused):
        decode_purpose(purpose.ljust(32, b"\0"))
