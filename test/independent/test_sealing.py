"""HPKE (§7.1) against RFC 9180's own vector, both ways."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pyhpke import KEMKey
from pyhpke.kem_key import KEMKeyPair

from conftest import unhexed, vectors
from medshare_independent import sealing
from medshare_independent.codec import Refused

VECTOR = unhexed(vectors("hpke"))
SECRET, INFO = VECTOR["recipient_secret"], VECTOR["info"]
FIRST, SECOND = ({**message, "sealed": VECTOR["encapsulated"] + message["ciphertext"]} for message in VECTOR["messages"])


def test_opens() -> None:
    assert sealing.unseal(SECRET, INFO, FIRST["aad"], FIRST["sealed"]) == FIRST["plaintext"]


def test_seals_the_same_bytes() -> None:
    """With the vector's ephemeral key."""
    private = X25519PrivateKey.from_private_bytes(VECTOR["ephemeral_secret"])
    ephemeral = KEMKeyPair(*map(KEMKey.from_pyca_cryptography_key, (private, private.public_key())))
    sealed = sealing.seal(VECTOR["recipient_public"], INFO, FIRST["aad"], FIRST["plaintext"], ephemeral)
    assert sealed == FIRST["sealed"]


def test_second_message_is_no_first() -> None:
    with pytest.raises(Refused):
        sealing.unseal(SECRET, INFO, SECOND["aad"], SECOND["sealed"])


def test_changed() -> None:
    for position in range(len(FIRST["sealed"])):
        changed = bytearray(FIRST["sealed"])
        changed[position] ^= 1
        with pytest.raises(Refused):
            sealing.unseal(SECRET, INFO, FIRST["aad"], bytes(changed))
