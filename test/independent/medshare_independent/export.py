"""Streaming reader of the ledger export: its lines, strictly (§3.2)."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from .codec import Refused, need, unhex
from .header import Entry
from .shape import ACCOUNT, HASH, U8, U32, U64, Reader, boolean, fields, parse, record
from .usage import Usage

_MAX_LINE = 16_384  # the longest line that a writer makes is a parent's, about 3,000 bytes
_PLACE = {"ledger": 0, "thread-head": 2, "package-head": 2, "end": 3}  # events have place 1


class Line(NamedTuple):
    number: int
    type: str
    values: dict[str, Any]


_REQUEST = {
    "requestor": ACCOUNT,
    "custodian": ACCOUNT,
    "dataset": HASH,
    "purpose": HASH,
    "selection": HASH,
    "salt": HASH,
    "deadline": U64,
}
_USAGE = {"sensitivity": U8, "granted": U8, "exempt": U8, "environment": U8, "expiry": U64, "contract_key": HASH}
_BLOCK = {
    "evm_time": U64,
    "entry": lambda value: Entry.decode(unhex(value)),
    "record": lambda value: None if value is None else unhex(value),
}
_LINES: dict[str, dict[str, Reader]] = {
    "ledger": {"version": U32, "chain_id": U64, "contract": ACCOUNT, "evm_block": U64, "evm_block_hash": HASH},
    "work-limit": {"bits": U32, "evm_time": U64},
    "custodian": {"custodian": ACCOUNT, "admitted": boolean, "evm_time": U64},
    "node": {"node": ACCOUNT, "custodian": ACCOUNT, "registered": boolean, "evm_time": U64},
    "parent": {
        "package": HASH,
        "request": record(**_REQUEST),
        "usage": lambda value: Usage(**fields(value, _USAGE)),
        "payload_hash": HASH,
        "form_digest": HASH,
        "node": ACCOUNT,
        "verifier": ACCOUNT,
        **_BLOCK,
    },
    "side": {"package": HASH, "node": ACCOUNT, **_BLOCK},
    "thread-head": {"requestor": ACCOUNT, "head": HASH},
    "package-head": {"package": HASH, "head": HASH},
    "end": {"blocks": U64},
}


def _parse(raw: bytes) -> tuple[str, dict[str, Any]]:
    need(raw.endswith(b"\n"), "too long" if len(raw) > _MAX_LINE else "does not end with a line feed")
    value = parse(raw)
    need(raw.split() == [raw[:-1]], "white space")
    need(type(value) is dict, "not an object")
    kind = value.pop("type", None)
    need(isinstance(kind, str) and kind in _LINES, "unknown type")
    need(kind != "ledger" or value.get("version") == 1, "unknown version")
    return kind, fields(value, _LINES[kind])


def read_export(stream: BinaryIO) -> Iterator[Line]:
    """The lines of an export one by one; anything but a whole export of version 1 is refused."""
    number, place, blocks = 0, 0, 0
    while raw := stream.readline(_MAX_LINE + 1):
        number += 1
        try:
            kind, values = _parse(raw)
            need(place < 3, "a line behind the end")
            need((kind == "ledger") == (number == 1), "`ledger` is the first line and no other")
            need(_PLACE.get(kind, 1) >= place, "an event behind the heads")
            place = _PLACE.get(kind, 1)
            blocks += kind in ("parent", "side")
            need(kind != "end" or values["blocks"] == blocks, f"{blocks} blocks were read, not so many as it says")
        except Refused as fault:
            raise Refused(f"line {number}: {fault}") from fault
        yield Line(number, kind, values)
    need(place == 3, "truncated: no `end`")
