"""Signatures (§1.6, §4), the usage contract (§5) and canonical CBOR (§10)."""

import itertools

import cbor2
import pytest
from coincurve import PrivateKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact
from eth_account import Account

from conftest import unhexed, vectors
from medshare_independent import canonical
from medshare_independent.codec import Refused, sha256
from medshare_independent.signature import ORDER, address, candidates, node_signed, recover, sign
from medshare_independent.usage import Usage, judge

BLOCKS, JUDGE = unhexed(vectors("blocks")), vectors("judge")


def test_signature_forms() -> None:
    key, digest = PrivateKey(BLOCKS["node_key"]), sha256(b"message")
    good = sign(key, digest)
    account = address(key.public_key)
    assert recover(digest, good) == account == bytes.fromhex(Account.from_key(key.secret).address[2:])
    assert Account.unsafe_sign_hash(digest, key.secret).signature == good
    r, s, v = good[:32], good[32:64], good[64]
    high = (ORDER - int.from_bytes(s)).to_bytes(32)
    assert bytes.fromhex(Account._recover_hash(digest, signature=r + high + bytes([55 - v]))[2:]) == account
    zero, order = bytes(32), ORDER.to_bytes(32)
    bad = [r + high + bytes([55 - v]), r + high + bytes([v]), zero + s + bytes([v]), r + zero + bytes([v]),
           order + s + bytes([v]), r + order + bytes([v]), zero + zero + bytes([v]), b"\xff" * 64 + bytes([v]),
           good[:64], good + b"\0", b"", bytes([v]) + good[:64], bytes(31) + b"\5" + s + bytes([v])]
    bad += [r + s + bytes([other]) for other in range(256) if other not in (27, 28)]
    for signature in bad:
        with pytest.raises(Refused):
            recover(digest, signature)
    assert recover(digest, r + s + bytes([55 - v])) != account


def test_signature_without_v() -> None:
    """Recovery comes to what verification comes to: under the keys that it gives, and under no other (§1.6)."""
    key, other, digest = PrivateKey(BLOCKS["node_key"]), PrivateKey(bytes([1]) * 32), sha256(b"message")
    good = sign(key, digest)[:64]
    assert node_signed(address(key.public_key), digest, good)
    assert not node_signed(address(other.public_key), digest, good)
    assert not node_signed(address(key.public_key), sha256(b"another"), good)
    der = cdata_to_der(deserialize_compact(good))
    keys = list(candidates(digest, good))
    assert len(keys) == 2 and key.public_key in keys and other.public_key not in keys
    assert all(each.verify(der, digest, hasher=None) for each in keys)
    assert not other.public_key.verify(der, digest, hasher=None)


def test_s_at_the_edge() -> None:
    """Half the order is the greatest s (EIP-2)."""
    r = sign(PrivateKey(BLOCKS["node_key"]), bytes(32))[:32]
    assert len(recover(bytes(32), r + (ORDER // 2).to_bytes(32) + b"\x1b")) == 20
    with pytest.raises(Refused):
        recover(bytes(32), r + (ORDER // 2 + 1).to_bytes(32) + b"\x1b")


def test_judge() -> None:
    inputs = itertools.product(range(2), range(64), range(64), range(8))
    assert "".join(judge(*each).value for each in inputs) == JUDGE["answers"]
    assert len(JUDGE["answers"]) == 65_536


def test_usage_range_and_counter() -> None:
    assert Usage(1, 1, 0, 0, 0, bytes(32)).action_counter() == BLOCKS["parent"]["fields"]["action_counter"]
    assert Usage(0, 1, 2, 0, 0, bytes(32)).action_counter() == 4
    assert Usage(1, 1, 2, 0, 0, bytes(32)).violations(0b11100011) == 0b10100010
    for wrong in [(2, 0, 0, 0, 0), (0, 64, 0, 0, 0), (0, 0, 64, 0, 0), (0, 0, 0, 256, 0), (0, 0, 0, 0, 1 << 64)]:
        with pytest.raises(Refused):
            Usage(*wrong, bytes(32))


@pytest.mark.parametrize("spelling", [
    "1800", "190001", "1a00000001", "1b0000000000000001", "5801ff", "5f41ffff", "7f6161ff", "9f01ff", "bf0001ff",
    "a201000000", "a200000000", "a2000100", "0000", "f4", "f6", "f90000", "fb3ff0000000000000", "c000", "c10a",
    "c24101", "d9010281" + "00", "61ff", "a1", "ff", "", "81" * 500 + "00", "a18001", "a1a00001"])
def test_not_deterministic(spelling: str) -> None:
    with pytest.raises(Refused):
        canonical.decode(bytes.fromhex(spelling))


@pytest.mark.parametrize(
    "value", [0, 23, 24, -1, (1 << 64) - 1, b"", b"x" * 300, "ü", [], [1, [b"", ""]], {}, {0: 1, 1: [2]}])
def test_deterministic(value: object) -> None:
    assert canonical.decode(canonical.encode(value)) == value == cbor2.loads(canonical.encode(value))
