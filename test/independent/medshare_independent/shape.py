"""Reading JSON strictly: which fields an object has, and what stands in them (§2.1, §3.2, §9)."""

import json
import math
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from .codec import Refused, need, unhex

Reader = Callable[[Any], Any]
_DEEPEST = 32  # a bundle's parts have eight levels


def integer(bits: int) -> Reader:
    """A JSON number of so many bits."""

    def read(value: Any) -> int:
        need(type(value) is int and 0 <= value < 1 << bits, f"not an integer of {bits} bits")
        return value

    return read


def octets(size: int | None = None) -> Reader:
    """So many bytes, or any number of them, as `0x` and lower-case hexadecimal digits."""
    return lambda value: unhex(value, size)


def quantity(value: Any) -> int:
    """A number of up to 256 bits as `0x` and hexadecimal digits without leading zeros (§9.2)."""
    need(type(value) is str, "no text")
    try:
        number = int(value.removeprefix("0x"), 16)
    except ValueError as fault:
        raise Refused("no hexadecimal number") from fault
    need(value == hex(number) and number < 1 << 256, "no number of 256 bits in its shortest form")
    return number


def boolean(value: Any) -> bool:
    need(type(value) is bool, "not true or false")
    return value


def text(value: Any) -> str:
    need(type(value) is str, "no text")
    need(not any("\ud800" <= each <= "\udfff" for each in value), "half a surrogate pair")
    return value


def number(most: float = math.inf) -> Reader:
    """A finite number from 0 to `most`, with or without a fraction."""

    def read(value: Any) -> float:
        need(type(value) in (int, float) and 0 <= value <= most, f"no number from 0 to {most}")
        try:
            finite = math.isfinite(value)
        except OverflowError:
            finite = False
        need(finite, "a number beyond those of 64 bits")
        return value

    return read


def nullable(reader: Reader) -> Reader:
    """That, or null."""
    return lambda value: None if value is None else reader(value)


def choice(*names: str) -> Reader:
    """One of the names, as its index."""

    def read(value: Any) -> int:
        need(type(value) is str and value in names, f"none of {', '.join(names)}")
        return names.index(value)

    return read


def array(item: Reader, most: int | None = None) -> Reader:
    """A list of these, so many at most."""

    def read(value: Any) -> list:
        need(type(value) is list, "no array")
        need(most is None or len(value) <= most, f"more than {most}")
        return [item(each) for each in value]

    return read


def fields(value: Any, expected: dict[str, Reader], optional: dict[str, Reader] = {}) -> dict[str, Any]:
    """An object with exactly these fields, and any of the optional ones; of an `Ordered` one in this order."""
    need(isinstance(value, dict), "not an object")
    expected = expected | {name: read for name, read in optional.items() if name in value}
    need(value.keys() == expected.keys(), f"fields are not {', '.join(expected)}")
    need(type(value) is not Ordered or [*value] == [*expected], f"fields are not in the order {', '.join(expected)}")
    result = {}
    for name, read in expected.items():
        try:
            result[name] = read(value[name])
        except Refused as fault:
            raise Refused(f"{name}: {fault}") from fault
    return result


def record(**expected: Reader) -> Reader:
    """An object with exactly these fields, as a reader of a field itself."""
    return lambda value: fields(value, expected)


class Ordered(dict):
    """An object whose fields have one order only."""


def written(value: Any) -> bytes:
    """What `parse` read, as the parts of a bundle are written (§9): indented by two spaces, a line feed behind it."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError as fault:
        raise Refused("half a surrogate pair") from fault


def parse(raw: bytes, kind: type[dict] = dict) -> Any:
    """A JSON text in UTF-8, its objects of this kind; a name twice in one object is refused."""
    need(_depth(raw) <= _DEEPEST, "nested too deeply")
    try:
        return json.loads(raw.decode(), parse_int=_integer, parse_float=_decimal, parse_constant=_constant, object_pairs_hook=lambda pairs: _unique(pairs, kind))
    except Refused:
        raise
    except ValueError as fault:
        raise Refused("not UTF-8 JSON") from fault


def _depth(raw: bytes) -> int:
    """How deep the arrays and objects of a text stand in each other.

    The JSON module relies on the interpreter's recursion limit, and py_ecc (by way of eth-account) lifts that so far that
    the stack ends first.
    """
    if raw.count(b"[") + raw.count(b"{") <= _DEEPEST:
        return 0  # not deeper than allowed in any case
    brackets = re.sub(rb'"(?:[^"\\]|\\.)*"|[^][{}]', b"", raw)
    return max(accumulate(1 if byte in b"[{" else -1 for byte in brackets), default=0)


def _integer(digits: str) -> int:
    need(not digits.startswith("-"), "a number below zero")  # there is none; -0 would be a second spelling
    return int(digits)


def _decimal(digits: str) -> float:
    need(not digits.startswith("-"), "a number below zero")
    return float(digits)


def _constant(name: str) -> Any:
    raise Refused(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Any]], kind: type[dict]) -> dict[str, Any]:
    made = kind(pairs)
    need(len(made) == len(pairs), "a name twice in one object")
    return made


ACCOUNT, HASH, SIGNATURE = octets(20), octets(32), octets()
U8, U32, U64 = integer(8), integer(32), integer(64)
