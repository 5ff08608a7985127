"""Headers and targets (§1.3): the vectors, and Bitcoin's own rules by another package."""

from dataclasses import replace

import pytest
from bitcoin.core import CBlockHeader, uint256_from_compact

from conftest import unhexed, vectors
from medshare_independent.codec import Refused
from medshare_independent.header import Entry, Header, target

HEADERS = unhexed(vectors("headers"))


@pytest.mark.parametrize("vector", HEADERS["headers"])
def test_bitcoin_header(vector: dict) -> None:
    header = Header.decode(vector["header"])
    assert header.encode() == vector["header"]
    assert (header.hash(), header.hash()[::-1].hex()) == (vector["hash"], vector["id"])
    assert (header.bits, header.time) == (vector["bits"], vector["time"])
    assert header.has_work() and not replace(header, nonce=header.nonce ^ 1).has_work()
    other = CBlockHeader.deserialize(vector["header"])
    assert (other.GetHash(), other.hashPrevBlock, other.nNonce) == (header.hash(), header.previous, header.nonce)


@pytest.mark.parametrize("vector", HEADERS["targets"])
def test_target(vector: dict) -> None:
    expected = int.from_bytes(vector["target"])
    assert target(vector["bits"]) == expected
    assert expected == 0 or uint256_from_compact(vector["bits"]) == expected


def test_no_target_has_no_work() -> None:
    header = Header.decode(HEADERS["headers"][0]["header"])
    for vector in HEADERS["targets"]:
        if target(vector["bits"]) == 0:
            assert not replace(header, bits=vector["bits"]).has_work()


@pytest.mark.parametrize("size", [0, 79, 81])
def test_header_and_entry_length(size: int) -> None:
    for kind in (Header, Entry):
        with pytest.raises(Refused):
            kind.decode(bytes(size))
