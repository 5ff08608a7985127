"""What is no ledger export and must be refused as a whole (§3.2)."""

import io
from typing import Any

import pytest

from builder import example, written
from medshare_independent.codec import Refused
from medshare_independent.ledger import Ledger

LINES = example().finish()
BLOCKS = [index for index, line in enumerate(LINES) if line["type"] in ("parent", "side")]


def _edited(index: int, **values: Any) -> bytes:
    return written(LINES[:index] + [LINES[index] | values] + LINES[index + 1:])


@pytest.mark.parametrize("export", [
    b"", b"\n", b"{}\n", b"[]\n", b"\xff\n", b"[" * 9000 + b"\n", b"1" * 5000 + b"\n", b" " * 20_000 + b"\n",
    written(LINES[1:]), written(LINES[:-1]), written(LINES)[:-1], written(LINES) + b"\n", written(LINES + LINES[-1:]),
    written(LINES).replace(b"\n", b"\r\n"), written(LINES).replace(b'"type":', b'"type": ', 1), b" " + written(LINES),
    written(LINES).replace(b'"evm_block":9', b'"evm_block":9,"evm_block":9'),
    _edited(0, version=2), _edited(0, version=True), _edited(0, chain_id=-1), _edited(0, chain_id=1.0),
    _edited(0, chain_id="1"), _edited(0, contract="0x" + "5F" * 20), _edited(0, contract="5f" * 20),
    _edited(0, contract="0x" + "5f" * 19), _edited(0, extra=1), _edited(1, type="unknown"), _edited(1, type=[1]),
    _edited(2, admitted=1), _edited(BLOCKS[0], usage={}), _edited(BLOCKS[0], request=None),
    _edited(BLOCKS[0], usage=LINES[BLOCKS[0]]["usage"] | {"granted": 64}), _edited(BLOCKS[0], entry="0x00"),
    _edited(BLOCKS[0], entry=None), _edited(len(LINES) - 1, blocks=7)])
def test_no_export(export: bytes) -> None:
    with pytest.raises(Refused):
        list(Ledger().audit(io.BytesIO(export)))
