"""Ledger exports: a sound one, every mutation of it, and every kind of fault by its name (§3)."""

import io
import random
import tracemalloc
from typing import Any

import pytest
from coincurve import PrivateKey

from builder import (ALICE, BOB, CLINIC, HOSPITAL, KEYS, NODES, Builder, audit, example, text,
                     written)
from medshare_independent.codec import Refused
from medshare_independent.ledger import Ledger

LINES = example().finish()
BLOCKS = [index for index, line in enumerate(LINES) if line["type"] in ("parent", "side")]


def found(lines: list[dict[str, Any]]) -> bool:
    try:
        return bool(audit(lines))
    except Refused:
        return True


def kinds(builder: Builder) -> set[str]:
    return {fault.kind for fault in audit(builder.finish())}


def test_sound() -> None:
    ledger = Ledger()
    assert list(ledger.audit(io.BytesIO(written(LINES)))) == []
    assert ledger.summary() == "blocks: 8, threads: 2, packages: 3"


def test_other_difficulties() -> None:
    for bits in (0x2100FFFF, 0x207FFFFF, 0x2000FFFF):
        builder = Builder()
        builder.event("work-limit", bits=0x2100FFFF)
        builder.side(builder.parent(header={"bits": bits}), header={"bits": bits})
        assert kinds(builder) == set()


@pytest.mark.parametrize("field", ["record", "entry"])
def test_every_byte_counts(field: str) -> None:
    """A byte changed by a random bit pattern is found, whichever of the export's records and entries it is in."""
    for index in BLOCKS:
        raw = bytes.fromhex(LINES[index][field][2:])
        for position in range(len(raw)):
            changed = bytearray(raw)
            changed[position] ^= random.randrange(1, 256)
            assert audit(LINES[:index] + [LINES[index] | text({field: bytes(changed)})] + LINES[index + 1:])


def test_dropped_line() -> None:
    for index in range(len(LINES)):
        assert found(LINES[:index] + LINES[index + 1:]), LINES[index]


def test_doubled_line() -> None:
    """All but what the contract may say twice: registrations and limits that change nothing."""
    for index, line in enumerate(LINES):
        doubled = LINES[:index] + [line] + LINES[index:]
        assert found(doubled) != (line["type"] in ("work-limit", "custodian", "node")), line


def test_swapped_lines() -> None:
    """All but two heads, which have no order among themselves."""
    for index in range(len(LINES) - 1):
        first, second = LINES[index:index + 2]
        swapped = LINES[:index] + [second, first] + LINES[index + 2:]
        assert found(swapped) != (first["type"][-4:] == second["type"][-4:] == "head"), (first, second)


def test_record_of_another_block() -> None:
    for index in BLOCKS:
        for other in BLOCKS:
            line = LINES[index] | {"record": LINES[other]["record"]}
            assert found(LINES[:index] + [line] + LINES[index + 1:]) != (index == other)


def test_named_by_place_and_none_hides_the_next() -> None:
    """§3: a fault does not keep the verifier from checking the blocks behind it."""
    builder = Builder()
    package = builder.parent()
    builder.side(package, event={"record": None})
    builder.side(package, 1, key=KEYS[3])
    builder.side(package, 1)
    name = f"package 0x{package.hex()}"
    assert [str(fault) for fault in audit(builder.finish())] == [f"{name} 0: body-missing", f"{name} 1: unknown-node"]


def _patched(start: int, end: int, index: int = BLOCKS[0]) -> list[dict[str, Any]]:
    """The sound export with bytes of a record inverted."""
    raw = bytes.fromhex(LINES[index]["record"][2:])
    patch = raw[:start] + bytes(byte ^ 0xFF for byte in raw[start:end]) + raw[end:]
    return LINES[:index] + [LINES[index] | text({"record": patch})] + LINES[index + 1:]


@pytest.mark.parametrize("start, end, kind", [
    (0, 4, "magic"), (4, 36, "id"), (36, 40, "size"), (40, 44, "header-differs"), (44, 76, "link"),
    (76, 120, "header-differs"), (120, 493, "leaf")])
def test_envelope(start: int, end: int, kind: str) -> None:
    assert [fault.kind for fault in audit(_patched(start, end))] == [kind]


@pytest.mark.parametrize("record", [b"", bytes(119), bytes(492), bytes(494), bytes(366)])
def test_record_length(record: bytes) -> None:
    lines = LINES[:BLOCKS[0]] + [LINES[BLOCKS[0]] | text({"record": record})] + LINES[BLOCKS[0] + 1:]
    assert [fault.kind for fault in audit(lines)] == ["size", "leaf"]


PARENT_FAULTS = [
    ("proof-of-work", dict(header={"bits": 0x1D00FFFF, "nonce": 0})),
    ("proof-of-work", dict(header={"bits": 0x20FFFFFF, "nonce": 0})),
    ("work-limit", dict(header={"bits": 0x2100FFFF})),
    ("merkle-root", dict(header={"merkle_root": bytes(32)})),
    ("time-order", dict(header={"time": 1_699_999_990})),
    ("ahead-of-time", dict(header={"time": 1_700_000_200})),
    ("closed-late", dict(body={"locktime": 1_700_000_200_000})),
    ("data-version", dict(header={"version": 0x10002})),
    ("data-version", dict(header={"version": 0x20001})),
    ("body-missing", dict(event={"record": None})),
    ("malformed", dict(body={"action_counter": 7})),
    ("malformed", dict(body={"sensitivity": 2})),
    ("malformed", dict(body={"purpose": bytes(32)})),
    ("malformed", dict(body={"purpose": b"A\0A".ljust(32, b"\0")})),
    ("malformed", dict(body={"received": 1 << 63})),
    ("malformed", dict(body={"locktime": 0})),
    ("requestor", dict(body={"requestor": BOB})),
    ("unknown-node", dict(key=KEYS[3])),
    ("signature", dict(body={"node": NODES[1]})),
    ("field", dict(key=KEYS[1])),
    ("field", dict(body={"owner": CLINIC})),
    ("field", dict(body={"sensitivity": 0})),
    ("field", dict(body={"purpose": b"HRESCH".ljust(32, b"\0")})),
    ("field", dict(body={"dataset": bytes(32)})),
    ("field", dict(body={"package": bytes(32)})),
    ("field", dict(body={"payload_hash": bytes(32)})),
    ("field", dict(body={"verifier": NODES[1]})),
    ("field", dict(body={"action_counter": 4})),
    ("package-id", dict(event={"package": bytes(32)})),
    ("foreign-node", dict(event={"node": NODES[2]})),
    ("foreign-node", dict(request={"custodian": CLINIC})),
    ("second-node", dict(event={"verifier": NODES[0]})),
    ("second-node", dict(event={"verifier": NODES[1]})),
    ("second-node", dict(event={"verifier": NODES[3]})),
]


@pytest.mark.parametrize("kind, wrong", PARENT_FAULTS)
def test_parent_fault(kind: str, wrong: dict) -> None:
    builder = Builder()
    builder.parent()
    builder.parent(**wrong)
    assert kind in kinds(builder)


@pytest.mark.parametrize("kind, wrong", [
    ("proof-of-work", dict(header={"bits": 0x1D00FFFF, "nonce": 0})),
    ("merkle-root", dict(header={"merkle_root": bytes(32)})),
    ("malformed", dict(body={"number": 2})),
    ("malformed", dict(body={"action_counter": 1})),
    ("malformed", dict(body={"violated": 32, "action_counter": 1})),
    ("malformed", dict(body={"reported": 0})),
    ("malformed", dict(body={"number": 0}, header={"version": 0})),
    ("report-number", dict(body={"number": 2}, header={"version": 2})),
    ("first-report", dict(reported=1)),
    ("verdict", dict(reported=96, body={"violated": 0, "action_counter": 0})),
    ("package", dict(body={"package": bytes(32)})),
    ("field", dict(body={"owner": CLINIC})),
    ("field", dict(body={"requestor": BOB})),
    ("unknown-node", dict(key=PrivateKey(bytes(31) + b"\1"))),
    ("foreign-node", dict(event={"node": NODES[2]})),
    ("unknown-package", dict(event={"package": bytes(32)})),
])
def test_side_fault(kind: str, wrong: dict) -> None:
    builder = Builder()
    builder.side(builder.parent(), **wrong)
    assert kind in kinds(builder)


def test_issued_twice() -> None:
    builder = Builder()
    request = dict(salt=bytes(32), deadline=1)
    builder.parent(ALICE, request=request)
    builder.parent(ALICE, request=request)
    assert kinds(builder) == {"issued-twice"}


def test_registrations_count_at_their_time() -> None:
    builder = Builder()
    package = builder.parent()
    builder.event("node", node=NODES[0], custodian=HOSPITAL, registered=False)
    builder.side(package)
    assert kinds(builder) == {"unknown-node", "foreign-node"}
    builder = Builder()
    builder.event("custodian", custodian=CLINIC, admitted=False)
    builder.event("node", node=NODES[3], custodian=CLINIC, registered=True)
    assert kinds(builder) == {"transition"}


def test_second_node_of_the_same_custodian_when_there_is_no_other() -> None:
    builder = Builder()
    builder.event("node", node=NODES[2], custodian=CLINIC, registered=False)
    builder.parent(event={"verifier": NODES[1]}, body={"verifier": NODES[1]})
    assert kinds(builder) == {"second-node"}, "admitted is enough"
    builder = Builder()
    builder.event("custodian", custodian=CLINIC, admitted=False)
    builder.parent(event={"verifier": NODES[1]}, body={"verifier": NODES[1]})
    assert kinds(builder) == set()


def test_limit_at_each_event() -> None:
    builder = Builder()
    builder.parent()
    builder.event("work-limit", bits=0x2000FFFF)
    builder.parent()
    assert [(fault.height, fault.kind) for fault in audit(builder.finish())] == [(1, "work-limit")]


@pytest.mark.parametrize("head", ["thread-head", "package-head"])
def test_head_differs(head: str) -> None:
    lines = [line | ({"head": "0x" + "00" * 32} if line["type"] == head else {}) for line in LINES]
    assert {fault.kind for fault in audit(lines)} == {"head-differs"}


def test_memory_does_not_grow_with_the_blocks() -> None:
    """Peak memory of a chain ten times as long is not a tenth larger; the text is read, not held."""
    peaks = []
    for blocks in (50, 500):
        builder = Builder()
        package = builder.parent()
        for _ in range(blocks):
            builder.side(package)
        export = io.BytesIO(written(builder.finish()))
        del builder
        assert list(Ledger().audit(export)) == []
        export.seek(0)
        tracemalloc.start()
        assert list(Ledger().audit(export)) == []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0] + 10_000
