"""Project Wycheproof's cases: signatures (§1.6, §4) and AES-256-GCM (§7)."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from conftest import unhexed, vectors
from medshare_independent.signature import node_signed, signed_by

ECDSA, AES = unhexed(vectors("wycheproof-ecdsa"))["tests"], unhexed(vectors("wycheproof-aes-gcm"))["tests"]


def test_all_are_there() -> None:
    assert (len(ECDSA), len(AES)) == (329, 66)


@pytest.mark.parametrize("case", ECDSA, ids=lambda case: case["case"])
def test_signature(case: dict) -> None:
    """Right when it is the account's with one of the two v that there are."""
    accepted = [signed_by(case["account"], case["digest"], case["signature"] + bytes([v])) for v in (27, 28)]
    assert any(accepted) == case["valid"]


@pytest.mark.parametrize("case", ECDSA, ids=lambda case: case["case"])
def test_signature_without_v(case: dict) -> None:
    assert node_signed(case["account"], case["digest"], case["signature"]) == case["valid_in_a_body"]


@pytest.mark.parametrize("case", AES, ids=lambda case: case["case"])
def test_aes_gcm(case: dict) -> None:
    cipher, sealed = AESGCM(case["key"]), case["ciphertext"] + case["tag"]
    assert (cipher.encrypt(case["nonce"], case["plaintext"], case["aad"]) == sealed) == case["valid"]
    if case["valid"]:
        assert cipher.decrypt(case["nonce"], sealed, case["aad"]) == case["plaintext"]
    else:
        with pytest.raises(InvalidTag):
            cipher.decrypt(case["nonce"], sealed, case["aad"])
