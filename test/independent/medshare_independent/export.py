"""Streaming reader of the ledger export: its lines, strictly (§3.2)."""

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from .codec import Refused, need, unhex
from .header import Entry
from .usage import Usage

_MAX_LINE = 16_384  # the longest line that a writer makes is a parent's, about 3,000 bytes
_PLACE = {"ledger": 0, "thread-head": 2, "package-head": 2, "end": 3}  # events have place 1


class Line(NamedTuple):
    number: int
    type: str
    values: dict[str, Any]


def _integer(bits: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        need(type(value) is int and 0 <= value < 1 << bits, f"not an integer of {bits} bits")
        return value

    return read


def _octets(size: int) -> Callable[[Any], bytes]:
    return lambda value: unhex(value, size)


def _boolean(value: Any) -> bool:
    need(type(value) is bool, "not true or false")
    return value


def _object(value: Any, fields: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """An object with exactly these fields."""
    need(type(value) is dict, "not an object")
    need(value.keys() == fields.keys(), f"fields are not {', '.join(fields)}")
    result = {}
    for name, read in fields.items():
        try:
            result[name] = read(value[name])
        except Refused as fault:
            raise Refused(f"{name}: {fault}") from fault
    return result


_account, _hash, _u8, _u32, _u64 = _octets(20), _octets(32), _integer(8), _integer(32), _integer(64)
_REQUEST = {
    "requestor": _account,
    "custodian": _account,
    "dataset": _hash,
    "purpose": _hash,
    "selection": _hash,
    "salt": _hash,
    "deadline": _u64,
}
_USAGE = {"sensitivity": _u8, "granted": _u8, "exempt": _u8, "environment": _u8, "expiry": _u64, "contract_key": _hash}
_BLOCK = {
    "evm_time": _u64,
    "entry": lambda value: Entry.decode(unhex(value)),
    "record": lambda value: None if value is None else unhex(value),
}
_LINES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "ledger": {"version": _u32, "chain_id": _u64, "contract": _account, "evm_block": _u64, "evm_block_hash": _hash},
    "work-limit": {"bits": _u32, "evm_time": _u64},
    "custodian": {"custodian": _account, "admitted": _boolean, "evm_time": _u64},
    "node": {"node": _account, "custodian": _account, "registered": _boolean, "evm_time": _u64},
    "parent": {
        "package": _hash,
        "request": lambda value: _object(value, _REQUEST),
        "usage": lambda value: Usage(**_object(value, _USAGE)),
        "payload_hash": _hash,
        "form_digest": _hash,
        "node": _account,
        "verifier": _account,
        **_BLOCK,
    },
    "side": {"package": _hash, "node": _account, **_BLOCK},
    "thread-head": {"requestor": _account, "head": _hash},
    "package-head": {"package": _hash, "head": _hash},
    "end": {"blocks": _u64},
}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len(dict(pairs)) == len(pairs), "a name twice in one object")
    return dict(pairs)


def _parse(raw: bytes) -> tuple[str, dict[str, Any]]:
    need(raw.endswith(b"\n"), "too long" if len(raw) > _MAX_LINE else "does not end with a line feed")
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique)
    except Refused:
        raise
    except (ValueError, RecursionError) as fault:
        raise Refused("not UTF-8 JSON") from fault
    need(type(value) is dict, "not an object")
    kind = value.pop("type", None)
    need(isinstance(kind, str) and kind in _LINES, "unknown type")
    need(kind != "ledger" or value.get("version") == 1, "unknown version")
    return kind, _object(value, _LINES[kind])


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
