"""Verification of one chain, block by block (§3)."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from .block import ParentBody, SideBody, side_id
from .codec import Refused, u32
from .header import Entry, Header, target
from .merkle import Log, leaf_hash


@dataclass(frozen=True)
class Fault:
    """One fault: where it is and of what kind (§3)."""

    chain: str
    height: int
    kind: str

    def __str__(self) -> str:
        return f"{self.chain} {self.height}: {self.kind}"


class Chain:
    """A thread (without `parent`) or a package's side-chain (`parent`: its parent block's id), in O(log n) memory.

    `subject` is the account or package that every body must name.
    """

    def __init__(self, origin: bytes, subject: bytes, parent: bytes | None = None) -> None:
        self.head = self._origin = origin
        self._subject = subject
        self._parent = parent
        self._kind = ParentBody if parent is None else SideBody
        self._log = Log()
        self._time = 0

    @property
    def name(self) -> str:
        return f"{'thread' if self._parent is None else 'package'} 0x{self._subject.hex()}"

    @property
    def height(self) -> int:
        """How many blocks the chain has."""
        return self._log.size

    def append(
        self, entry: Entry, record: bytes | None, limit: int, nodes: Container[bytes]
    ) -> tuple[list[str], Header, ParentBody | SideBody | None]:
        """Check the next block; its kinds of fault, its header, and its body if that is the emitted one and valid."""
        header = entry.header(self.head)
        self._log.append(entry.leaf)
        kinds = list(self._header_faults(header, limit))
        self.head = header.hash()
        self._time = max(self._time, header.time)
        if record is None:
            return [*kinds, "body-missing"], header, None
        kinds += self._envelope_faults(record, header)
        if leaf_hash(record[120:]) != entry.leaf:
            return [*kinds, "leaf"], header, None
        try:
            body = self._kind.decode(record[120:])
        except Refused:
            return [*kinds, "malformed"], header, None
        if isinstance(body, SideBody) and body.number != header.version:
            return [*kinds, "malformed"], header, None
        return kinds + list(self._body_faults(body, nodes)), header, body

    def _header_faults(self, header: Header, limit: int) -> Iterator[str]:
        if not header.has_work():
            yield "proof-of-work"
        if target(header.bits) > limit:
            yield "work-limit"
        if header.merkle_root != self._log.header_root():
            yield "merkle-root"
        if header.time < self._time:
            yield "time-order"

    def _envelope_faults(self, record: bytes, header: Header) -> Iterator[str]:
        """The served envelope against the one that follows from the chain."""
        if len(record) != self._kind.record_size():
            yield "size"
            return
        served, own = Header.decode(record[40:120]), header.hash()
        if record[:4] != self._kind.MAGIC:
            yield "magic"
        if record[4:36] != (own if self._parent is None else side_id(self._parent, own)):
            yield "id"
        if record[36:40] != u32(len(record) - 40):
            yield "size"
        if served.previous != header.previous:
            yield "link"
        if replace(served, previous=header.previous) != header:
            yield "header-differs"

    def _body_faults(self, body: ParentBody | SideBody, nodes: Container[bytes]) -> Iterator[str]:
        if isinstance(body, SideBody) and body.package != self._subject:
            yield "package"
        if isinstance(body, ParentBody) and body.requestor != self._subject:
            yield "requestor"
        if not body.is_signed(self._origin):
            yield "signature"
        if body.node not in nodes:
            yield "unknown-node"
