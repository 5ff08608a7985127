"""Proofs as JSON (§2.1): those of the vectors hold, and none with anything changed."""

import json

import pytest
import rlp
from eth_utils import keccak

from changes import changes
from conftest import unhexed, vectors
from medshare_independent.codec import Refused
from medshare_independent.proof import End, Growth, State, read_proof
from medshare_independent.storage import Contract, slot_of
from test_evidence import BUNDLE, JSON

VECTOR = vectors("proofs")
PROOFS = {
    "inclusion": VECTOR["inclusion"],
    "growth": VECTOR["growth"],
    "state": {"proof": "state", "package": VECTOR["package"], "contract": JSON["contract.json"]},
}
_NODES = (slot_of(node, 5).to_bytes(32).hex() for node in (BUNDLE.parent.body.node, BUNDLE.parent.body.verifier))
_SLOTS = [slot["slot"][2:] for slot in JSON["contract.json"]["storage"]]
OTHER_SLOTS = tuple(f".contract.storage[{_SLOTS.index(slot)}] dropped" for slot in _NODES)
KNOWN = {"inclusion": BUNDLE.sides[-1].header.hash(), "growth": BUNDLE.sides[-1].header.hash(),
         "state": BUNDLE.contract.evm_block.hash}


def checked(value: dict) -> bytes:
    """The head or EVM block that the proof rests on."""
    return read_proof(json.dumps(value).encode()).check()


@pytest.mark.parametrize("name", PROOFS)
def test_sound(name: str) -> None:
    assert checked(PROOFS[name]) == KNOWN[name]


def test_heads_and_slots() -> None:
    heads, slots = unhexed(VECTOR["heads"]), VECTOR["slots"]
    assert heads == {"1": BUNDLE.sides[0].header.hash(), "3": KNOWN["growth"]}
    assert {int(each["slot"], 16): int(each["value"], 16) for each in slots} == BUNDLE.contract.storage


@pytest.mark.parametrize("name", PROOFS)
def test_every_field_is_held(name: str) -> None:
    """But for the chain's name and an old header's other fields, which are the reader's to know; and a slot more or less
    of a node, which nobody asked for."""
    free = {"inclusion": (".chain",), "growth": (".chain", ".old.header"), "state": OTHER_SLOTS}[name]
    seen = 0
    for path, changed in changes(PROOFS[name]):
        if path.startswith(free):
            continue
        seen += 1
        try:
            assert checked(changed) != KNOWN[name], path
        except Refused:
            pass
    assert seen > 10


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"proof":"other"}', b'{"proof":["state"]}', b"\xff", b"[" * 100_000])
def test_no_proof(text: bytes) -> None:
    with pytest.raises(Refused):
        read_proof(text)


@pytest.mark.parametrize("name", PROOFS)
def test_fields(name: str) -> None:
    for field in PROOFS[name]:
        with pytest.raises(Refused):
            checked({key: value for key, value in PROOFS[name].items() if key != field})
    with pytest.raises(Refused):
        checked(PROOFS[name] | {"more": 1})


def test_an_old_header_is_of_its_root() -> None:
    proof = read_proof(json.dumps(PROOFS["growth"]).encode())
    other = End(proof.old.size, proof.old.root, proof.new.header)
    with pytest.raises(Refused, match="root and size"):
        Growth(proof.chain, other, proof.new, proof.path).check()


def _alone(key: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A trie that has nothing else: its root, and its one node."""
    node = rlp.encode([b"\x20" + keccak(key), value])
    return keccak(node), node


def _of_no_storage(*more: bytes) -> Contract:
    """A contract that has stored nothing, in a block whose header has further fields."""
    address = bytes(20)
    storage = keccak(rlp.encode(b""))
    root, node = _alone(address, rlp.encode([1, 0, storage, keccak(b"")]))
    header = [b"any"] * 3 + [root] + [b"any"] * 4 + [300] + [b"any"] * 2 + [1_000] + [b"any"] * 3 + [*more]
    package, nobody = slot_of(PACKAGE, 14), slot_of(0, 11)
    slots = [package, package + 1, package + 2, nobody, nobody + 1, slot_of(0, slot_of(0, 12)), slot_of(0, slot_of(0, 13)),
             slot_of(PACKAGE, slot_of(0, 15)), slot_of(0, 16)]
    text = lambda raw: "0x" + raw.hex()
    return Contract.read({
        "header": text(rlp.encode(header)), "contract": text(address),
        "account": {"nonce": 1, "balance": "0x0", "storage_root": text(storage), "code_hash": text(keccak(b"")), "proof": [text(node)]},
        "storage": [{"slot": text(slot.to_bytes(32)), "value": "0x0", "proof": []} for slot in sorted(slots)]})


PACKAGE = b"\7" * 32


@pytest.mark.parametrize("more", [(), (b"",), (b"\1" * 32, b"", b"more")])
def test_no_package(more: tuple[bytes, ...]) -> None:
    """§9.2: of a package that the contract does not have there is no state."""
    proof = State(PACKAGE, _of_no_storage(*more))
    assert proof.check() == proof.contract.evm_block.hash
    assert "was None in the EVM block 300" in str(proof)


def test_a_header_with_a_list() -> None:
    with pytest.raises(Refused, match="list"):
        _of_no_storage([])
