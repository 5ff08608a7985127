"""The certificate of the package vector (§6.1)."""

import json

import pytest
from eth_account import Account

from medshare_independent import certificate
from medshare_independent.codec import Refused, sha256d
from medshare_independent.typed import digest
from test_messages import DEPLOYMENT, MESSAGES, VECTOR

MADE = VECTOR["certificate"]
TEXT, NODE, PAYLOAD = MADE["text"], MADE["second_node"], MESSAGES["Certification"]["payloadHash"]
PACKAGE = MESSAGES["Certification"]["package"]
KEY = b"\x07" * 32
RIGHT = dict(text=TEXT, signature=MADE["signature"], node=NODE, about=(PACKAGE, PAYLOAD), deployment=DEPLOYMENT)


def check(**changes) -> dict:
    return certificate.check(**RIGHT | changes)


def test_certificate() -> None:
    said = check()
    assert (said["version"], said["promised_k"], said["k"]) == (1, 5, 9000)
    assert MESSAGES["Certification"]["content"] == sha256d(TEXT.encode())


@pytest.mark.parametrize("changes", [
    dict(about=(bytes(32), PAYLOAD)), dict(about=(PACKAGE, bytes(32))), dict(deployment=(1, DEPLOYMENT[1])),
    dict(node=bytes(20)), dict(signature=bytes(65)),
    dict(text=TEXT.replace('"version":1', '"version":2')), dict(text=TEXT.replace('"version":1', '"version":true')),
    dict(text=TEXT.replace('"version":1', '"version":1,"version":1')), dict(text=TEXT + " "), dict(text=""), dict(text="[]"),
    dict(text=TEXT + " " * (65_537 - len(TEXT))), dict(text=TEXT.replace('"package"', '"packet"'))])
def test_another(changes: dict) -> None:
    with pytest.raises(Refused):
        check(**changes)


def test_every_byte_counts() -> None:
    for at in range(len(TEXT)):
        with pytest.raises(Refused):
            check(text=TEXT[:at] + chr(ord(TEXT[at]) ^ 1) + TEXT[at + 1:])


def test_another_payload_in_a_signed_text() -> None:
    """A node that signs one payload hash and writes another contradicts itself."""
    for name in ("package", "payload_hash"):
        said = json.loads(TEXT) | {name: "0x" + "11" * 32}
        text = json.dumps(said)
        message = {"package": PACKAGE, "payloadHash": PAYLOAD, "content": sha256d(text.encode())}
        signed = Account.unsafe_sign_hash(digest("Certification", message, *DEPLOYMENT), KEY)
        with pytest.raises(Refused, match="something else"):
            check(text=text, signature=bytes(signed.signature), node=bytes.fromhex(Account.from_key(KEY).address[2:]))


def test_length() -> None:
    """One byte less than too many is read, and then not signed."""
    with pytest.raises(Refused, match="signed"):
        check(text=TEXT + " " * (65_536 - len(TEXT)))
    with pytest.raises(Refused, match="long"):
        check(text=TEXT + " " * (65_537 - len(TEXT)))
