"""What the other modules share: hashes, and texts padded to a fixed length (SPEC "Throughout", §4.1)."""

import hashlib
import re

_CODE = re.compile(rb"[A-Za-z0-9:_-]{1,32}")


class Refused(ValueError):
    """Input that the specification says a reader must not accept."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha256d(data: bytes) -> bytes:
    return sha256(sha256(data))


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def need(condition: bool, fault: str) -> None:
    """Refuse the input unless the condition holds."""
    if not condition:
        raise Refused(fault)


def encode_purpose(code: str) -> bytes:
    """A purpose code as 32 bytes, zero-padded on the right (§4.1)."""
    raw = code.encode()
    need(_CODE.fullmatch(raw) is not None, "purpose code")
    return raw.ljust(32, b"\0")


def decode_purpose(padded: bytes) -> str:
    """The purpose code in 32 bytes: one to 32 allowed characters, zeros behind them only (§1.5, §4.1)."""
    need(len(padded) == 32, "purpose code")
    raw = padded.rstrip(b"\0")
    need(_CODE.fullmatch(raw) is not None, "purpose code")
    return raw.decode()


def unhex(text: str, size: int | None = None) -> bytes:
    """Bytes written as `0x` and lower-case hexadecimal digits (§3.2)."""
    need(isinstance(text, str) and re.fullmatch(r"0x(?:[0-9a-f]{2})*", text) is not None, "not 0x and lower-case hex")
    raw = bytes.fromhex(text[2:])
    need(size is None or len(raw) == size, f"not {size} bytes")
    return raw
