"""Headers, entries and targets (§1.3, §1.4)."""

from dataclasses import dataclass, replace
from struct import Struct
from typing import Self

from .codec import need, sha256d

_HEADER = Struct("<I32s32sIII")
_ENTRY = Struct("<I32sIII32s")


def target(bits: int) -> int:
    """The target that compact bits stand for; 0 for what Bitcoin calls negative, overflowing or zero (§1.3)."""
    size, mantissa = bits >> 24, bits & 0x7FFFFF
    value = mantissa << 8 * (size - 3) if size > 3 else mantissa >> 8 * (3 - size)
    negative = bits & 0x800000 != 0
    return 0 if negative or value >= 1 << 256 else value


@dataclass(frozen=True)
class Header:
    """The 80 bytes of §1.3."""

    version: int
    previous: bytes
    merkle_root: bytes
    time: int
    bits: int
    nonce: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        need(len(raw) == 80, "a header has 80 bytes")
        return cls(*_HEADER.unpack(raw))

    def encode(self) -> bytes:
        return _HEADER.pack(self.version, self.previous, self.merkle_root, self.time, self.bits, self.nonce)

    def hash(self) -> bytes:
        return sha256d(self.encode())

    def has_work(self) -> bool:
        """Whether the hash, read as a little-endian number, is at most the target; no target, no work."""
        return 0 < int.from_bytes(self.hash(), "little") <= target(self.bits)

    def mined(self) -> Self:
        """The same header with the first nonce that passes, from 0 up; a used-up nonce adds a second (§1.3)."""
        need(target(self.bits) > 0, "bits are no target")
        header = replace(self, nonce=0)
        while not header.has_work():
            full = header.nonce == 0xFFFFFFFF
            header = replace(header, nonce=0 if full else header.nonce + 1, time=header.time + full)
        return header


@dataclass(frozen=True)
class Entry:
    """What is sent to the contract: the header without its previous hash, and the leaf hash (§1.4)."""

    version: int
    merkle_root: bytes
    time: int
    bits: int
    nonce: int
    leaf: bytes

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        need(len(raw) == 80, "an entry has 80 bytes")
        return cls(*_ENTRY.unpack(raw))

    def encode(self) -> bytes:
        return _ENTRY.pack(self.version, self.merkle_root, self.time, self.bits, self.nonce, self.leaf)

    @classmethod
    def of(cls, header: Header, leaf: bytes) -> Self:
        return cls(header.version, header.merkle_root, header.time, header.bits, header.nonce, leaf)

    def header(self, previous: bytes) -> Header:
        """The header that the contract makes of the entry on top of its head."""
        return Header(self.version, previous, self.merkle_root, self.time, self.bits, self.nonce)
