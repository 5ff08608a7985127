"""Each rule of §9.1 by itself: evidence of one's own making, in which nothing else is wrong."""

import os
from dataclasses import replace
from typing import Any

import pytest
from coincurve import PrivateKey

from medshare_independent.block import SideBody, encode_record, side_id, signed, thread_origin
from medshare_independent.bundle import Block
from medshare_independent.codec import sha256d
from medshare_independent.evidence import Evidence
from medshare_independent.header import Header
from medshare_independent.merkle import Log
from medshare_independent.signature import address, sign
from medshare_independent.storage import NO_CODE
from medshare_independent.typed import digest
from test_evidence import BUNDLE

WALLET, SESSION, NODE, STRANGER = (PrivateKey(os.urandom(32)) for _ in range(4))
EASY = 0x207FFFFF
OURS = {"requestor": address(WALLET.public_key)}
ZERO, OTHER = bytes(32), bytes([9]) * 32


def said(name: str, message: dict[str, Any], key: PrivateKey) -> bytes:
    return sign(key, digest(name, message, BUNDLE.chain_id, BUNDLE.address))


def parent(key: PrivateKey = NODE, **changes: Any) -> Block:
    """The bundle's parent block for our own requestor, signed by our own node."""
    origin = thread_origin(BUNDLE.chain_id, BUNDLE.address, OURS["requestor"])
    body = signed(replace(BUNDLE.parent.body, **OURS | changes), key, origin)
    return Block(replace(BUNDLE.parent.header, bits=EASY).mined(), body, b"")


def side(number: int, reported: int, violated: int = 0, key: PrivateKey = NODE, **changes: Any) -> SideBody:
    first = BUNDLE.parent.body
    body = SideBody(violated.bit_count(), number, first.owner, OURS["requestor"], reported, violated, BUNDLE.package,
                    number, ZERO, ZERO, b"", b"", number)
    return signed(replace(body, **changes), key, parent().body.leaf())


def evidence(bodies: list[SideBody] = [], **changes: Any) -> Evidence:
    """Of our parent block and side-blocks, and a contract that held them."""
    first, log, sides = parent(), Log(), []
    head = first.body.leaf()
    for body in bodies:
        log.append(body.leaf())
        header = Header(body.number, head, log.header_root(), first.header.time, EASY, 0).mined()
        head = header.hash()
        record = encode_record(body.encode(), header, b"MDSS", side_id(first.header.hash(), head))
        sides.append(Block(header, body, record))
    made = Evidence(BUNDLE)
    made.bundle = replace(BUNDLE, **dict(parent=first, sides=sides, request=BUNDLE.request | OURS) | changes)
    made.held = replace(made.held, requestor=OURS["requestor"], head=head, parent=first.body.leaf()[:16], settled=0)
    return made


def faults(check) -> list[str]:
    return [fault for holds, fault in check() if not holds]


@pytest.mark.parametrize("name, value", [
    ("requestor", b"\1" * 20), ("owner", b"\1" * 20), ("dataset", OTHER), ("package", OTHER), ("sensitivity", 0),
    ("purpose", b"GRU".ljust(32, b"\0")), ("verifier", b"\1" * 20), ("payload_hash", OTHER), ("action_counter", 0)])
def test_parent_fields(name: str, value: Any) -> None:
    assert faults(evidence(parent=parent(**{name: value}))._parent) == [f"the parent block's {name} is another"]


def test_parent() -> None:
    assert faults(evidence()._parent) == []
    elsewhere = signed(parent().body, NODE, ZERO)
    assert faults(evidence(parent=Block(parent().header, elsewhere, b""))._parent) == [
        "the parent block is not signed by its node"]
    idle = replace(BUNDLE.parent.header, bits=0x03000001)
    assert faults(evidence(parent=Block(idle, parent().body, b""))._parent) == [
        "the parent block's header does not meet its target"]


READ, COPY, DECRYPT = 1, 1 << 5, 1 << 6


@pytest.mark.parametrize("bodies, expected", [
    ([], []),
    ([side(1, DECRYPT), side(2, READ), side(3, COPY, COPY)], []),
    ([side(1, READ)], ["side-block 1: first-report"]),
    ([side(1, DECRYPT), side(2, COPY)], ["side-block 2: verdict"]),
    ([side(1, DECRYPT), side(2, READ, READ)], ["side-block 2: verdict"]),
    ([side(1, DECRYPT), side(3, READ)], ["side-block 2: report-number"]),
    ([side(1, DECRYPT, owner=b"\1" * 20)], ["side-block 1: field"]),
    ([side(1, DECRYPT, requestor=b"\1" * 20)], ["side-block 1: field"]),
    ([side(1, DECRYPT, package=OTHER)], ["side-block 1: package"]),
    ([replace(side(1, DECRYPT), locktime=2)], ["side-block 1: signature"])])
def test_sides(bodies: list[SideBody], expected: list[str]) -> None:
    assert [fault.removeprefix("blocks.json: ") for fault in evidence(bodies)._sides()] == expected


def test_another_head() -> None:
    made = evidence([side(1, DECRYPT)])
    made.held = replace(made.held, head=OTHER)
    assert list(made._sides()) == ["the side-blocks do not lead to the head that the contract held"]


def reported(number: int, previous: bytes, session: dict = {}, receipt: dict = {}, keys: dict = {}, **changes: Any) -> dict:
    """A report with its session and receipt; `keys` sign instead of those that should."""
    sealed = os.urandom(60)
    report = dict(package=BUNDLE.package, number=number, previous=previous, actions=READ, time=number,
                  body=sha256d(sealed)) | changes
    own = digest("Report", report, BUNDLE.chain_id, BUNDLE.address)
    session = dict(package=BUNDLE.package, key=address(SESSION.public_key), expiry=1 << 60) | session
    receipt = dict(package=BUNDLE.package, number=number, report=own, received=1, leaseSeconds=0) | receipt
    key = {"report": SESSION, "session": WALLET, "receipt": NODE} | keys
    return {"report": report, "signature": said("Report", report, key["report"]), "session": session,
            "session_signature": said("Session", session, key["session"]), "body": sealed, "receipt": receipt,
            "receipt_signature": said("Receipt", receipt, key["receipt"])}


def block_of(each: dict, key: PrivateKey = NODE, **changes: Any) -> SideBody:
    report = each["report"]
    own = digest("Report", report, BUNDLE.chain_id, BUNDLE.address)
    recorded = dict(reported=report["actions"], time=report["time"], report=own, sealed_report=report["body"])
    return side(report["number"], key=key, **recorded | changes)


@pytest.mark.parametrize("changes, expected", [
    ({}, []),
    (dict(package=OTHER), ["report 1 does not follow the one before"]),
    (dict(previous=OTHER), ["report 1 does not follow the one before"]),
    (dict(keys={"report": STRANGER}), ["report 1 is not signed by its session"]),
    (dict(session={"package": OTHER}), ["the session of report 1 is of another package"]),
    (dict(keys={"session": STRANGER}), ["the session of report 1 is not the requestor's"]),
    (dict(body=OTHER), ["report 1 has another body"]),
    (dict(receipt={"package": OTHER}), ["receipt 1 is of another report"]),
    (dict(receipt={"number": 2}), ["receipt 1 is of another report"]),
    (dict(receipt={"report": OTHER}), ["receipt 1 is of another report"]),
    (dict(keys={"receipt": STRANGER}), ["receipt 1 is not the node's"])])
def test_reports(changes: dict, expected: list[str]) -> None:
    each = reported(**dict(number=1, previous=ZERO) | changes)
    assert faults(evidence(reports=[each])._reports) == expected
    assert faults(evidence([block_of(each)], reports=[each])._reports) == expected


@pytest.mark.parametrize("changes", [
    dict(report=OTHER), dict(sealed_report=OTHER), dict(reported=DECRYPT), dict(time=7)])
def test_a_report_and_its_block(changes: dict) -> None:
    each = reported(1, ZERO)
    assert faults(evidence([block_of(each, **changes)], reports=[each])._reports) == [
        "side-block 1 records another report"]


def test_reports_in_a_row() -> None:
    first = reported(1, ZERO)
    own = digest("Report", first["report"], BUNDLE.chain_id, BUNDLE.address)
    assert faults(evidence([block_of(first)], reports=[first, reported(2, own)])._reports) == []
    assert faults(evidence(reports=[first, reported(2, OTHER)])._reports) == ["report 2 does not follow the one before"]
    assert faults(evidence(reports=[first, reported(3, own)])._reports)[0] == "report 2 does not follow the one before"
    assert faults(evidence([block_of(first)], reports=[])._reports) == ["a side-block's report is not there"]


def test_receipts_are_of_the_blocks_node() -> None:
    """Another node of the custodian may take a report; its block names it. Of what is in no block the parent block's counts."""
    each = reported(1, ZERO, keys={"receipt": STRANGER})
    assert faults(evidence([block_of(each, key=STRANGER)], reports=[each])._reports) == []
    assert faults(evidence(reports=[each])._reports) == ["receipt 1 is not the node's"]


def test_a_wallet_with_code_signs_as_its_code_agrees() -> None:
    each = reported(1, ZERO, keys={"session": STRANGER})
    contract = replace(BUNDLE.wallet, code_hash=OTHER)
    assert BUNDLE.wallet.code_hash == NO_CODE
    made = evidence(reports=[each], wallet=contract)
    assert faults(made._reports) == []
    seen = ["the session of report 1", "the time of the deletion"]  # whose signature is the bundle's own requestor's
    assert made.on_the_nodes_word() == seen
    assert all(f"only the custodian's node has seen {what}" in made.summary() for what in seen)
    assert "only the custodian's node" not in Evidence(BUNDLE).summary()


def test_deletion() -> None:
    def given(package: bytes, key: PrivateKey) -> dict[str, Any]:
        message = {"package": package, "time": 1}
        return {"deletion": {"deletion": message, "signature": said("Deletion", message, key)}}

    assert faults(evidence(**given(BUNDLE.package, WALLET))._deletion) == []
    assert faults(evidence(**given(OTHER, WALLET))._deletion) == ["is of another package"]
    assert faults(evidence(**given(BUNDLE.package, STRANGER))._deletion) == ["is not signed by the requestor"]
    missing = "is missing, though the contract holds the package as retrieved"
    assert faults(evidence(deletion=None)._deletion) == [missing]


def test_validation() -> None:
    def with_word(key: PrivateKey = STRANGER, **changes: Any) -> Evidence:
        message = BUNDLE.validation["validation"] | changes
        word = {"verifier": address(STRANGER.public_key), "validation": message}
        word["signature"] = said("Validation", message, key)
        certified = {"package": BUNDLE.package, "payloadHash": BUNDLE.parent.body.payload_hash,
                     "content": sha256d(BUNDLE.validation["certificate"]["text"].encode())}
        text = BUNDLE.validation["certificate"]["text"]
        word["certificate"] = {"text": text, "signature": said("Certification", certified, STRANGER)}
        return evidence(validation=word)

    assert faults(with_word()._validation) == []
    assert faults(with_word(WALLET)._validation) == ["is not signed by the second node"]
    assert faults(with_word(package=OTHER)._validation) == ["is of another package"]
    assert faults(with_word(sensitivity=0)._validation) == ["is of another sensitivity"]
    assert faults(with_word(usage=OTHER)._validation) == ["is of another usage contract"]


def test_form() -> None:
    """The bundle's form with another word of the second node, times or certificate."""
    made = Evidence(BUNDLE)

    def changed(**changes: Any) -> list[str]:
        made.bundle = replace(BUNDLE, **changes)
        return faults(made._form)

    assert changed() == []
    word = BUNDLE.validation | {"validation": BUNDLE.validation["validation"] | {"formDigest": OTHER}}
    assert changed(validation=word) == ["is not the parent block's and the second node's"]
    late = replace(BUNDLE.parent.body, locktime=BUNDLE.parent.body.locktime + 1)
    assert changed(parent=BUNDLE.parent._replace(body=late)) == ["does not begin and end with TTR and locktime"]
    text = BUNDLE.validation["certificate"] | {"text": "{}"}
    assert changed(validation=BUNDLE.validation | {"certificate": text}) == ["names another certificate"]


def test_a_report_is_earlier_than_its_sessions_end() -> None:
    late = reported(1, ZERO, session={"expiry": 1})
    assert "report 1 is later than its session's end" in faults(evidence(reports=[late])._reports)


def test_a_settled_report_is_there() -> None:
    made = evidence(reports=[reported(1, ZERO)])
    made.held = replace(made.held, settled=1)
    assert faults(made._reports) == []
    made.held = replace(made.held, settled=2)
    assert faults(made._reports) == ["report 2, which the contract has settled, is missing"]


def test_the_second_node_has_seen_a_step() -> None:
    made = Evidence(BUNDLE)
    nothing = BUNDLE.validation["validation"] | {"formDigest": sha256d(b"medshare/form/v1")}
    made.bundle = replace(BUNDLE, validation=BUNDLE.validation | {"validation": nothing})
    assert faults(made._form) == ["is not the parent block's and the second node's"]
