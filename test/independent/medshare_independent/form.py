"""Forms: a hash chain over the steps of a request's processing (§6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from . import canonical
from .codec import decode_purpose, need, sha256d, u64


@dataclass(frozen=True)
class Step:
    """One step: `[time, node, action, details]`."""

    time: int
    node: bytes
    action: str
    details: list[list[str]]

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        value = canonical.decode(raw)
        need(type(value) is list and len(value) == 4, "a step has four members")
        step = cls(*value)
        need(canonical.is_uint(step.time, 64), "time is no u64")
        need(canonical.is_bytes(step.node, 20), "node has not 20 bytes")
        need(type(step.action) is str, "action is no text")
        need(type(step.details) is list, "details are no array")
        for pair in step.details:
            need(type(pair) is list and [type(text) for text in pair] == [str, str], "a detail is two texts")
        return step

    def continues(self, other: Self) -> bool:
        """Whether it is the other step, with more details behind that one's or none."""
        begins = self.details[: len(other.details)] == other.details
        return begins and (self.time, self.node, self.action) == (other.time, other.node, other.action)

    def encode(self) -> bytes:
        return canonical.encode([self.time, self.node, self.action, self.details])


def _hashed(data: bytes) -> str:
    return "0x" + sha256d(data).hex()


def received(time: int, node: bytes, requestor: bytes, purpose: bytes) -> Step:
    """The first step of a form (P11)."""
    details = [
        ["timestamp-hash", _hashed(u64(time))],
        ["requestor-hash", _hashed(requestor)],
        ["purpose", decode_purpose(purpose)],
    ]
    return Step(time, node, "received", details)


def retrieved(time: int, node: bytes) -> Step:
    return Step(time, node, "retrieved", [["timestamp-hash", _hashed(u64(time))]])


def digests(steps: list[bytes]) -> Iterator[bytes]:
    """d₀, d₁ … of the encoded steps."""
    digest = sha256d(b"medshare/form/v1")
    yield digest
    for step in steps:
        digest = sha256d(digest + step)
        yield digest


def continues(steps: list[bytes], finished: bytes, earlier: bytes) -> bool:
    """Whether the steps lead to the finished form's digest by way of the one that the second node signed, of one step or more."""
    _, *path = digests(steps)
    return path[-1:] == [finished] and earlier in path


def check(steps: list[bytes], requestor: bytes, purpose: bytes) -> None:
    """Refuse a form whose steps are no steps or whose `received` and `retrieved` do not say what §6 wants."""
    need(len(steps) > 0, "a form has a first step")
    first, *later = map(Step.decode, steps)
    need(first.continues(received(first.time, first.node, requestor, purpose)), "the first step is not the request's")
    for step in later:
        said = retrieved(step.time, step.node)
        need(step.action != said.action or step.continues(said), "timestamp-hash of `retrieved`")
