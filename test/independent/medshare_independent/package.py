"""The package container: parse, open and seal, chunk by chunk (§7)."""

import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from hashlib import sha256 as running_sha256
from typing import IO, Self

from coincurve import PrivateKey
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import canonical
from .codec import Refused, need, sha256, sha256d, u32
from .sealing import CUSTODIAN_SHARE, REQUESTOR_SHARE, seal as seal_to, share_aad, unseal
from .signature import address, sign, signed_by

_MAGIC = b"MDSPKG01"
_DOMAIN = b"medshare/package/v1"
_MAX_HEADER, _CHUNK, _TAG = 16_384, 65_536, 16
_MAX_PAYLOAD = ((1 << 32) - 1) * _CHUNK
_SIZES = {0: 32, 1: 32, 2: 20, 3: 20, 4: 20, 5: 32, 6: 32, 9: 20, 12: 20, 18: 32, 19: 80}
_BITS = {7: 64, 10: 64, 11: 64, 13: 8, 14: 8, 15: 8, 16: 8, 17: 64}


@dataclass(frozen=True)
class PackageHeader:
    """The header's fields in the order of their keys, 0 to 19."""

    dataset: bytes
    package: bytes
    node: bytes
    owner: bytes
    requestor: bytes
    payload_hash: bytes
    salt: bytes
    length: int
    media_type: str
    verifier: bytes
    completed: int
    chain_id: int
    contract: bytes
    sensitivity: int
    granted: int
    exempt: int
    environment: int
    expiry: int
    contract_key: bytes
    sealed_share: bytes

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read the CBOR map; refused in any other spelling than the deterministic one."""
        value = canonical.decode(raw)
        need(type(value) is dict and list(value) == list(range(20)), "not the keys 0 to 19")
        for key, size in _SIZES.items():
            need(canonical.is_bytes(value[key], size), f"key {key} has not {size} bytes")
        for key, bits in _BITS.items():
            need(canonical.is_uint(value[key], bits), f"key {key} is no u{bits}")
        need(type(value[8]) is str, "key 8 is no text")
        need(value[7] <= _MAX_PAYLOAD, "more chunks than there may be")
        header = cls(*value.values())
        known = header.sensitivity <= 1 and header.environment <= 2
        need(known and header.granted < 64 and header.exempt < 64, "usage contract out of range")
        return header

    def encode(self) -> bytes:
        return canonical.encode(dict(enumerate(astuple(self))))

    def chunks(self) -> Iterator[tuple[int, int, bool]]:
        """Index, payload bytes and being the last, of each chunk; an empty payload has one empty chunk."""
        last = max(self.length - 1, 0) // _CHUNK
        for index in range(last):
            yield index, _CHUNK, False
        yield last, self.length - last * _CHUNK, True


def key_and_prefix(header: bytes, requestor_share: bytes, custodian_share: bytes) -> bytes:
    """The 39 bytes of §7.2: the key of AES-256 and the nonces' prefix."""
    need(len(requestor_share) == len(custodian_share) == 32, "a share has 32 bytes")
    derive = HKDF(SHA256(), length=39, salt=sha256(header), info=b"medshare/data/v1")
    return derive.derive(requestor_share + custodian_share)


@dataclass(frozen=True)
class _Stream:
    """The key schedule and the nonces of §7.2 (STREAM, BE32)."""

    cipher: AESGCM
    prefix: bytes

    @classmethod
    def of(cls, header: bytes, requestor_share: bytes, custodian_share: bytes) -> Self:
        key = key_and_prefix(header, requestor_share, custodian_share)
        return cls(AESGCM(key[:32]), key[32:])

    def nonce(self, index: int, last: bool) -> bytes:
        return self.prefix + index.to_bytes(4, "big") + bytes([last])


def read_header(source: IO[bytes]) -> tuple[PackageHeader, bytes]:
    """Read up to the chunks; the header, signed by its node, and its bytes."""
    start = source.read(12)
    need(len(start) == 12 and start[:8] == _MAGIC, "no package: magic")
    size = int.from_bytes(start[8:], "little")
    need(size <= _MAX_HEADER, "header too long")
    raw, signature = source.read(size), source.read(65)
    need(len(raw) == size and len(signature) == 65, "truncated header")
    header = PackageHeader.decode(raw)
    need(signed_by(header.node, sha256d(_DOMAIN + raw), signature), "not signed by the node")
    return header, raw


def open_shares(header: PackageHeader, secret: bytes, sealed_custodian_share: bytes) -> tuple[bytes, bytes]:
    """The requestor's and the custodian's share, both sealed to the requestor's registered key (§7.1)."""
    aad = share_aad(header.package, header.requestor)
    return (
        unseal(secret, REQUESTOR_SHARE, aad, header.sealed_share),
        unseal(secret, CUSTODIAN_SHARE, aad, sealed_custodian_share),
    )


def open_package(source: IO[bytes], sink: IO[bytes], secret: bytes, sealed_custodian_share: bytes) -> PackageHeader:
    """Decrypt a container. What was written to the sink is good only if this returns."""
    header, raw = read_header(source)
    stream = _Stream.of(raw, *open_shares(header, secret, sealed_custodian_share))
    payload = running_sha256(header.salt)
    for index, size, last in header.chunks():
        chunk = source.read(size + _TAG)
        need(len(chunk) == size + _TAG, f"truncated in chunk {index}")
        try:
            plain = stream.cipher.decrypt(stream.nonce(index, last), chunk, None)
        except InvalidTag as fault:
            raise Refused(f"chunk {index} is not authentic") from fault
        payload.update(plain)
        sink.write(plain)
    need(source.read(1) == b"", "bytes behind the last chunk")
    need(sha256(payload.digest()) == header.payload_hash, "payload hash")
    return header


def write_package(
    header: PackageHeader, key: PrivateKey, shares: tuple[bytes, bytes], payload: IO[bytes], sink: IO[bytes]
) -> bytes:
    """Sign a finished header, encrypt the payload under it, and return the container's hash."""
    need(address(key.public_key) == header.node, "the key is not the node's")
    raw = header.encode()
    need(len(raw) <= _MAX_HEADER, "header too long")
    stream, container = _Stream.of(raw, *shares), running_sha256()

    def write(data: bytes) -> None:
        container.update(data)
        sink.write(data)

    write(_MAGIC + u32(len(raw)) + raw + sign(key, sha256d(_DOMAIN + raw)))
    for index, size, last in header.chunks():
        plain = payload.read(size)
        need(len(plain) == size, "the payload is shorter than its header says")
        write(stream.cipher.encrypt(stream.nonce(index, last), plain, None))
    need(payload.read(1) == b"", "the payload is longer than its header says")
    return sha256(container.digest())


def seal_package(
    header: PackageHeader, key: PrivateKey, sealing_key: bytes, payload: IO[bytes], sink: IO[bytes]
) -> tuple[PackageHeader, bytes, bytes]:
    """Seal a payload under new shares; the header gets its salt, length, hash and sealed share here.

    Returns the header, the container's hash and the custodian's share, sealed: what the custodian keeps back.
    """
    shares, salt = (os.urandom(32), os.urandom(32)), os.urandom(32)
    inner = running_sha256(salt)
    while piece := payload.read(_CHUNK):
        inner.update(piece)
    length = payload.tell()
    payload.seek(0)
    aad = share_aad(header.package, header.requestor)
    header = replace(
        header,
        salt=salt,
        length=length,
        payload_hash=sha256(inner.digest()),
        sealed_share=seal_to(sealing_key, REQUESTOR_SHARE, aad, shares[0]),
    )
    container = write_package(header, key, shares, payload, sink)
    return header, container, seal_to(sealing_key, CUSTODIAN_SHARE, aad, shares[1])
