"""EIP-712 messages and their digests (§4)."""

from functools import lru_cache
from typing import Any

from eth_abi import encode
from eth_account.messages import encode_typed_data
from eth_utils import keccak

_SIGNATURES = """
Selection(string[] fields,string filter)
AccessRequest(address requestor,address custodian,bytes32 dataset,bytes32 purpose,Selection selection,bytes32 salt,uint64 deadline)
Registration(address requestor,bytes32 sealingKey,uint8 class,bytes32 credential,uint256 nonce,uint64 deadline)
Usage(uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey)
Validation(bytes32 package,bytes32 payloadHash,bytes32 formDigest,uint8 sensitivity,bytes32 usage,uint64 deadline)
Certification(bytes32 package,bytes32 payloadHash,bytes32 content)
Report(bytes32 package,uint32 number,bytes32 previous,uint8 actions,uint64 time,bytes32 body)
Session(bytes32 package,address key,uint64 expiry)
Renewal(bytes32 package,uint32 number,uint64 time)
SessionEnd(bytes32 package,uint32 number,uint64 time)
OutputDecision(bytes32 package,uint32 number,bytes32 output,bool released,string reason,uint64 time)
Receipt(bytes32 package,uint32 number,bytes32 report,uint64 received,uint32 leaseSeconds)
Deletion(bytes32 package,uint64 time)
Disclosure(bytes32 package,uint64 deadline)
PeerMessage(address sender,address recipient,bytes32 content,uint64 deadline)
"""


def _fields(signature: str) -> tuple[str, list[dict[str, str]]]:
    name, members = signature.rstrip(")").split("(")
    return name, [dict(zip(("type", "name"), member.split(" "))) for member in members.split(",")]


TYPES = dict(_fields(line) for line in _SIGNATURES.split("\n") if line)
_REQUEST_TYPE = "".join(_SIGNATURES.split("\n")[line] for line in (2, 1))


def _reachable(name: str) -> dict[str, list[dict[str, str]]]:
    """A type and the types of its members, as EIP-712's encodeType wants them."""
    found = {name: TYPES[name]}
    for member in TYPES[name]:
        if member["type"] in TYPES:
            found |= _reachable(member["type"])
    return found


def _encoded(name: str, message: dict[str, Any], chain_id: int = 0, contract: bytes = bytes(20)):
    domain = {"name": "MeDShare", "version": "1", "chainId": chain_id, "verifyingContract": "0x" + contract.hex()}
    return encode_typed_data(domain, _reachable(name), message)


def hash_struct(name: str, message: dict[str, Any]) -> bytes:
    """EIP-712's hashStruct of a message; addresses and bytes are given as bytes, integers as integers."""
    return _encoded(name, message).body


def digest(name: str, message: dict[str, Any], chain_id: int, contract: bytes) -> bytes:
    """What is signed: keccak256(0x19 01 ‖ domain separator ‖ hashStruct)."""
    encoded = _encoded(name, message, chain_id, contract)
    return keccak(b"\x19\x01" + encoded.header + encoded.body)


@lru_cache
def _separator(chain_id: int, contract: bytes) -> bytes:
    return _encoded("Deletion", {"package": bytes(32), "time": 0}, chain_id, contract).header


def request_digest(request: dict[str, Any], chain_id: int, contract: bytes) -> bytes:
    """The package id from a request whose `selection` is already hashed, as the contract computes it (§4)."""
    types = ["bytes32", "address", "address", "bytes32", "bytes32", "bytes32", "bytes32", "uint64"]
    names = ["requestor", "custodian", "dataset", "purpose", "selection", "salt", "deadline"]
    values = [keccak(text=_REQUEST_TYPE), *(request[name] for name in names)]
    return keccak(b"\x19\x01" + _separator(chain_id, contract) + keccak(encode(types, values)))


def dataset_id(name: str) -> bytes:
    """The id of a dataset by its name (§4)."""
    return keccak(b"medshare/dataset/v1" + name.encode())
