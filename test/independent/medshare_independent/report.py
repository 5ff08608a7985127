"""Sealed bodies of reports (§8)."""

from dataclasses import dataclass

from . import canonical
from .codec import need
from .sealing import REPORT, report_aad, seal, unseal


@dataclass(frozen=True)
class Report:
    """What a report's body says; ranges are [start, end) pairs, file and program may be unknown.

    `counts` says how often each action was done, by its bit; `outputs` are [path, size, SHA-256, rows of the data];
    `held` is sha256d of an output that waits, sealed, for the custodian's release.
    """

    comment: str
    ranges: list[list[int]]
    file: str | None = None
    program: str | None = None
    counts: dict[int, int] | None = None
    outputs: list[list] | None = None
    held: bytes | None = None


def seal_body(report: Report, contract_key: bytes, package: bytes, number: int) -> bytes:
    """Seal a body to the contract key; `body` in the signed Report is sha256d of what this returns."""
    fields = {0: report.comment, 1: report.file, 2: report.ranges, 3: report.program, 4: report.counts, 5: report.outputs,
              6: report.held}
    plain = canonical.encode({key: value for key, value in fields.items() if value is not None})
    return seal(contract_key, REPORT, report_aad(package, number), plain)


def open_body(sealed: bytes, contract_secret: bytes, package: bytes, number: int) -> Report:
    """Open a sealed body."""
    return decode_body(unseal(contract_secret, REPORT, report_aad(package, number), sealed))


def decode_body(raw: bytes) -> Report:
    """Read an opened body and refuse what is not the map of §8."""
    value = canonical.decode(raw)
    need(type(value) is dict and {0, 2} <= value.keys() <= {0, 1, 2, 3, 4, 5, 6}, "a body is a map with the keys 0 to 6")
    need(all(type(value.get(key, "")) is str for key in (0, 1, 3)), "comment, file and program are texts")
    need(type(value[2]) is list, "ranges are an array")
    for pair in value[2]:
        need(type(pair) is list and len(pair) == 2 and all(canonical.is_uint(end, 64) for end in pair), "a range")
        need(pair[0] <= pair[1], "a range ends before it starts")
    if 4 in value:
        _check_counts(value[4])
    if 5 in value:
        _check_outputs(value[5])
    need(6 not in value or type(value[6]) is bytes and len(value[6]) == 32, "held is a hash")
    return Report(value[0], value[2], value.get(1), value.get(3), value.get(4), value.get(5), value.get(6))


def _check_counts(counts: object) -> None:
    need(type(counts) is dict and len(counts) > 0, "counts are a map that is not empty")
    for action, count in counts.items():
        need(canonical.is_uint(action, 8) and action <= 5, "one of the six actions is counted")
        need(canonical.is_uint(count, 64) and count > 0, "an action that was done is counted")


def _check_outputs(outputs: object) -> None:
    need(type(outputs) is list and len(outputs) > 0, "outputs are an array that is not empty")
    for output in outputs:
        need(type(output) is list and len(output) == 4, "an output has four parts")
        path, size, digest, rows = output
        need(type(path) is str and type(digest) is bytes and len(digest) == 32, "path and SHA-256 of an output")
        need(canonical.is_uint(size, 64) and canonical.is_uint(rows, 64), "size and rows of an output")
