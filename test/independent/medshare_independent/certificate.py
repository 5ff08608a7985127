"""The certificate of what the second node measured (§6.1)."""

from typing import Any

from .codec import need, sha256d
from .shape import HASH, U32, U64, array, boolean, choice, fields, nullable, number, parse, record
from .shape import text as string
from .signature import signed_by
from .typed import digest

_MAX_TEXT = 65_536
_SHARE, _AMOUNT = number(1), number()
_NEEDED = {
    "version": U32, "package": HASH, "payload_hash": HASH, "time": U64, "promised_k": U64, "k": U64, "classes": U64,
    "rows": U64, "unique_share": _SHARE, "identifiers": array(string), "sensitivity": choice("low", "high"),
    "reasons": array(string),
}
_RISKS = record(
    prosecutor_highest=_SHARE, prosecutor_average=_SHARE, journalist_highest=_SHARE, journalist_average=_SHARE, marketer=_SHARE)
_SENSITIVE = record(
    column=string, values=U64, distinct_l=U64, entropy_l=_AMOUNT, recursive_c=nullable(_AMOUNT), t_equal=_SHARE,
    t_ordered=nullable(_SHARE), t_hierarchical=nullable(_SHARE), delta=nullable(_AMOUNT), delta_present=_AMOUNT, beta=_AMOUNT,
    guessed=_SHARE, guessed_blindly=_SHARE)
_FOUND = record(column=string, rule=string, what=string, rows=U64, accepted=boolean)


def _letter(value: Any) -> str:
    need(len(string(value)) == 1, "not one letter")
    return value


_LINE = record(
    letter=_letter, rule=string, verdict=choice("none-found", "found", "accepted", "not-decidable"), found=array(_FOUND),
    undecided=array(string))
_OPTIONAL = {
    "risks": _RISKS, "sensitive": array(_SENSITIVE), "linkage": record(expected=_SHARE, attacks=U64, successes=U64),
    "safe_harbor": array(_LINE),
}


def read(raw: bytes) -> dict[str, Any]:
    """What a text says."""
    need(len(raw) <= _MAX_TEXT, "certificate too long")
    said = fields(parse(raw), _NEEDED, _OPTIONAL)
    need(said["version"] == 1, "unknown version")
    return said


def check(
    text: str, signature: bytes, node: bytes, about: tuple[bytes, bytes], deployment: tuple[int, bytes]
) -> dict[str, Any]:
    """What the text says, if it is about this package and payload hash and the node signed it; else it is refused."""
    raw = text.encode()
    said = read(raw)
    need((said["package"], said["payload_hash"]) == about, "a certificate of something else")
    message = {"package": about[0], "payloadHash": about[1], "content": sha256d(raw)}
    need(signed_by(node, digest("Certification", message, *deployment), signature), "not signed by the node")
    return said
