"""The evidence vector (§9): it holds, and with anything changed it does not."""

import io
import json
import struct
import zipfile

import pytest

from changes import changes
from conftest import VECTORS
from medshare_independent.bundle import Bundle, archive
from medshare_independent.codec import Refused
from medshare_independent.evidence import Evidence
from medshare_independent.shape import written
from medshare_independent.storage import EvmBlock, Held, slot_of


def parts() -> dict[str, bytes]:
    with zipfile.ZipFile(VECTORS / "evidence.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(made: dict[str, bytes]) -> bytes:
    return archive(made)


def read(made: dict[str, bytes]) -> Bundle:
    return Bundle.read(io.BytesIO(packed(made)))


FILE = (VECTORS / "evidence.zip").read_bytes()
PARTS = parts()
JSON = {name: json.loads(content) for name, content in PARTS.items() if name.endswith(".json") and name != "fhir.json"}
BUNDLE = read(PARTS)


def holds(made: dict[str, bytes]) -> bool:
    """Whether it proves something of the same EVM block: who knows that one's hash would take no other."""
    try:
        evidence = Evidence(read(made))
    except Refused:
        return False
    return evidence.bundle.contract.evm_block == BUNDLE.contract.evm_block and not any(evidence.faults())


def test_sound() -> None:
    evidence = Evidence(BUNDLE)
    assert list(evidence.faults()) == [] and holds(PARTS)
    assert "was Retrieved in the EVM block 15" in evidence.summary()
    assert "reports: 3, side-blocks: 3, violations: 1" in evidence.summary()


@pytest.mark.parametrize("part", JSON)
def test_every_field_is_held(part: str) -> None:
    seen = 0
    for path, changed in changes(JSON[part]):
        assert not holds(PARTS | {part: written(changed)}), path
        seen += 1
    assert seen >= 8


def test_bytes_of_the_code_count() -> None:
    for changed in (PARTS["code.hex"].replace(b"0x60", b"0x61", 1), PARTS["code.hex"][:-1], PARTS["code.hex"].upper(),
                    PARTS["code.hex"] + b"\n", PARTS["code.hex"][:-3] + b"\n", b"0x\n", b"", b"\xff\n"):
        assert not holds(PARTS | {"code.hex": changed})


@pytest.mark.parametrize("part", JSON)
def test_one_spelling(part: str) -> None:
    good, value = PARTS[part], JSON[part]
    assert written(value) == good
    spellings = [good[:-1], good + b"\n", b" " + good, json.dumps(value).encode() + b"\n", good.replace(b"0x", b"0X", 1)]
    if isinstance(value, dict):
        names = [*value]
        spellings.append(written({name: value[name] for name in reversed(names)}) if len(names) > 1 else b"")
        spellings.append(good.replace(b"{", b'{\n  "more": 1,', 1))
    for spelling in spellings:
        if spelling != good:
            with pytest.raises(Refused, match=part):
                read(PARTS | {part: spelling})


def test_what_is_no_bundle() -> None:
    for name in PARTS:
        without = {part: content for part, content in PARTS.items() if part != name}
        if name == "deletion.json":  # a bundle may be without one, but not of a package that was taken back
            assert not holds(without)
            continue
        with pytest.raises(Refused, match="parts"):
            read(without)
    with pytest.raises(Refused, match="parts"):
        read(PARTS | {"more.txt": b""})
    with pytest.raises(Refused, match="unknown version"):
        read(PARTS | {"evidence.json": PARTS["evidence.json"].replace(b": 1,", b": 2,", 1)})
    with pytest.raises(Refused, match="more than 100663296 bytes"):
        read(PARTS | {"README.txt": b" " * (96 << 20)})
    for part, most in {"reports.json": 10_000, "form.json": 64}.items():
        with pytest.raises(Refused, match=f"{part}: more than {most}"):
            read(PARTS | {part: written(JSON[part][:1] * (most + 1))})
    file = packed(PARTS)
    for size in (0, 3, len(file) // 2, len(file) - 1):
        with pytest.raises(Refused):
            Bundle.read(io.BytesIO(file[:size]))


@pytest.mark.parametrize("part", sorted(PARTS.keys() - {"reports.json", "proofs.json", "prov.jsonld", "fhir.json", "README.txt"}))
def test_long_parts(part: str) -> None:
    most = (16 if part == "blocks.json" else 4) << 20
    for length, why in ((most, "written|digits|JSON"), (most + 1, "more than")):
        with pytest.raises(Refused, match=why):
            read(PARTS | {part: PARTS[part].ljust(length)})


def archives_own_bytes() -> list[int]:
    """The places of what does not belong to a part."""
    places, at = [], 0
    for name in sorted(PARTS):
        data = at + 30 + len(name)
        places += range(at, data)
        at = data + len(PARTS[name])
    return places + [*range(at, len(FILE))]


def test_one_archive() -> None:
    assert archive(PARTS) == FILE
    for at in archives_own_bytes():
        for bit in range(8):
            changed = bytearray(FILE)
            changed[at] ^= 1 << bit
            with pytest.raises(Refused):
                Bundle.read(io.BytesIO(changed))


def test_nothing_stands_beside_the_parts() -> None:
    """A comment, and a part that is in no list: whoever reads an archive from its beginning finds it."""
    added, end = b"PK\3\4 another part", len(FILE) - 22
    (start,) = struct.unpack_from("<I", FILE, end + 16)
    between = FILE[:start] + added + FILE[start:-6] + struct.pack("<IH", start + len(added), 0)
    for changed in (added + FILE, between, FILE[:end] + added + FILE[end:], FILE + added, FILE[:-2] + b"\3\0yes"):
        with pytest.raises(Refused):
            Bundle.read(io.BytesIO(changed))
    with zipfile.ZipFile(io.BytesIO(between)) as file:
        assert file.read("form.json") == PARTS["form.json"]


@pytest.mark.parametrize("change", [dict(compression=zipfile.ZIP_DEFLATED), dict(), dict(reverse=True)])
def test_another_programs_archive(change: dict) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", change.get("compression", zipfile.ZIP_STORED)) as made:
        for name in sorted(PARTS, reverse=change.get("reverse", False)):
            made.writestr(name, PARTS[name])
    with pytest.raises(Refused):
        Bundle.read(file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_part_twice() -> None:
    file = io.BytesIO(FILE)
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("usage.json", PARTS["usage.json"])
    file.seek(0)
    with pytest.raises(Refused, match="twice"):
        Bundle.read(file)


def test_many_entries() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number in range(65):
            made.writestr(str(number), b"")
    file.seek(0)
    with pytest.raises(Refused, match="more parts"):
        Bundle.read(file)


def test_bytes_of_the_parts() -> None:
    """Whatever stands there, nothing but a refusal is raised, and what is read was changed."""
    for at in range(0, len(FILE), 97):
        changed = bytearray(FILE)
        changed[at] ^= 0x55
        with pytest.raises(Refused):
            Bundle.read(io.BytesIO(changed))


def test_a_side_block_left_out() -> None:
    """With its report and its proof: then the head is another."""
    made = {name: json.loads(PARTS[name]) for name in ("blocks.json", "proofs.json", "reports.json")}
    for value in (made["blocks.json"]["sides"], made["proofs.json"]["sides"], made["reports.json"]):
        value.pop()
    evidence = Evidence(read(PARTS | {name: written(value) for name, value in made.items()}))
    assert "blocks.json: the side-blocks do not lead to the head that the contract held" in list(evidence.faults())


def held(**changes) -> Held:
    right = dict(requestor=bytes(20), settled=0, standing=1, is_current=True, expiry=2_000_000, terms=(1, 1, 0, 0),
                 parent=b"\1" * 16, contract_key=bytes(32), custodian=bytes(20), dataset=bytes(32), violations=0,
                 head=b"\1" * 32, thread=bytes(32))
    return Held(**right | changes)


@pytest.mark.parametrize("changes_, time, state", [
    ({}, 1999, "Issued"), ({}, 2000, "Expired"), ({"head": b"\2" * 32}, 1, "Active"), ({"standing": 2}, 1, "Revoked"),
    ({"is_current": False}, 1, "Revoked"), ({"standing": 3}, 2000, "Retrieved"), ({"standing": 2}, 2000, "Expired")])
def test_states(changes_: dict, time: int, state: str) -> None:
    assert held(**changes_).state(time) == state


def test_slots_are_soliditys() -> None:
    """[1, 0] is where Solidity has the value of key 1 of a mapping in slot 0."""
    assert slot_of(1, 0) == 0xADA5013122D395BA3C54772283FB069B10426056EF8CA54750CB9BB552A59E7D


@pytest.mark.parametrize("raw", [b"", b"\x80", b"\xc0", b"\xf9", b"\xc1\x80"])
def test_no_evm_header(raw: bytes) -> None:
    with pytest.raises(Refused):
        EvmBlock.decode(raw)
