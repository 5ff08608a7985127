"""The certificate of what the second node measured (§6.1)."""

from typing import Any

from .codec import need, sha256d
from .shape import HASH, fields, parse
from .signature import signed_by
from .typed import digest

_MAX_TEXT = 65_536


def check(
    text: str, signature: bytes, node: bytes, package: bytes, payload_hash: bytes, chain_id: int, contract: bytes
) -> dict[str, Any]:
    """What the text says, if it is about this payload and the node signed it; anything else is refused."""
    raw = text.encode()
    need(len(raw) <= _MAX_TEXT, "certificate too long")
    said = parse(raw)
    need(type(said) is dict and type(said.get("version")) is int and said["version"] == 1, "unknown version")
    about = fields({name: said.get(name) for name in ("package", "payload_hash")}, dict(package=HASH, payload_hash=HASH))
    need(about == dict(package=package, payload_hash=payload_hash), "a certificate of something else")
    message = {"package": package, "payloadHash": payload_hash, "content": sha256d(raw)}
    need(signed_by(node, digest("Certification", message, chain_id, contract), signature), "not signed by the node")
    return said
