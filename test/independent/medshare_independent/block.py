"""Records, bodies and signatures of blocks (§1.5, §1.6)."""

from dataclasses import dataclass, replace
from struct import Struct
from typing import ClassVar, Self, TypeVar

from coincurve import PrivateKey

from .codec import decode_purpose, need, sha256d, u32
from .header import Header
from .merkle import leaf_hash
from .signature import address, node_signed, sign

DECRYPT = 1 << 6


def thread_origin(chain_id: int, contract: bytes, requestor: bytes) -> bytes:
    """The origin of a requestor's thread of parent blocks (§1.2)."""
    return sha256d(b"medshare/thread/v1" + chain_id.to_bytes(8, "big") + contract + requestor)


class _Body:
    """What the bodies of both kinds have in common: action counter ‖ transaction ‖ locktime."""

    MAGIC: ClassVar[bytes]
    DOMAIN: ClassVar[bytes]
    _LAYOUT: ClassVar[Struct]
    node: bytes
    signature: bytes

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read a body; any length or field out of its range is refused."""
        need(len(raw) == cls._LAYOUT.size, f"a body has {cls._LAYOUT.size} bytes")
        body = cls(*cls._LAYOUT.unpack(raw))
        body._check()
        return body

    def _check(self) -> None:
        raise NotImplementedError

    def encode(self) -> bytes:
        return self._LAYOUT.pack(*vars(self).values())

    @classmethod
    def record_size(cls) -> int:
        return 120 + cls._LAYOUT.size

    def leaf(self) -> bytes:
        return leaf_hash(self.encode())

    def digest(self, origin: bytes) -> bytes:
        """What the node signs: domain ‖ origin ‖ body without Nsig (§1.6)."""
        raw = self.encode()
        return sha256d(self.DOMAIN + origin + raw[:-72] + raw[-8:])

    def is_signed(self, origin: bytes) -> bool:
        """Whether Nsig is a valid signature by NID."""
        return node_signed(self.node, self.digest(origin), self.signature)


@dataclass(frozen=True)
class ParentBody(_Body):
    """A parent block's body, fields in the order of the bytes (§1.5, P20)."""

    MAGIC = b"MDSP"
    DOMAIN = b"medshare/parent/v1"
    _LAYOUT = Struct("<I QQQ 20s20sB 32s32s32s32s32s32s 20s20s64s Q")

    action_counter: int
    received: int
    processing_ms: int
    sent: int
    owner: bytes
    requestor: bytes
    sensitivity: int
    purpose: bytes
    dataset: bytes
    package: bytes
    payload_hash: bytes
    container_hash: bytes
    form_digest: bytes
    verifier: bytes
    node: bytes
    signature: bytes
    locktime: int

    def _check(self) -> None:
        need(self.action_counter <= 6, "action counter above 6")
        need(self.received <= self.sent <= self.locktime, "not TTR <= TTT <= locktime")
        need(self.sensitivity <= 1, "Dsens is neither 0 nor 1")
        decode_purpose(self.purpose)


@dataclass(frozen=True)
class SideBody(_Body):
    """A side-block's body, fields in the order of the bytes (§1.5, P21)."""

    MAGIC = b"MDSS"
    DOMAIN = b"medshare/side/v1"
    _LAYOUT = Struct("<I Q 20s20sBB 32sI32s32s 20s64s Q")

    action_counter: int
    time: int
    owner: bytes
    requestor: bytes
    reported: int
    violated: int
    package: bytes
    number: int
    report: bytes
    sealed_report: bytes
    node: bytes
    signature: bytes
    locktime: int

    def _check(self) -> None:
        need(self.action_counter == self.violated.bit_count(), "action counter is not the number of violations")
        need(self.reported != 0, "nothing reported")
        need(self.violated & ~self.reported == 0, "a violation that was not reported")
        need(self.number >= 1, "reports are numbered from 1")


_B = TypeVar("_B", ParentBody, SideBody)


def signed(body: _B, key: PrivateKey, origin: bytes) -> _B:
    """The body with the key's account as NID, and signed by it."""
    body = replace(body, node=address(key.public_key))
    return replace(body, signature=sign(key, body.digest(origin))[:64])


def side_id(parent: bytes, header_hash: bytes) -> bytes:
    return parent[:16] + header_hash[:16]


def encode_record(body: bytes, header: Header, magic: bytes, block_id: bytes) -> bytes:
    """A record: magic ‖ id ‖ size ‖ header ‖ body (§1.5)."""
    return magic + block_id + u32(80 + len(body)) + header.encode() + body


def decode_record(raw: bytes, parent: bytes | None = None) -> tuple[Header, ParentBody | SideBody]:
    """Read a record strictly; a side-block's needs its parent block's id, which begins its own."""
    kind = ParentBody if parent is None else SideBody
    need(len(raw) == kind.record_size(), f"a record has {kind.record_size()} bytes")
    need(raw[:4] == kind.MAGIC, "magic")
    need(raw[36:40] == u32(len(raw) - 40), "size")
    header = Header.decode(raw[40:120])
    own = header.hash()
    need(raw[4:36] == (own if parent is None else side_id(parent, own)), "id")
    body = kind.decode(raw[120:])
    if isinstance(body, SideBody):
        need(body.number == header.version, "number differs from the header's version")
    return header, body
