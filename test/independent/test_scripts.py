"""The vectors are what the scripts beside them write; those that cut down a package's file need that package, and are not
run here."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import VECTORS

MADE = ["blocks", "headers", "judge", "merkle", "package", "proofs", "refused"]
CUT = {"hpke": "hpke", "wycheproof-ecdsa": "wycheproof", "wycheproof-aes-gcm": "wycheproof"}


@pytest.mark.parametrize("name", MADE)
def test_script(name: str, tmp_path: Path) -> None:
    copy = shutil.copytree(VECTORS, tmp_path / "vectors")
    made = copy / f"{name}.json"
    made.unlink()
    subprocess.run([sys.executable, made.with_suffix(".py")], check=True)
    assert made.read_bytes() == (VECTORS / made.name).read_bytes()


def test_every_file_has_its_script() -> None:
    assert {path.stem for path in VECTORS.glob("*.json")} == {*MADE, *CUT}
    assert {path.stem for path in VECTORS.glob("*.py")} == {*MADE, *CUT.values(), "curve"}
