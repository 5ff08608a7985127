"""Builds small ledger exports with fresh node keys, for the tests; every block can be made wrong on purpose."""

import io
import json
import os
from dataclasses import replace
from typing import Any

from coincurve import PrivateKey

from medshare_independent.block import ParentBody, SideBody, encode_record, side_id, signed, thread_origin
from medshare_independent.chain import Fault
from medshare_independent.codec import encode_purpose
from medshare_independent.header import Entry, Header
from medshare_independent.ledger import Ledger
from medshare_independent.merkle import Log
from medshare_independent.signature import address
from medshare_independent.typed import request_digest
from medshare_independent.usage import Usage

CHAIN_ID, CONTRACT, EASY = 31337, bytes([0x5F]) * 20, 0x207FFFFF
HOSPITAL, CLINIC = bytes([0xAA]) * 20, bytes([0xBB]) * 20
ALICE, BOB = bytes([0xA1]) * 20, bytes([0xB0]) * 20
KEYS = [PrivateKey(os.urandom(32)) for _ in range(4)]
NODES = [address(key.public_key) for key in KEYS]  # two of the hospital, one of the clinic, one of nobody
USAGE = Usage(1, 0b000001, 0, 0, 1_800_000_000_000, bytes(range(32)))


def text(value: Any) -> Any:
    """Bytes as an export writes them, at any depth."""
    if isinstance(value, dict):
        return {name: text(item) for name, item in value.items()}
    return "0x" + value.hex() if isinstance(value, bytes) else value


class _Chain:
    def __init__(self, origin: bytes) -> None:
        self.origin = self.head = origin
        self.log = Log()


class Builder:
    """Collects the lines of an export. `body`, `header` and `event` overwrite what would have been right;
    `key` signs instead of the node's."""

    def __init__(self, chain_id: int = CHAIN_ID) -> None:
        self.time = 1_700_000_000
        self.lines: list[dict[str, Any]] = []
        self._chain_id = chain_id
        self._threads: dict[bytes, _Chain] = {}
        self._packages: dict[bytes, tuple[_Chain, bytes, bytes]] = {}
        self._add("ledger", version=1, chain_id=chain_id, contract=CONTRACT, evm_block=9, evm_block_hash=bytes(32))
        self.event("work-limit", bits=EASY)
        for custodian in (HOSPITAL, CLINIC):
            self.event("custodian", custodian=custodian, admitted=True)
        for node, custodian in zip(NODES, (HOSPITAL, HOSPITAL, CLINIC)):
            self.event("node", node=node, custodian=custodian, registered=True)

    def _add(self, kind: str, **values: Any) -> None:
        self.lines.append({"type": kind, **text(values)})

    def event(self, kind: str, **values: Any) -> None:
        self.time += 1
        self._add(kind, evm_time=self.time, **values)

    def _mine(self, chain: _Chain, leaf: bytes, version: int, changes: dict[str, Any]) -> Header:
        chain.log.append(leaf)
        header = Header(version, chain.head, chain.log.header_root(), self.time, EASY, 0)
        header = replace(header, **changes)
        if "nonce" not in changes:
            header = header.mined()
        chain.head = header.hash()
        return header

    def parent(
        self,
        requestor: bytes = ALICE,
        *,
        body: dict = {},
        header: dict = {},
        event: dict = {},
        request: dict = {},
        key: PrivateKey = KEYS[0],
    ) -> bytes:
        """Issue a package of the hospital's; its id."""
        wanted: dict[str, Any] = dict(
            requestor=requestor,
            custodian=HOSPITAL,
            dataset=bytes([1]) * 32,
            selection=bytes([2]) * 32,
            purpose=encode_purpose("DUO:0000042"),
            salt=len(self.lines).to_bytes(32),
            deadline=self.time,
        )
        wanted |= request
        package = event.get("package", request_digest(wanted, self._chain_id, CONTRACT))
        chain = self._threads.setdefault(requestor, _Chain(thread_origin(self._chain_id, CONTRACT, requestor)))
        now = self.time * 1000
        right = ParentBody(
            USAGE.action_counter(),
            now,
            5,
            now + 7,
            HOSPITAL,
            requestor,
            USAGE.sensitivity,
            wanted["purpose"],
            wanted["dataset"],
            package,
            bytes([3]) * 32,
            bytes([4]) * 32,
            bytes([5]) * 32,
            NODES[2],
            b"",
            b"",
            now + 9,
        )
        made = signed(replace(right, **body), key, chain.origin)
        if "node" in body:  # that another node has signed for
            made = replace(made, node=body["node"])
        mined = self._mine(chain, made.leaf(), 0x10001, header)
        record = encode_record(made.encode(), mined, b"MDSP", mined.hash())
        self.event(
            "parent",
            **dict(
                package=package,
                request=wanted,
                usage=vars(USAGE),
                payload_hash=right.payload_hash,
                verifier=NODES[2],
                form_digest=right.form_digest,
                node=NODES[0],
                entry=Entry.of(mined, made.leaf()).encode(),
                record=record,
            )
            | event,
        )
        self._packages.setdefault(package, (_Chain(made.leaf()), mined.hash(), requestor))
        return package

    def side(
        self,
        package: bytes,
        reported: int = 64,
        *,
        body: dict = {},
        header: dict = {},
        event: dict = {},
        key: PrivateKey = KEYS[0],
    ) -> None:
        """Anchor the next report of a package."""
        chain, parent, requestor = self._packages[package]
        number = chain.log.size + 1
        violated = USAGE.violations(reported)
        right = SideBody(
            violated.bit_count(),
            self.time * 1000,
            HOSPITAL,
            requestor,
            reported,
            violated,
            package,
            number,
            bytes([6]) * 32,
            bytes([7]) * 32,
            b"",
            b"",
            self.time * 1000 + 3,
        )
        made = signed(replace(right, **body), key, chain.origin)
        mined = self._mine(chain, made.leaf(), number, header)
        record = encode_record(made.encode(), mined, b"MDSS", side_id(parent, mined.hash()))
        self.event(
            "side",
            **dict(package=package, node=NODES[0], record=record, entry=Entry.of(mined, made.leaf()).encode()) | event,
        )

    def finish(self) -> list[dict[str, Any]]:
        """All lines, with the heads and the end."""
        blocks = sum(line["type"] in ("parent", "side") for line in self.lines)
        for requestor, chain in self._threads.items():
            self._add("thread-head", requestor=requestor, head=chain.head)
        for package, (chain, _, _) in self._packages.items():
            self._add("package-head", package=package, head=chain.head)
        self._add("end", blocks=blocks)
        return self.lines


def written(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def audit(lines: list[dict[str, Any]]) -> list[Fault]:
    return list(Ledger().audit(io.BytesIO(written(lines))))


def example() -> Builder:
    """Two threads, three packages, eight blocks."""
    builder = Builder()
    first = builder.parent(ALICE)
    builder.side(first)
    second = builder.parent(BOB)
    builder.side(first, 0b000001)
    builder.side(second)
    builder.parent(ALICE)
    builder.side(second, 0b100001, key=KEYS[1], event={"node": NODES[1]})
    builder.side(first, 0b10000000)
    return builder
