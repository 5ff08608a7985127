"""The vector's package (§7): rebuilt, opened, and refused with any byte changed, cut or moved."""

import io
import os
import random
from dataclasses import astuple, replace

import cbor2
import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from conftest import unhexed, vectors
from medshare_independent.codec import Refused, sha256, sha256d, u32
from medshare_independent.package import (PackageHeader, key_and_prefix, open_package, open_shares, read_header,
                                          seal_package, write_package)
from medshare_independent.sealing import CUSTODIAN_SHARE, REQUESTOR_SHARE, seal, share_aad, unseal
from medshare_independent.signature import sign

VECTOR = unhexed(vectors("package"))
PACKAGE, REQUEST = VECTOR["package"], VECTOR["request"]
NODE_KEY = PrivateKey(VECTOR["node_key"])
HEAD, SECRET, SEALED = PACKAGE["container_head"], PACKAGE["requestor_secret"], PACKAGE["sealed_custodian_share"]
HEADER, RAW = read_header(io.BytesIO(HEAD))
PAYLOAD = PACKAGE["payload_head"].encode() + b"\n" + (PACKAGE["payload_line"].encode() + b"\n") * PACKAGE["payload_lines"]


def written(payload: bytes, header: PackageHeader = HEADER) -> bytes:
    """A container with the vector's shares."""
    sink = io.BytesIO()
    shares = open_shares(header, SECRET, SEALED)
    container = write_package(header, NODE_KEY, shares, io.BytesIO(payload), sink)
    assert container == sha256d(sink.getvalue())
    return sink.getvalue()


CONTAINER = written(PAYLOAD)


def opened(container: bytes, secret: bytes = SECRET, share: bytes = SEALED) -> bytes:
    sink = io.BytesIO()
    open_package(io.BytesIO(container), sink, secret, share)
    return sink.getvalue()


def test_container() -> None:
    """The vector's container, rebuilt from what it describes, byte for byte; and opened again."""
    assert sha256(RAW) == PACKAGE["header_sha256"] and HEADER.encode() == RAW
    assert HEADER.payload_hash == PACKAGE["payload_hash"] == sha256d(HEADER.salt + PAYLOAD)
    assert CONTAINER[:len(HEAD)] == HEAD and sha256d(CONTAINER) == PACKAGE["container_hash"]
    assert list(open_shares(HEADER, SECRET, SEALED)) == PACKAGE["shares"]
    assert key_and_prefix(RAW, *PACKAGE["shares"]) == PACKAGE["key_and_prefix"]
    chunks = CONTAINER[len(HEAD):]
    assert [sha256(chunks[:65_552]), sha256(chunks[65_552:])] == PACKAGE["chunks"]
    assert opened(CONTAINER) == PAYLOAD


def test_header_agrees_with_request_and_usage() -> None:
    assert (HEADER.dataset, HEADER.requestor, HEADER.owner) == tuple(
        REQUEST[name] for name in ("dataset", "requestor", "custodian"))
    assert list(VECTOR["usage"].values()) == list(astuple(HEADER)[13:19])
    public = X25519PrivateKey.from_private_bytes(VECTOR["report"]["contract_secret"]).public_key()
    assert public.public_bytes_raw() == HEADER.contract_key


def refused(container: bytes, secret: bytes = SECRET, share: bytes = SEALED) -> bool:
    try:
        opened(container, secret, share)
    except Refused:
        return True
    return False


def test_flipped_bytes() -> None:
    """Every byte up to the chunks; around every chunk's beginning, tag and end; and samples between."""
    chunks, size = len(HEAD), len(CONTAINER)
    edges = (chunks, chunks + 65_536, chunks + 65_552, size - 16, size)
    near = {position for edge in edges for position in range(edge - 20, min(edge + 20, size))}
    for position in sorted({*range(chunks), *near, *range(chunks, size, 997)}):
        changed = bytearray(CONTAINER)
        changed[position] ^= random.randrange(1, 256)
        assert refused(bytes(changed)), position


def test_cut_and_moved() -> None:
    head, first, second = CONTAINER[:len(HEAD)], CONTAINER[len(HEAD):][:65_552], CONTAINER[len(HEAD) + 65_552:]
    sizes = (0, 7, 8, 12, 13, len(HEAD) - 65, len(HEAD) - 1, len(HEAD), len(CONTAINER) - 1)
    wrong = [CONTAINER[:size] for size in sizes]
    wrong += [CONTAINER + b"\0", head + first, head + second, head + second + first, head + first + first,
              head + first + second + second, head + first[:-1] + second, head + first + bytes(16)]
    assert all(map(refused, wrong))


def test_other_keys() -> None:
    assert refused(CONTAINER, secret=bytes([7]) * 32)
    assert refused(CONTAINER, share=HEADER.sealed_share) and refused(CONTAINER, share=SEALED[:-1])
    public = X25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw()
    share = unseal(SECRET, CUSTODIAN_SHARE, share_aad(HEADER.package, HEADER.requestor), SEALED)
    for info, aad in [(REQUESTOR_SHARE, share_aad(HEADER.package, HEADER.requestor)),
                      (CUSTODIAN_SHARE, share_aad(HEADER.package, HEADER.owner))]:
        assert refused(CONTAINER, share=seal(public, info, aad, share))
    good = seal(public, CUSTODIAN_SHARE, share_aad(HEADER.package, HEADER.requestor), share)
    assert opened(CONTAINER, share=good) == PAYLOAD


def resigned(raw: bytes) -> bytes:
    """The container with another header, rightly signed."""
    return b"MDSPKG01" + u32(len(raw)) + raw + sign(NODE_KEY, sha256d(b"medshare/package/v1" + raw))


def test_header_spellings() -> None:
    """Signed by the node, and still refused: there is one spelling, and every field has its type and range."""
    assert read_header(io.BytesIO(resigned(RAW)))[0] == HEADER
    fields = dict(enumerate(astuple(HEADER)))
    values = [(0, bytes(31)), (0, "x" * 32), (7, -1), (7, 1 << 64), (7, True), (8, b"text/csv"), (13, 2), (14, 64),
              (15, 64), (16, 3), (16, 256), (17, 1.0), (19, bytes(79)), (10, None), (0, [])]
    maps = [cbor2.dumps(fields | {key: value}) for key, value in values]
    maps += [cbor2.dumps({key: fields[key] for key in keys})
             for keys in (range(19), reversed(range(20)), [1, 0, *range(2, 20)])]
    maps += [cbor2.dumps(fields | {20: 0}), cbor2.dumps(list(fields.values())), b"", RAW + b"\0", RAW[:-1],
             b"\xb8\x14" + RAW[1:], b"\xbf" + RAW[1:] + b"\xff", b"\xb5" + RAW[1:] + b"\0\0",
             RAW.replace(b"\x0e\x01", b"\x0e\x18\x01"), cbor2.dumps(fields | {8: "x" * 16_384})]
    for raw in maps:
        assert raw != RAW
        with pytest.raises(Refused):
            read_header(io.BytesIO(resigned(raw)))


def test_another_node_s_signature() -> None:
    signature = sign(PrivateKey(os.urandom(32)), sha256d(b"medshare/package/v1" + RAW))
    assert refused(CONTAINER[:len(HEAD) - 65] + signature + CONTAINER[len(HEAD):])


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072])
def test_sealed_and_opened(size: int) -> None:
    payload, secret, sink = os.urandom(size), os.urandom(32), io.BytesIO()
    public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    header, container, share = seal_package(HEADER, NODE_KEY, public, io.BytesIO(payload), sink)
    assert container == sha256d(sink.getvalue()) and header.length == size
    assert opened(sink.getvalue(), secret, share) == payload
    assert len(sink.getvalue()) == len(resigned(header.encode())) + size + 16 * max(1, -(-size // 65_536))


def test_number_of_chunks() -> None:
    """At most 2³² − 1."""
    longest = replace(HEADER, length=((1 << 32) - 1) * 65_536)
    assert PackageHeader.decode(longest.encode()) == longest
    with pytest.raises(Refused):
        PackageHeader.decode(replace(longest, length=longest.length + 1).encode())


def test_wrong_payload() -> None:
    """A node that signs a wrong payload hash is found at the end; one that writes another length, at once."""
    with pytest.raises(Refused):
        opened(written(PAYLOAD, replace(HEADER, payload_hash=bytes(32))))
    for payload in (PAYLOAD[:-1], PAYLOAD + b"\n"):
        with pytest.raises(Refused):
            written(payload)
