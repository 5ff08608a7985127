"""Everything that MUST be refused (refused.json), beside the good bytes that it was made of."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conftest import unhexed, vectors
from medshare_independent import certificate
from medshare_independent.block import ParentBody, SideBody, decode_record
from medshare_independent.codec import Refused, need
from medshare_independent.form import Step
from medshare_independent.header import Entry, Header, target
from medshare_independent.merkle import Log, header_root, verify_consistency, verify_inclusion
from medshare_independent.package import PackageHeader, open_package
from medshare_independent.report import decode_body
from medshare_independent.signature import signed_by
from medshare_independent.storage import Contract, Slot
from test_evidence import JSON
from test_package import CONTAINER, SEALED, SECRET

VECTOR = unhexed(vectors("refused"))
Refuser = Callable[[bytes], Any]


def bad(good: bytes, refused: list[dict]) -> Iterator[tuple[str, bytes]]:
    for case in refused:
        joined = (piece if isinstance(piece, bytes) else good[slice(*piece)] for piece in case["pieces"])
        yield case["why"], b"".join(joined)


def refuses_all(read: Refuser, good: bytes, cases: Iterator[tuple[str, bytes]]) -> None:
    read(good)
    for why, data in cases:
        with pytest.raises(Refused):
            read(data)
            pytest.fail(f"took what must be refused: {why}")


def test_signatures() -> None:
    given = VECTOR["signatures"]
    account, digest, refused = given["account"], given["digest"], given["refused"]
    assert signed_by(account, digest, given["good"])
    assert [case["why"] for case in refused if signed_by(account, digest, case["signature"])] == []


@pytest.mark.parametrize(("kind", "body"), [("parent", ParentBody), ("side", SideBody)])
def test_bodies(kind: str, body: type[ParentBody] | type[SideBody]) -> None:
    given = VECTOR["bodies"][kind]

    def read(raw: bytes) -> None:
        need(body.decode(raw).is_signed(given["origin"]), "Nsig")

    refuses_all(read, given["good"], bad(given["good"], given["refused"]))


def test_headers() -> None:
    given = VECTOR["headers"]

    def read(raw: bytes) -> None:
        header = Header.decode(raw)
        need(header.has_work() and target(header.bits) <= target(given["limit"]), "work")

    refuses_all(read, given["good"], ((case["why"], case["header"]) for case in given["refused"]))


def test_targets() -> None:
    assert [case for case in VECTOR["targets"] if target(case["bits"]) != 0] == []


def test_entries() -> None:
    given = VECTOR["entries"]

    def read(raw: bytes) -> list[Entry]:
        return [Entry.decode(raw[at:at + 80]) for at in range(0, len(raw), 80)]

    refuses_all(read, given["good"], ((case["why"], case["entries"]) for case in given["refused"]))


def log_of(leaves: list[bytes]) -> Log:
    log = Log()
    for leaf in leaves:
        log.append(leaf)
    return log


@pytest.mark.parametrize("given", VECTOR["logs"], ids=lambda given: len(given["leaves"]))
def test_logs(given: dict) -> None:
    log, doubled = log_of(given["leaves"]), log_of(given["doubled"])
    assert (log.root(), log.header_root()) == (given["root"], given["header_root"])
    assert (doubled.root(), doubled.header_root()) == (given["doubled_root"], given["doubled_header_root"])
    assert log.root() != doubled.root() and log.header_root() != doubled.header_root()

    def proven(index: int, leaf: bytes, proof: list[bytes], root: bytes, size: int, why: str = "") -> bool:
        in_header = header_root(root, size) == given["header_root"]
        return in_header and verify_inclusion(leaf, index, size, proof, root)

    for index, (leaf, proof) in enumerate(zip(given["leaves"], given["proofs"], strict=True)):
        assert proven(index, leaf, proof, log.root(), log.size)
    assert [case["why"] for case in given["inclusion"] if proven(**case)] == []
    grown = [case["why"] for case in given["consistency"] if verify_consistency(
        case["old_size"], case["old_root"], case["new_size"], case["new_root"], case["proof"])]
    assert grown == [] and given["inclusion"] and given["consistency"]


@pytest.mark.parametrize("kind", ["parent", "side"])
def test_records(kind: str) -> None:
    given = VECTOR["records"]
    parent = None if kind == "parent" else given["parent_id"]
    good, refused = given[kind]["good"], given[kind]["refused"]
    refuses_all(lambda raw: decode_record(raw, parent), good, bad(good, refused))


@pytest.mark.parametrize(("kind", "read"), [
    ("package_header", PackageHeader.decode), ("form_step", Step.decode), ("report_body", decode_body)])
def test_cbor(kind: str, read: Refuser) -> None:
    good, refused = VECTOR["cbor"][kind]["good"], VECTOR["cbor"][kind]["refused"]
    refuses_all(read, good, bad(good, refused))


def test_certificates() -> None:
    given = VECTOR["certificate"]
    refuses_all(certificate.read, given["good"], bad(given["good"], given["refused"]))
    assert given["taken"]
    for _, text in bad(given["good"], given["taken"]):
        certificate.read(text)


def test_tries() -> None:
    given = VECTOR["trie"]

    def proves(case: dict) -> None:
        Slot(case["slot"], case["value"], case["nodes"]).check(case.get("root", given["root"]))

    for case in given["good"]:
        proves(case)
    for case in given["refused"]:
        with pytest.raises(Refused):
            proves(case)
            pytest.fail(f"took what must be refused: {case['why']}")


def test_no_way_is_longer_than_a_key() -> None:
    slot = {"slot": "0x" + "11" * 32, "value": "0x0", "proof": ["0x"] * 65}
    assert len(Slot.read(slot).proof) == 65
    with pytest.raises(Refused, match="more than 65"):
        Slot.read(slot | {"proof": ["0x"] * 66})


def test_no_more_slots_are_read_than_a_proof_has() -> None:
    given = JSON["contract.json"]
    slot = {"slot": "0x" + "11" * 32, "value": "0x0", "proof": []}
    for count, why in ((256, "ascending"), (257, "more than 256")):
        with pytest.raises(Refused, match=why):
            Contract.read(given | {"storage": [slot] * count})


def opened(container: bytes) -> None:
    open_package(io.BytesIO(container), io.BytesIO(), SECRET, SEALED)


@pytest.mark.parametrize("kind", ["short", "long"])
def test_containers(kind: str) -> None:
    given = VECTOR["container"][kind]
    good = given.get("good", CONTAINER)
    assert len(good) == given.get("length", len(good))
    refuses_all(opened, good, bad(good, given["refused"]))
