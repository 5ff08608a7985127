"""The package vector's messages (§4), form (§6) and report body (§8)."""

import random

import cbor2
import pytest

from conftest import unhexed, vectors
from medshare_independent import form, report, typed
from medshare_independent.codec import Refused, sha256d, u32
from medshare_independent.sealing import REPORT, seal
from medshare_independent.signature import recover
from test_package import HEADER, SECRET

VECTOR = unhexed(vectors("package"))
FORM, DIGESTS, BODY = VECTOR["form"], VECTOR["digests"], VECTOR["report"]["sealed_body"]
REQUEST = {name: value for name, value in VECTOR["request"].items() if name != "signature"}
DEPLOYMENT = VECTOR["chain_id"], VECTOR["contract"]


def test_package_id_and_usage() -> None:
    package = typed.digest("AccessRequest", REQUEST, *DEPLOYMENT)
    assert package == DIGESTS["AccessRequest"] == HEADER.package
    hashed = REQUEST | {"selection": typed.hash_struct("Selection", REQUEST["selection"])}
    assert typed.request_digest(hashed, *DEPLOYMENT) == package
    assert recover(package, VECTOR["request"]["signature"]) == REQUEST["requestor"]
    assert typed.hash_struct("Usage", VECTOR["usage"]) == DIGESTS["Usage (hashStruct)"]


MESSAGES = VECTOR["messages"]


@pytest.mark.parametrize("name", MESSAGES)
def test_message_digest(name: str) -> None:
    assert typed.digest(name, MESSAGES[name], *DEPLOYMENT) == DIGESTS[name]


def test_messages_are_about_this_package() -> None:
    assert MESSAGES["Report"]["body"] == sha256d(BODY)
    assert MESSAGES["Validation"]["usage"] == DIGESTS["Usage (hashStruct)"]


def test_the_receipt_is_the_nodes() -> None:
    assert MESSAGES["Receipt"]["report"] == DIGESTS["Report"]
    assert recover(DIGESTS["Receipt"], VECTOR["report"]["receipt_signature"]) == HEADER.node


def test_domain_counts() -> None:
    chain_id, contract = DEPLOYMENT
    digests = {typed.digest("Deletion", MESSAGES["Deletion"], *where)
               for where in [(chain_id, contract), (chain_id + 1, contract), (chain_id, bytes(20))]}
    assert len(digests) == 3


def test_form() -> None:
    steps, finished = FORM["steps"], FORM["digest"]
    form.check(steps, REQUEST["requestor"], REQUEST["purpose"])
    assert [form.Step.decode(step).encode() for step in steps] == steps
    *path, last = form.digests(steps)
    assert FORM["running"] == [*path, last]
    assert last == finished and all(form.continues(steps, finished, digest) for digest in path[1:])
    assert not form.continues(steps, finished, path[0])  # of no step
    assert not form.continues(steps, finished, bytes(32)) and not form.continues(steps[:-1], finished, path[1])


def test_every_byte_of_a_form_counts() -> None:
    for index, step in enumerate(FORM["steps"]):
        for position in range(len(step)):
            changed = bytearray(step)
            changed[position] ^= random.randrange(1, 256)
            steps = [*FORM["steps"][:index], bytes(changed), *FORM["steps"][index + 1:]]
            assert not form.continues(steps, FORM["digest"], DIGESTS["AccessRequest"])
            assert list(form.digests(steps))[-1] != FORM["digest"]


@pytest.mark.parametrize("steps", [
    [], FORM["steps"][1:], [FORM["steps"][0], FORM["steps"][0][:-1]], [FORM["steps"][0] + b"\0"], [b"\x80"],
    [FORM["steps"][0].replace(b"received", b"accepted")], [FORM["steps"][0].replace(b"DUO:0000042", b"DUO:0000043")],
    [FORM["steps"][0], FORM["steps"][1].replace(b"0xede", b"0xedf")]])
def test_no_form(steps: list[bytes]) -> None:
    with pytest.raises(Refused):
        form.check(steps, REQUEST["requestor"], REQUEST["purpose"])


def test_report_body() -> None:
    secret = VECTOR["report"]["contract_secret"]
    read = report.open_body(BODY, secret, HEADER.package, 1)
    assert read == report.Report(VECTOR["report"]["comment"], [[0, 100]], "data.csv", "cat")
    assert report.decode_body(VECTOR["report"]["body"]) == read
    sealed = report.seal_body(read, HEADER.contract_key, HEADER.package, 2)
    assert report.open_body(sealed, secret, HEADER.package, 2) == read
    account = report.decode_body(VECTOR["report"]["account"])
    assert (account.ranges, account.counts) == ([[0, 65_536], [131_072, 131_584]], {0: 25, 1: 1})
    assert [output[:2] + output[3:] for output in account.outputs] == [["result.csv", 13, 0]]
    sealed = report.seal_body(account, HEADER.contract_key, HEADER.package, 4)
    assert report.open_body(sealed, secret, HEADER.package, 4) == account
    held = report.decode_body(VECTOR["report"]["held"])
    assert (held.outputs, held.held) == (account.outputs, bytes([4]) * 32)
    sealed = report.seal_body(held, HEADER.contract_key, HEADER.package, 5)
    assert report.open_body(sealed, secret, HEADER.package, 5) == held
    brief = report.Report("", [])
    sealed = report.seal_body(brief, HEADER.contract_key, HEADER.package, 3)
    assert report.open_body(sealed, secret, HEADER.package, 3) == brief
    for wrong in [(BODY, secret, HEADER.package, 2), (BODY, secret, bytes(32), 1), (BODY, SECRET, HEADER.package, 1),
                  (BODY[:-1], secret, HEADER.package, 1), (b"", secret, HEADER.package, 1),
                  (bytes(32) + BODY[32:], secret, HEADER.package, 1)]:
        with pytest.raises(Refused):
            report.open_body(*wrong)


@pytest.mark.parametrize("value", [
    {}, [], {0: "", 1: ""}, {2: []}, {0: "", 1: None, 2: []}, {0: "", 1: "", 2: [], 3: "", 4: ""}, {0: b"", 1: "", 2: [], 3: ""},
    {0: "", 1: "", 2: [[1]], 3: ""}, {0: "", 1: "", 2: [[2, 1]], 3: ""}, {0: "", 1: "", 2: [[-1, 1]], 3: ""}])
def test_no_report_body(value: object) -> None:
    aad = HEADER.package + u32(1)
    sealed = seal(HEADER.contract_key, REPORT, aad, cbor2.dumps(value))
    with pytest.raises(Refused):
        report.open_body(sealed, VECTOR["report"]["contract_secret"], HEADER.package, 1)
