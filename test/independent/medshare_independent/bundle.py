"""Reading an evidence bundle: its parts, strictly (§9)."""

import io
import struct
import zipfile
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Self

from .block import ParentBody, SideBody, decode_record
from .codec import Refused, need, unhex
from .form import Step
from .header import Header
from .proof import Inclusion
from .shape import (ACCOUNT, HASH, SIGNATURE, U32, U64, Ordered, Reader, array, choice, fields, integer, octets, parse,
                    record, text, written)
from .storage import Account, Contract
from .typed import TYPES
from .usage import ACTIONS, Usage

_MAX_BYTES = 96 << 20
_MAX_PART, _MAX_BLOCKS = 4 << 20, 16 << 20
_MOST_REPORTS, _MOST_STEPS, _MOST_LISTED = 10_000, 64, 64
_MADE_OF_OTHERS = {"prov.jsonld", "fhir.json", "README.txt"}
_MEMBERS = {"address": ACCOUNT, "bytes32": HASH} | {f"uint{bits}": integer(bits) for bits in (8, 32, 64)}


def _message(name: str) -> Reader:
    """A message of §4 by the names of its members."""
    return record(**{member["name"]: _MEMBERS[member["type"]] for member in TYPES[name]})


_MEMBERS["Selection"] = record(fields=array(text), filter=text)
_SUBJECT = record(evidence=U32, chain_id=U64, contract=ACCOUNT, package=HASH)
_REQUEST = record(request=_message("AccessRequest"), signature=SIGNATURE)
_CERTIFICATE = record(text=text, signature=SIGNATURE)
_VALIDATION = record(
    verifier=ACCOUNT, validation=_message("Validation"), signature=SIGNATURE, certificate=_CERTIFICATE
)
_REPORTS = array(record(
    report=_message("Report"),
    signature=SIGNATURE,
    session=_message("Session"),
    session_signature=SIGNATURE,
    body=octets(),
    receipt=_message("Receipt"),
    receipt_signature=SIGNATURE,
), _MOST_REPORTS)
_DELETION = record(deletion=_message("Deletion"), signature=SIGNATURE)
_PROOFS = record(parent=Inclusion.read, sides=array(Inclusion.read, _MOST_REPORTS))


def _actions(value: Any) -> int:
    """A bitmap by the names of its actions, in the order of their bits."""
    bits = array(choice(*ACTIONS))(value)
    need(bits == sorted(set(bits)), "actions are not in the order of their bits")
    return sum(1 << bit for bit in bits)


def _usage(value: Any) -> Usage:
    shape = dict(
        sensitivity=choice("low", "high"),
        granted=_actions,
        exempt=_actions,
        environment=choice("any", "sandbox", "sandbox-held"),
        expiry=U64,
        contract_key=HASH,
    )
    return Usage(**fields(value, shape))


def _step(value: Any) -> bytes:
    """A step's CBOR."""
    detail = record(name=text, value=text)
    read = fields(value, dict(time=U64, node=ACCOUNT, action=text, details=array(detail)))
    details = [[each["name"], each["value"]] for each in read.pop("details")]
    return Step(**read, details=details).encode()


class Block(NamedTuple):
    header: Header
    body: ParentBody | SideBody
    record: bytes


def _blocks(value: Any) -> tuple[Block, list[Block]]:
    read = fields(value, dict(parent=octets(), sides=array(octets(), _MOST_REPORTS)))
    parent = Block(*decode_record(read["parent"]), read["parent"])
    own = parent.header.hash()
    return parent, [Block(*decode_record(raw, own), raw) for raw in read["sides"]]


@dataclass(frozen=True)
class Bundle:
    """What the parts of a bundle say."""

    chain_id: int
    address: bytes
    package: bytes
    request: dict[str, Any]
    request_signature: bytes
    usage: Usage
    form: list[bytes]
    validation: dict[str, Any]
    parent: Block
    sides: list[Block]
    parent_proof: Inclusion
    side_proofs: list[Inclusion]
    contract: Contract
    wallet: Account
    code: bytes
    reports: list[dict[str, Any]]
    deletion: dict[str, Any] | None

    @classmethod
    def read(cls, source: BinaryIO) -> Self:
        """The bundle in a zip file. Other parts, a part twice and another spelling of one are refused."""
        parts = _parts(source)

        def part(name: str, read: Reader) -> Any:
            need(name in parts, f"{name}: is not there")
            try:
                value = parse(parts[name], Ordered)
                result = read(value)
                need(written(value) == parts[name], "is not as it would be written")
                return result
            except Refused as fault:
                raise Refused(f"{name}: {fault}") from fault

        subject = part("evidence.json", _SUBJECT)
        need(subject["evidence"] == 1, "evidence.json: unknown version")
        request, proofs = part("request.json", _REQUEST), part("proofs.json", _PROOFS)
        parent, sides = part("blocks.json", _blocks)
        return cls(
            chain_id=subject["chain_id"],
            address=subject["contract"],
            package=subject["package"],
            request=request["request"],
            request_signature=request["signature"],
            usage=part("usage.json", _usage),
            form=part("form.json", array(_step, _MOST_STEPS)),
            validation=part("validation.json", _VALIDATION),
            parent=parent,
            sides=sides,
            parent_proof=proofs["parent"],
            side_proofs=proofs["sides"],
            contract=part("contract.json", Contract.read),
            wallet=part("wallet.json", Account.read),
            code=_code(parts),
            reports=part("reports.json", _REPORTS),
            deletion=part("deletion.json", _DELETION) if "deletion.json" in parts else None,
        )


def _code(parts: dict[str, bytes]) -> bytes:
    raw = parts.get("code.hex", b"")
    need(raw.isascii() and raw.endswith(b"\n"), "code.hex: no hexadecimal digits and a line feed")
    return unhex(raw[:-1].decode())


_JSON = ["evidence", "request", "usage", "form", "validation", "blocks", "proofs", "contract", "wallet", "reports"]
_NEEDED = {f"{name}.json" for name in _JSON} | {"code.hex"} | _MADE_OF_OTHERS


def archive(parts: dict[str, bytes]) -> bytes:
    """The one zip file of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as made:
        for name in sorted(parts):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.create_version, entry.extract_version = 3, 10, 10
            entry.external_attr = 0o100644 << 16
            made.writestr(entry, parts[name])
    return file.getvalue()


def _parts(source: BinaryIO) -> dict[str, bytes]:
    raw = source.read(_MAX_BYTES + 1)
    need(len(raw) <= _MAX_BYTES, f"more than {_MAX_BYTES} bytes")
    # Before a list of the archive is made: one of 96 MiB can have millions of entries.
    need(len(raw) >= 22, "no zip file")
    magic, disks, entries, size, place = struct.unpack("<4sIxxHIIxx", raw[-22:])
    need(magic == b"PK\5\6", "no zip file")
    need((disks, size + place + 22) == (0, len(raw)), "the archive has more than its parts")
    need(entries <= _MOST_LISTED, "more parts than a bundle has")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as file:
            entries = file.infolist()
            names = [entry.filename for entry in entries]
            need(len(set(names)) == len(names), "a part twice")
            need(set(names) - {"deletion.json"} == _NEEDED, "not the parts of a bundle")
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            need(stored and sum(entry.file_size for entry in entries) <= len(raw), "a part is not stored")
            parts = {name: file.read(name) for name in names}
    except (zipfile.BadZipFile, EOFError, RuntimeError, ValueError, OSError) as fault:
        if isinstance(fault, Refused):
            raise
        raise Refused("no zip file") from fault
    need(archive(parts) == raw, "the archive is not as it would be written")
    for name in parts.keys() - _MADE_OF_OTHERS - {"reports.json", "proofs.json"}:
        most = _MAX_BLOCKS if name == "blocks.json" else _MAX_PART
        need(len(parts[name]) <= most, f"{name}: more than {most} bytes")
    return parts
