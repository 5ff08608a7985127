"""The certificate of what the second node measured (§6.1)."""

from typing import Any

from .codec import need, sha256d
from .shape import HASH, parse
from .signature import signed_by
from .typed import digest

_MAX_TEXT = 65_536


def check(
    text: str, signature: bytes, node: bytes, about: tuple[bytes, bytes], deployment: tuple[int, bytes]
) -> dict[str, Any]:
    """What the text says, if it is about this package and payload hash and the node signed it; else it is refused."""
    raw = text.encode()
    need(len(raw) <= _MAX_TEXT, "certificate too long")
    said = parse(raw)
    need(type(said) is dict and type(said.get("version")) is int and said["version"] == 1, "unknown version")
    need((HASH(said.get("package")), HASH(said.get("payload_hash"))) == about, "a certificate of something else")
    message = {"package": about[0], "payloadHash": about[1], "content": sha256d(raw)}
    need(signed_by(node, digest("Certification", message, *deployment), signature), "not signed by the node")
    return said
