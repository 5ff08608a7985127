"""Proofs that a block is in a chain, that a chain only grew, what the contract held of a package (§2.1)."""

from dataclasses import dataclass
from typing import Any, Self

from .codec import need
from .header import Header
from .merkle import header_root, verify_consistency, verify_inclusion
from .shape import ACCOUNT, HASH, U64, array, fields, octets, parse
from .storage import Contract


@dataclass(frozen=True)
class ChainName:
    """A requestor's thread, or a package's side-chain."""

    kind: str
    subject: bytes

    @classmethod
    def read(cls, value: Any) -> Self:
        need(isinstance(value, dict) and len(value) == 1 and value.keys() <= {"thread", "side"}, "`thread` or `side`")
        (kind, subject), = value.items()
        return cls(kind, (ACCOUNT if kind == "thread" else HASH)(subject))

    def __str__(self) -> str:
        return f"{'thread' if self.kind == 'thread' else 'side-chain'} 0x{self.subject.hex()}"


@dataclass(frozen=True)
class End:
    """A chain at some size: the root of all its leaves, and the header of its last block."""

    size: int
    root: bytes
    header: bytes

    @classmethod
    def read(cls, value: Any) -> Self:
        return cls(**fields(value, {"size": U64, "root": HASH, "header": octets(80)}))

    def head(self) -> bytes:
        """The hash of the last header, which binds root and size; refused when it does not."""
        header = Header.decode(self.header)
        need(header.merkle_root == header_root(self.root, self.size), "the header is not of this root and size")
        return header.hash()


@dataclass(frozen=True)
class Inclusion:
    """That a leaf is number `index` of a chain."""

    chain: ChainName
    leaf: bytes
    index: int
    end: End
    path: list[bytes]

    @classmethod
    def read(cls, value: Any) -> Self:
        shape = {"chain": ChainName.read, "leaf": HASH, "index": U64, "end": End.read, "path": array(HASH)}
        return cls(**fields(value, shape))

    def check(self) -> bytes:
        """The head that a reader has to know to be the chain's."""
        head = self.end.head()
        held = verify_inclusion(self.leaf, self.index, self.end.size, self.path, self.end.root)
        need(held, "the path does not lead from the leaf to the root")
        return head

    def __str__(self) -> str:
        head = self.end.head().hex()
        return f"block 0x{self.leaf.hex()} is number {self.index} of {self.end.size} of {self.chain} with the head 0x{head}"


@dataclass(frozen=True)
class Growth:
    """That all blocks of the old chain stand at the beginning of the new one."""

    chain: ChainName
    old: End
    new: End
    path: list[bytes]

    @classmethod
    def read(cls, value: Any) -> Self:
        shape = {"chain": ChainName.read, "old": End.read, "new": End.read, "path": array(HASH)}
        return cls(**fields(value, shape))

    def check(self) -> bytes:
        """The head that a reader has to know to be the chain's."""
        self.old.head()
        head = self.new.head()
        old, new = self.old, self.new
        need(old.size != new.size or old.header == new.header, "two headers of one size: a fork")
        held = verify_consistency(old.size, old.root, new.size, new.root, self.path)
        need(held, "the path does not lead from the old root to the new one")
        return head

    def __str__(self) -> str:
        old, new = (f"{end.size} blocks with the head 0x{end.head().hex()}" for end in (self.old, self.new))
        return f"{self.chain} grew from {old} to {new}"


@dataclass(frozen=True)
class State:
    """What the contract held of a package."""

    package: bytes
    contract: Contract

    @classmethod
    def read(cls, value: Any) -> Self:
        return cls(**fields(value, {"package": HASH, "contract": Contract.read}))

    def check(self) -> bytes:
        """The hash of the EVM block that a reader has to know to be on the chain."""
        self.contract.package(self.package)
        return self.contract.evm_block.hash

    def __str__(self) -> str:
        held, block = self.contract.package(self.package), self.contract.evm_block
        return (
            f"package 0x{self.package.hex()} of 0x{self.contract.address.hex()} was {held.state(block.time)} "
            f"in the EVM block {block.number}, 0x{block.hash.hex()}"
        )


_KINDS = {"inclusion": Inclusion, "growth": Growth, "state": State}


def read_proof(raw: bytes) -> Inclusion | Growth | State:
    """A proof as JSON; any other field is refused."""
    value = parse(raw)
    need(type(value) is dict, "not an object")
    kind = value.pop("proof", None)
    need(type(kind) is str and kind in _KINDS, "unknown kind of proof")
    return _KINDS[kind].read(value)
