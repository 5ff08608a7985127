"""Proofs as JSON (§2.1): those of the vectors hold, and none with anything changed."""

import json

import pytest

from changes import changes
from conftest import unhexed, vectors
from medshare_independent.codec import Refused
from medshare_independent.proof import End, Growth, read_proof
from medshare_independent.storage import slot_of
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
