"""What the contract held, proven against the header of an EVM block by EIP-1186 (§9.2)."""

from dataclasses import dataclass
from typing import Any, Self

import rlp
from eth_utils import keccak
from trie import HexaryTrie
from trie.exceptions import MissingTrieNode

from .codec import Refused, need
from .shape import ACCOUNT, HASH, U64, array, fields, octets, quantity

NO_CODE = keccak(b"")
_NO_STORAGE = keccak(rlp.encode(b""))
_MAX_SLOTS = 256
_MAX_NODES = 65  # one for each half-byte of a key, and the last
_KEY = 64  # half-bytes of a key
_ALONE = 32  # a node shorter than this stands in the one above it
_HEADER_FIELDS = 15  # before London; later forks append fields


def _decoded(raw: bytes) -> Any:
    try:
        return rlp.decode(raw)
    except (rlp.DecodingError, RecursionError) as fault:
        raise Refused("no RLP") from fault


def _path(compact: Any) -> tuple[str, bool]:
    """The half-bytes of a compact path, and whether it ends at a leaf (yellow paper, appendix C)."""
    need(type(compact) is bytes, "a path that is a list")
    half_bytes = compact.hex()
    flags = half_bytes[:1]
    need(flags in ("1", "3") or flags in ("0", "2") and half_bytes[1] == "0", "a path that is not in its compact form")
    return half_bytes[1 if flags in ("1", "3") else 2:], flags in ("2", "3")


def _check_node(node: Any, depth: int, path: str | None) -> int | None:
    """Refuse what is no node (yellow paper, appendix D) so many half-bytes deep, wherever it stands.

    Where the way of `path` leaves for another node, if it does; None for `path`: nobody comes by.
    """
    need(type(node) is list and len(node) in (2, 17), "a node that is neither a path nor a branch")
    if len(node) == 17:
        need(node[16] == b"", "a branch with a value")
        ways = [_check_child(child, depth + 1, path if path and path[depth:depth + 1] == f"{half:x}" else None)
                for half, child in enumerate(node[:16])]
        return next((way for way in ways if way is not None), None)
    (half_bytes, is_leaf), below = _path(node[0]), node[1]
    need(below not in (b"", []), "a node with nothing below it")
    depth += len(half_bytes)
    if is_leaf:
        need(type(below) is bytes, "a leaf whose value is a list")
        need(depth == _KEY, "a leaf that does not end with its key")
        return None
    need(half_bytes != "", "an extension by nothing")
    ours = path is not None and path.startswith(half_bytes, depth - len(half_bytes))
    return _check_child(below, depth, path if ours else None)


def _check_child(child: Any, depth: int, path: str | None) -> int | None:
    need(depth <= _KEY, "a path longer than a key")
    if child == b"":
        return None
    if type(child) is bytes:
        need(len(child) == 32, "a child that is no hash")
        return None if path is None else depth
    need(len(rlp.encode(child)) < _ALONE, "a child that is too long to stand here")
    return _check_node(child, depth, path)


def _check_nodes(path: bytes, nodes: list[bytes]) -> None:
    """Refuse nodes that are none, or are not those on the way."""
    way: int | None = 0
    for index, node in enumerate(nodes):
        need(way is not None, "a node behind the end of its path")
        need(index == 0 or len(node) >= _ALONE, "a node that is given by itself and stands inside another")
        way = _check_node(_decoded(node), way or 0, path.hex())


def _trie_value(root: bytes, key: bytes, nodes: list[bytes]) -> bytes:
    """What a Merkle-Patricia trie has under keccak256(key), by the nodes on the way there and no others.

    Empty when the trie has nothing there.
    """
    if root == _NO_STORAGE:
        need(not nodes, "nodes of an empty trie")
        return b""
    need(len(nodes) > 0, "no nodes")
    path = keccak(key)
    _check_nodes(path, nodes)
    trie = HexaryTrie({keccak(node): node for node in nodes}, root)
    try:
        value, used = trie.get(path), trie.get_proof(path)
    except (MissingTrieNode, KeyError) as fault:
        raise Refused("a node on the way is missing") from fault
    except Exception as fault:  # the library raises errors of many types on nodes that are none
        raise Refused("a node that is none") from fault
    # A node of less than 32 bytes stands inside the one above it, and is not given again.
    encoded = [rlp.encode(node) for node in used]
    on_the_way = [node for index, node in enumerate(encoded) if index == 0 or len(node) >= _ALONE]
    need(nodes == on_the_way, "the nodes are not those on the way from the root")
    return value


@dataclass(frozen=True)
class EvmBlock:
    """What is read of an EVM block's header; `time` in seconds."""

    hash: bytes
    state_root: bytes
    number: int
    time: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The header from its RLP."""
        header = _decoded(raw)
        need(type(header) is list and len(header) >= _HEADER_FIELDS, "no header of an EVM block")
        need(all(type(field) is bytes for field in header), "a field that is a list")
        need(type(header[3]) is bytes and len(header[3]) == 32, "no state root")
        number, time = (_number(header[at], 8) for at in (8, 11))
        return cls(keccak(raw), header[3], number, time)


def _number(raw: Any, size: int) -> int:
    need(type(raw) is bytes and len(raw) <= size and raw[:1] != b"\0", "no number in its shortest form")
    return int.from_bytes(raw)


@dataclass(frozen=True)
class Account:
    """An account at an EVM block."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes
    proof: list[bytes]

    @classmethod
    def read(cls, value: Any) -> Self:
        shape = {"nonce": U64, "balance": quantity, "storage_root": HASH, "code_hash": HASH, "proof": array(octets(), _MAX_NODES)}
        return cls(**fields(value, shape))

    def check(self, address: bytes, state_root: bytes) -> None:
        """Refuse it unless the state has it under this address; an unused account by having nothing there."""
        value = _trie_value(state_root, address, self.proof)
        if value:
            wanted = [self.nonce, self.balance, self.storage_root, self.code_hash]
            need(value == rlp.encode(wanted), "the state has another account there")
        else:
            unused = (self.nonce, self.balance, self.storage_root, self.code_hash) == (0, 0, _NO_STORAGE, NO_CODE)
            need(unused, "the state has no such account")

    def has_code(self) -> bool:
        return self.code_hash != NO_CODE


@dataclass(frozen=True)
class Slot:
    """A storage word of an account."""

    slot: bytes
    value: int
    proof: list[bytes]

    @classmethod
    def read(cls, value: Any) -> Self:
        return cls(**fields(value, {"slot": HASH, "value": quantity, "proof": array(octets(), _MAX_NODES)}))

    def check(self, storage_root: bytes) -> None:
        """Refuse it unless the storage has it; a zero also by having nothing there."""
        value = _trie_value(storage_root, self.slot, self.proof)
        proven = value == rlp.encode(self.value) if value else self.value == 0
        need(proven, f"the slot 0x{self.slot.hex()} has another value")


def slot_of(*parts: bytes | int) -> int:
    """Solidity's place of a mapping's value: [a, b] as §9.2 writes it."""
    left, right = (part.to_bytes(32) if type(part) is int else part.rjust(32, b"\0") for part in parts)
    return int.from_bytes(keccak(left + right))


class _Word:
    """A storage word, taken apart from its low-order end."""

    def __init__(self, value: int) -> None:
        self._rest = value

    def take(self, size: int) -> int:
        value = self._rest & (1 << 8 * size) - 1
        self._rest >>= 8 * size
        return value

    def octets(self, size: int) -> bytes:
        return self.take(size).to_bytes(size)


@dataclass(frozen=True)
class Held:
    """What the contract held of a package."""

    requestor: bytes
    settled: int
    standing: int
    is_current: bool
    expiry: int
    terms: tuple[int, int, int, int]
    parent: bytes
    contract_key: bytes
    custodian: bytes
    dataset: bytes
    violations: int
    head: bytes
    thread: bytes

    def state(self, time: int) -> str:
        """The state of §5.1 at a time in seconds; None where the contract does not have the package."""
        if self.standing == 0:
            return "None"
        if self.standing == 3:
            return "Retrieved"
        if 1000 * time >= self.expiry:
            return "Expired"
        if self.standing == 2 or not self.is_current:
            return "Revoked"
        return "Issued" if self.head.startswith(self.parent) else "Active"


@dataclass(frozen=True)
class Contract:
    """The contract's account and slots, in one EVM block."""

    evm_block: EvmBlock
    address: bytes
    account: Account
    storage: dict[int, int]

    @classmethod
    def read(cls, value: Any) -> Self:
        """The proof as JSON; refused unless every value is what the state of the block has."""
        shape = dict(header=octets(), contract=ACCOUNT, account=Account.read, storage=array(Slot.read, _MAX_SLOTS))
        read = fields(value, shape)
        block, account = EvmBlock.decode(read["header"]), read["account"]
        account.check(read["contract"], block.state_root)
        slots = [each.slot for each in read["storage"]]
        need(slots == sorted(set(slots)), "slots are not in ascending order")
        for each in read["storage"]:
            each.check(account.storage_root)
        storage = {int.from_bytes(each.slot): each.value for each in read["storage"]}
        return cls(block, read["contract"], account, storage)

    def _at(self, slot: int) -> _Word:
        need(slot in self.storage, f"the slot {slot:#066x} is not there")
        return _Word(self.storage[slot])

    def custodian_of(self, node: bytes) -> bytes:
        """Of a registered node; of one that is not, zeros."""
        return self._at(slot_of(node, 5)).octets(20)

    def package(self, package: bytes) -> Held:
        """What the slots say of the package; refused where one is not there."""
        place = slot_of(package, 14)
        first, second = self._at(place), self._at(place + 1)
        requestor, settled = first.octets(20), first.take(4)
        epochs, standing = (first.take(3), first.take(3)), first.take(1)
        need(standing in (0, 1, 2, 3), "no standing")
        number, expiry = second.take(4), second.take(8)
        terms = (second.take(1), second.take(1), second.take(1), second.take(1))
        dataset = slot_of(number, 11)
        custodian = self._at(dataset).octets(20)
        relation = self._at(slot_of(number, slot_of(requestor, 12)))
        violations, epoch = relation.take(4), relation.take(3)
        owner = self._at(slot_of(custodian, slot_of(requestor, 13)))
        return Held(
            requestor=requestor,
            settled=settled,
            standing=standing,
            is_current=epochs == (epoch, owner.take(3)),
            expiry=expiry,
            terms=terms,
            parent=second.octets(16),
            contract_key=self._at(place + 2).octets(32),
            custodian=custodian,
            dataset=self._at(dataset + 1).octets(32),
            violations=violations,
            head=self._at(slot_of(package, slot_of(custodian, 15))).octets(32),
            thread=self._at(slot_of(requestor, 16)).octets(32),
        )
