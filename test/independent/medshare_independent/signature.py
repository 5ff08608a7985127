"""secp256k1 signatures, s in the lower half: r ‖ s ‖ v with v 27 or 28 (§4), and r ‖ s in blocks (§1.6)."""

from collections.abc import Iterator

from coincurve import PrivateKey, PublicKey
from eth_utils import keccak

from .codec import need, Refused

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def address(key: PublicKey) -> bytes:
    """The Ethereum account of a public key."""
    return keccak(key.format(compressed=False)[1:])[12:]


def recover(digest: bytes, signature: bytes) -> bytes:
    """The account that signed the digest; every form but the one of §4 is refused."""
    need(len(signature) == 65, "a signature has 65 bytes")
    need(signature[64] in (27, 28), "v is neither 27 nor 28")
    need(0 < int.from_bytes(signature[32:64]) <= ORDER // 2, "s is not in the lower half of the order")
    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        return address(PublicKey.from_signature_and_message(recoverable, digest, hasher=None))
    except Exception as fault:  # the library raises ValueError for a bad r and a bare Exception when recovery fails
        raise Refused("no key can have signed this") from fault


def signed_by(account: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the account signed the digest."""
    try:
        return recover(digest, signature) == account
    except Refused:
        return False


def node_signed(account: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether r ‖ s is the account's (§1.6): its key is one of those that can have signed."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if len(signature) != 64 or not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        return False
    return any(address(key) == account for key in candidates(digest, signature))


def candidates(digest: bytes, signature: bytes) -> Iterator[PublicKey]:
    """The keys under which r ‖ s verifies: one for each point that can stand behind r, four at most (SEC 1 §4.1.6)."""
    for recovery_id in range(4):
        try:
            yield PublicKey.from_signature_and_message(signature + bytes([recovery_id]), digest, hasher=None)
        except Exception:  # as above: no such point, or no key
            continue


def sign(key: PrivateKey, digest: bytes) -> bytes:
    """Sign a digest with the nonce of RFC 6979."""
    signature = key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([signature[64] + 27])
