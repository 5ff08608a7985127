"""The command line: exit status, one line for every fault, and never a traceback."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

import verify
from builder import example, written
from conftest import VECTORS, vectors
from test_evidence import JSON, packed, parts
from test_package import CONTAINER, PAYLOAD
from test_proof import PROOFS

EXPORT = written(example().finish())
PACKAGE = vectors("package")["package"]
KEYS = ["--sealing-key", PACKAGE["requestor_secret"], "--custodian-share", PACKAGE["sealed_custodian_share"]]


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Call the command line in an empty folder; exit status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["verify.py", *arguments])
        with pytest.raises(SystemExit) as leave:
            sys.exit(verify.main())
        return leave.value.code, *capsys.readouterr()

    return call


def test_sound_ledger(run) -> None:
    Path("export").write_bytes(EXPORT)
    assert run("ledger", "export") == (0, "sound: blocks: 8, threads: 2, packages: 3\n", "")


def test_faults(run) -> None:
    lines = EXPORT.splitlines(keepends=True)
    side = next(index for index, line in enumerate(lines) if b'"side"' in line)
    record = lines[side].rindex(b'"record":"0x') + 12
    Path("export").write_bytes(b"".join([*lines[:side], lines[side][:record] + b"00" + lines[side][record + 2:],
                                         *lines[side + 1:]]))
    status, out, err = run("ledger", "export")
    assert (status, err, out.count("\n")) == (1, "", 1) and out.startswith("package 0x") and out.endswith(" 0: magic\n")
    Path("export").write_bytes(EXPORT[:-1])
    assert run("ledger", "export") == (1, f"refused: line {len(lines)}: does not end with a line feed\n", "")


def test_package(run) -> None:
    Path("data.mds").write_bytes(CONTAINER)
    status, out, err = run("package", "data.mds", *KEYS, "-o", "data.csv")
    assert (status, err) == (0, "") and out.startswith("opened: 72008 bytes of 'text/csv'")
    assert Path("data.csv").read_bytes() == PAYLOAD
    Path("data.csv").unlink()
    Path("data.mds").write_bytes(CONTAINER[:-1])
    assert run("package", "data.mds", *KEYS, "-o", "data.csv") == (1, "", "refused: truncated in chunk 1\n")
    assert [path.name for path in Path().iterdir()] == ["data.mds"]


def test_evidence(run) -> None:
    bundle = VECTORS / "evidence.zip"
    status, out, err = run("evidence", str(bundle))
    assert (status, err) == (0, "") and out.startswith("sound: package 0x35c9e6d3") and out.count("\n") == 1
    zipped = parts()
    signature = JSON["request.json"]["signature"].encode()
    other = bytes(signature[:-4]) + (b"001b" if signature[-4:-2] != b"00" else b"011b")
    zipped["request.json"] = zipped["request.json"].replace(signature, other)
    Path("changed.zip").write_bytes(packed(zipped))
    assert run("evidence", "changed.zip") == (1, "request.json: is not signed by the requestor\n", "")
    Path("short.zip").write_bytes(bundle.read_bytes()[:-1])
    assert run("evidence", "short.zip") == (1, "", "refused: no zip file\n")


def test_proof(run) -> None:
    for name, said in (("inclusion", "is number 1 of 3"), ("growth", "grew from 1"), ("state", "was Retrieved in")):
        Path("proof").write_text(json.dumps(PROOFS[name]))
        status, out, err = run("proof", "proof")
        assert (status, err) == (0, "") and out.startswith("sound: ") and said in out
    Path("proof").write_text(json.dumps(PROOFS["inclusion"] | {"index": 0}))
    assert run("proof", "proof") == (1, "", "refused: the path does not lead from the leaf to the root\n")


@pytest.mark.parametrize("arguments", [
    [], ["ledger"], ["ledger", "no-such-file"], ["ledger", "."], ["audit"],
    ["proof"], ["proof", "no-such-file"], ["evidence"], ["evidence", "no-such-file"],
    ["package", "no-such-file", *KEYS, "-o", "x"], ["package", "x", "-o", "y"], ["package", "x", *KEYS[2:], "--sealing-key", "zz", "-o", "y"],
    ["package", "x", *KEYS[:2], "--custodian-share", "00", "-o", "y"]])
def test_wrong_use(run, arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "") and "error: " in err.splitlines()[-1]


def test_help(run) -> None:
    for arguments in ([], ["ledger"], ["package"], ["proof"], ["evidence"]):
        status, out, _ = run(*arguments, "--help")
        assert status == 0 and "example" in out


def test_spoiled_input_never_raises(run) -> None:
    """Random damage to an export and a container ends in 1 (in 0, if it only hit what nothing is checked against)."""
    rng = random.Random(1)
    for _ in range(300):
        spoiled = bytearray(EXPORT)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(spoiled))
            spoiled[at:at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        Path("x").write_bytes(spoiled)
        status, out, err = run("ledger", "x")
        assert status in (0, 1) and err == "" and out
        spoiled = bytearray(CONTAINER)
        spoiled[rng.randrange(600)] ^= rng.randrange(1, 256)
        Path("x").write_bytes(spoiled)
        assert run("package", "x", *KEYS, "-o", "y")[0] == 1


def test_as_a_program() -> None:
    script = Path(__file__).parent / "verify.py"
    result = subprocess.run([sys.executable, script, "ledger", script], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (1, "refused: line 1: not UTF-8 JSON\n", "")
