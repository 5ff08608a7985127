"""All JSON values that differ from one in one place, for the tests that find every change."""

from collections.abc import Iterator
from typing import Any

STRIDE = 37  # of hexadecimal digits the first, the last and every so many are changed


def changes(value: Any) -> Iterator[tuple[str, Any]]:
    """Where, and the changed value: numbers and texts by themselves, lists with an entry dropped, doubled or moved."""
    match value:
        case bool():
            yield "", not value
        case int():
            yield "", value + 1
        case str():
            yield from (("", other) for other in _texts(value))
        case list():
            for index, inner in enumerate(value):
                for path, other in changes(inner):
                    yield f"[{index}]{path}", [*value[:index], other, *value[index + 1:]]
                yield f"[{index}] dropped", value[:index] + value[index + 1:]
                yield f"[{index}] doubled", value[:index + 1] + value[index:]
                if index > 0:
                    yield f"[{index}] moved", [*value[:index - 1], inner, value[index - 1], *value[index + 1:]]
        case dict():
            for name, inner in value.items():
                for path, other in changes(inner):
                    yield f".{name}{path}", value | {name: other}


def _texts(text: str) -> Iterator[str]:
    if not text.startswith("0x") or len(text) < 4:
        yield text + "x"
        return
    for at in sorted({2, len(text) - 1, *range(STRIDE, len(text), STRIDE)}):
        yield text[:at] + ("2" if text[at] == "1" else "1") + text[at + 1:]
