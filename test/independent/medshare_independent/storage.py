"""What the contract held, proven against the header of an EVM block by EIP-1186 (§9.2)."""

from dataclasses import dataclass
from typing import Any, Self

import rlp
from eth_utils import keccak
from trie import HexaryTrie
from trie.exceptions import MissingTrieNode

from .codec import Refused, need
from .shape import ACCOUNT, HASH, U64, array, fields, octets, quantity, record

NO_CODE = keccak(b"")
_NO_STORAGE = keccak(rlp.encode(b""))
_HEADER_FIELDS = 15  # before London; later forks append fields


def _decoded(raw: bytes) -> Any:
    try:
        return rlp.decode(raw)
    except (rlp.DecodingError, RecursionError) as fault:
        raise Refused("no RLP") from fault


def _trie_value(root: bytes, key: bytes, nodes: list[bytes]) -> bytes:
    """What a Merkle-Patricia trie has under keccak256(key), by the nodes on the way there and no others.

    Empty when the trie has nothing there.
    """
    if root == _NO_STORAGE:
        need(not nodes, "nodes of an empty trie")
        return b""
    need(len(nodes) > 0, "no nodes")
    trie = HexaryTrie({keccak(node): node for node in nodes}, root)
    path = keccak(key)
    try:
        value, used = trie.get(path), trie.get_proof(path)
    except (MissingTrieNode, KeyError) as fault:
        raise Refused("a node on the way is missing") from fault
    except Exception as fault:  # the library raises errors of many types on nodes that are none
        raise Refused("a node that is none") from fault
    # A node of less than 32 bytes stands inside the one above it, and is not given again.
    encoded = [rlp.encode(node) for node in used]
    on_the_way = [node for index, node in enumerate(encoded) if index == 0 or len(node) >= 32]
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
        shape = {"nonce": U64, "balance": quantity, "storage_root": HASH, "code_hash": HASH, "proof": array(octets())}
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

    def end(self) -> None:
        need(self._rest == 0, "bytes of a slot that hold nothing")


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
        """The state of §5.1 at a time in seconds."""
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
    storage: list[dict[str, Any]]

    @classmethod
    def read(cls, value: Any) -> Self:
        slot = record(slot=HASH, value=quantity, proof=array(octets()))
        shape = dict(header=octets(), contract=ACCOUNT, account=Account.read, storage=array(slot))
        read = fields(value, shape)
        made = cls(EvmBlock.decode(read["header"]), read["contract"], read["account"], read["storage"])
        made._check()
        return made

    def _check(self) -> None:
        """Every value is what the state of the block has."""
        self.account.check(self.address, self.evm_block.state_root)
        need(len({each["slot"] for each in self.storage}) == len(self.storage), "a slot twice")
        for each in self.storage:
            value = _trie_value(self.account.storage_root, each["slot"], each["proof"])
            proven = value == rlp.encode(each["value"]) if value else each["value"] == 0
            need(proven, f"the slot 0x{each['slot'].hex()} has another value")

    def package(self, package: bytes, nodes: tuple[bytes, ...] | None = None) -> Held:
        """What the slots say of the package; refused unless they are its slots and those of the nodes, in order.

        Where the nodes are not known, any slots may follow the package's.
        """
        values = iter(self.storage)

        def next_at(slot: int) -> int:
            each = next(values, None)
            need(each is not None and int.from_bytes(each["slot"]) == slot, f"the slot {slot:#066x} is not there")
            return each["value"]

        place = slot_of(package, 14)
        first = _Word(next_at(place))
        requestor, settled = first.take(20).to_bytes(20), first.take(4)
        dataset_epoch, owner_epoch, standing = first.take(3), first.take(3), first.take(1)
        first.end()
        need(standing in (1, 2, 3), "the contract does not have the package")
        second = _Word(next_at(place + 1))
        number, expiry = second.take(4), second.take(8)
        terms = (second.take(1), second.take(1), second.take(1), second.take(1))
        parent = second.take(16).to_bytes(16)
        contract_key = next_at(place + 2).to_bytes(32)
        place = slot_of(number, 11)
        custodian_word = _Word(next_at(place))
        custodian = custodian_word.take(20).to_bytes(20)
        custodian_word.end()
        dataset = next_at(place + 1).to_bytes(32)
        relation = _Word(next_at(slot_of(number, slot_of(requestor, 12).to_bytes(32))))
        violations, epoch = relation.take(4), relation.take(3)
        relation.end()
        owner = _Word(next_at(slot_of(custodian, slot_of(requestor, 13).to_bytes(32))))
        is_current = (epoch, owner.take(3)) == (dataset_epoch, owner_epoch)
        owner.take(1)
        owner.end()
        head = next_at(slot_of(package, slot_of(custodian, 15).to_bytes(32))).to_bytes(32)
        thread = next_at(slot_of(requestor, 16)).to_bytes(32)
        for node in nodes or ():
            next_at(slot_of(node, 5))
        need(nodes is None or next(values, None) is None, "slots that nobody asked for")
        return Held(
            requestor, settled, standing, is_current, expiry, terms, parent, contract_key, custodian, dataset,
            violations, head, thread,
        )
