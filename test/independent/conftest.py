"""What the tests share: the vectors, at MEDSHARE_VECTORS or in ../vectors."""

import json
import os
from pathlib import Path
from typing import Any

VECTORS = Path(os.environ.get("MEDSHARE_VECTORS", Path(__file__).parent / "../vectors"))


def vectors(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


def unhexed(value: Any) -> Any:
    """The vectors' hexadecimal texts as bytes, at any depth; what is no hexadecimal text stays."""
    if isinstance(value, dict):
        return {name: unhexed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unhexed(item) for item in value]
    return bytes.fromhex(value[2:]) if isinstance(value, str) and value.startswith("0x") else value
