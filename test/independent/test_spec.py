"""What the SPEC elides in its examples (`0xabcd…ef01`) begins and ends as values of the vectors do.

The rest is held to them in `crates/protocol`.
"""

import re

from conftest import VECTORS
from test_evidence import PARTS

SPEC = (VECTORS / "../../crates/protocol/SPEC.md").read_text()


def test_elided_values() -> None:
    texts = [path.read_text().lower() for path in VECTORS.glob("*.json")] + [part.decode() for part in PARTS.values()]
    known = {value for text in texts for value in re.findall(r"\b0x[0-9a-f]+", text)}
    elided = set(re.findall(r"0x([0-9a-f]+)…([0-9a-f]+)", SPEC))
    assert elided
    for begin, end in elided:
        assert any(value[2:].startswith(begin) and value.endswith(end) for value in known), (begin, end)
