"""Sealed bodies of reports (§8)."""

from dataclasses import dataclass

from . import canonical
from .codec import need
from .sealing import REPORT, report_aad, seal, unseal


@dataclass(frozen=True)
class Report:
    """What a report's body says; ranges are [start, end) pairs, file and program may be unknown."""

    comment: str
    ranges: list[list[int]]
    file: str | None = None
    program: str | None = None


def seal_body(report: Report, contract_key: bytes, package: bytes, number: int) -> bytes:
    """Seal a body to the contract key; `body` in the signed Report is sha256d of what this returns."""
    fields = {0: report.comment, 1: report.file, 2: report.ranges, 3: report.program}
    plain = canonical.encode({key: value for key, value in fields.items() if value is not None})
    return seal(contract_key, REPORT, report_aad(package, number), plain)


def open_body(sealed: bytes, contract_secret: bytes, package: bytes, number: int) -> Report:
    """Open a sealed body."""
    return decode_body(unseal(contract_secret, REPORT, report_aad(package, number), sealed))


def decode_body(raw: bytes) -> Report:
    """Read an opened body and refuse what is not the map of §8."""
    value = canonical.decode(raw)
    need(type(value) is dict and {0, 2} <= value.keys() <= {0, 1, 2, 3}, "a body is a map with the keys 0 to 3")
    need(all(type(value.get(key, "")) is str for key in (0, 1, 3)), "comment, file and program are texts")
    need(type(value[2]) is list, "ranges are an array")
    for pair in value[2]:
        need(type(pair) is list and len(pair) == 2 and all(canonical.is_uint(end, 64) for end in pair), "a range")
        need(pair[0] <= pair[1], "a range ends before it starts")
    return Report(value[0], value[2], value.get(1), value.get(3))
