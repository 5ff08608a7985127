"""Proofs as JSON (§2.1), made of the evidence vector: every one holds, and none with anything changed."""

import json

import pytest

from changes import changes
from medshare_independent.codec import Refused
from medshare_independent.proof import End, Growth, read_proof
from test_evidence import BUNDLE, JSON

_SIDE = JSON["proofs.json"]["sides"][1]
_LEAVES = [JSON["proofs.json"]["sides"][index]["leaf"] for index in range(3)]
PROOFS = {
    "inclusion": {"proof": "inclusion", **_SIDE},
    "growth": {
        "proof": "growth",
        "chain": _SIDE["chain"],
        "old": {"size": 1, "root": _LEAVES[0], "header": "0x" + BUNDLE.sides[0].header.encode().hex()},
        "new": _SIDE["end"],
        "path": _LEAVES[1:],
    },
    "state": {"proof": "state", "package": JSON["evidence.json"]["package"], "contract": JSON["contract.json"]},
}
KNOWN = {"inclusion": BUNDLE.sides[-1].header.hash(), "growth": BUNDLE.sides[-1].header.hash(),
         "state": BUNDLE.contract.evm_block.hash}


def checked(value: dict) -> bytes:
    """The head or EVM block that the proof rests on."""
    return read_proof(json.dumps(value).encode()).check()


@pytest.mark.parametrize("name", PROOFS)
def test_sound(name: str) -> None:
    assert checked(PROOFS[name]) == KNOWN[name]


@pytest.mark.parametrize("name", PROOFS)
def test_every_field_is_held(name: str) -> None:
    """But for the chain's name and an old header's other fields, which are the reader's to know, and slots of other nodes."""
    other_nodes = [f".contract.storage[{index}] {how}" for index in (9, 10) for how in ("dropped", "moved")]
    free = {"inclusion": (".chain",), "growth": (".chain", ".old.header"), "state": (*other_nodes[:1], *other_nodes[2:])}[name]
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
