"""CBOR in RFC 8949's core deterministic encoding (§10)."""

from typing import Any

import cbor2

from .codec import Refused, need


def encode(value: Any) -> bytes:
    return cbor2.dumps(value, canonical=True)


def decode(raw: bytes) -> Any:
    """Decode integers, byte strings, texts, arrays and maps of them; any spelling but the deterministic is refused."""
    try:
        value = cbor2.loads(raw, allow_indefinite=False, allow_duplicate_keys=False)
    except Exception as fault:  # the decoder raises errors of many types on foreign bytes
        raise Refused("not CBOR") from fault
    _plain(value)
    need(encode(value) == raw, "not in deterministic encoding")
    return value


def _plain(value: Any) -> None:
    if type(value) is dict:
        for pair in value.items():
            _plain(list(pair))
    elif type(value) is list:
        for item in value:
            _plain(item)
    else:
        need(type(value) in (int, bytes, str), "a CBOR type that no message has")


def is_uint(value: Any, bits: int) -> bool:
    return type(value) is int and 0 <= value < 1 << bits


def is_bytes(value: Any, size: int) -> bool:
    return type(value) is bytes and len(value) == size
