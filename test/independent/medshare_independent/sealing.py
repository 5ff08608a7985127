"""HPKE messages: base mode, one message a context (§7.1)."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey
from pyhpke.exceptions import PyHPKEError
from pyhpke.kem_key import KEMKeyPair

from .codec import Refused, need, u32

_SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
REQUESTOR_SHARE = b"medshare/requestor-share/v1"
CUSTODIAN_SHARE = b"medshare/custodian-share/v1"
REPORT = b"medshare/report/v1"
PEER = b"medshare/peer/v1"


def share_aad(package: bytes, requestor: bytes) -> bytes:
    return package + requestor


def report_aad(package: bytes, number: int) -> bytes:
    return package + u32(number)


def seal(public: bytes, info: bytes, aad: bytes, message: bytes, ephemeral: KEMKeyPair | None = None) -> bytes:
    """Encapsulated key (32) ‖ ciphertext with tag; only a vector gives the ephemeral key."""
    key = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(public))
    encapsulated, context = _SUITE.create_sender_context(key, info=info, eks=ephemeral)
    return encapsulated + context.seal(message, aad=aad)


def unseal(secret: bytes, info: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Open a sealed message; refused when it was not sealed to this key for this use."""
    need(len(secret) == 32, "a secret key has 32 bytes")
    need(len(sealed) >= 48, "a sealed message has at least 48 bytes")
    key = KEMKey.from_pyca_cryptography_key(X25519PrivateKey.from_private_bytes(secret))
    try:
        return _SUITE.create_recipient_context(sealed[:32], key, info=info).open(sealed[32:], aad=aad)
    except (PyHPKEError, ValueError) as fault:
        raise Refused("not sealed to this key for this use") from fault
