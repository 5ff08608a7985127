"""The usage contract and its judge (§5)."""

from dataclasses import dataclass
from enum import Enum

from .codec import need

ACTIONS = ("read", "write", "delete", "duplicate", "move", "copy", "decrypt", "tampering")
_DECRYPT, _TAMPERING = 6, 7


class Answer(Enum):
    PERMITTED = "P"
    IGNORED = "I"
    VIOLATION = "V"


def judge(sensitivity: int, granted: int, exempt: int, action: int) -> Answer:
    """The first row of §5's table that fits."""
    bit = 1 << action
    if action == _DECRYPT:
        return Answer.PERMITTED
    if action == _TAMPERING:
        return Answer.VIOLATION
    if sensitivity == 0 and exempt & bit:
        return Answer.IGNORED
    return Answer.PERMITTED if granted & bit else Answer.VIOLATION


@dataclass(frozen=True)
class Usage:
    """A usage contract, fields in the order of its EIP-712 type (§4)."""

    sensitivity: int
    granted: int
    exempt: int
    environment: int
    expiry: int
    contract_key: bytes

    def __post_init__(self) -> None:
        need(self.sensitivity in (0, 1), "sensitivity is neither 0 nor 1")
        need(0 <= self.granted < 64 and 0 <= self.exempt < 64, "granted and exempt use bits 0 to 5 only")
        need(0 <= self.environment < 256, "environment is no u8")
        need(0 <= self.expiry < 1 << 64, "expiry is no u64")
        need(len(self.contract_key) == 32, "contract key has not 32 bytes")

    def violations(self, actions: int) -> int:
        """Those of the actions in a bitmap that violate, as a bitmap."""
        return sum(
            1 << action
            for action in range(8)
            if actions >> action & 1 and judge(self.sensitivity, self.granted, self.exempt, action) is Answer.VIOLATION
        )

    def action_counter(self) -> int:
        """How many of the six actions would be violations (§1.5)."""
        return self.violations(0b111111).bit_count()
