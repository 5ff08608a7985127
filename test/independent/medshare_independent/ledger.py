"""Audit of a ledger export: §3 for every chain, and §3.1 as far as an export allows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from .block import DECRYPT, ParentBody, SideBody, thread_origin
from .chain import Chain, Fault
from .export import Line, read_export
from .header import Header, target
from .typed import request_digest
from .usage import Usage

_DATA_VERSION = 1 << 16 | 1  # validation rules 1, data type 1 (tabular): §1.3
_TOLERANCE = 120  # seconds: §3.1


@dataclass(frozen=True)
class _Package:
    """What side-blocks are checked against."""

    owner: bytes
    requestor: bytes
    usage: Usage
    chain: Chain


class Ledger:
    """The state that the events of an export lead to; `audit` reads them and names the faults."""

    def __init__(self) -> None:
        self.blocks = 0
        self._deployment: tuple[int, bytes] = (0, b"")
        self._limit = 0
        self._evm_time = 0
        self._custodians: set[bytes] = set()
        self._nodes: dict[bytes, bytes] = {}
        self._threads: dict[bytes, Chain] = {}
        self._packages: dict[bytes, _Package] = {}
        self._headless: dict[str, Chain] = {}

    def audit(self, stream: BinaryIO) -> Iterator[Fault]:
        """Every fault of the export, in order; raises Refused where it is no export."""
        for line in read_export(stream):
            yield from self._out_of_order(line)
            yield from getattr(self, "_" + line.type.replace("-", "_"))(line)

    def summary(self) -> str:
        return f"blocks: {self.blocks}, threads: {len(self._threads)}, packages: {len(self._packages)}"

    def _out_of_order(self, line: Line) -> Iterator[Fault]:
        """Events stand in their order, so their blocks' times never decrease (§3.2)."""
        time = line.values.get("evm_time", self._evm_time)
        if time < self._evm_time:
            yield Fault("line", line.number, "transition")
        self._evm_time = max(time, self._evm_time)

    def _ledger(self, line: Line) -> tuple[()]:
        self._deployment = line.values["chain_id"], line.values["contract"]
        return ()

    def _work_limit(self, line: Line) -> tuple[()]:
        self._limit = target(line.values["bits"])
        return ()

    def _custodian(self, line: Line) -> tuple[()]:
        change = self._custodians.add if line.values["admitted"] else self._custodians.discard
        change(line.values["custodian"])
        return ()

    def _node(self, line: Line) -> Iterator[Fault]:
        node, custodian = line.values["node"], line.values["custodian"]
        if not line.values["registered"]:
            self._nodes.pop(node, None)
            return
        if custodian not in self._custodians:
            yield Fault("line", line.number, "transition")
        self._nodes[node] = custodian

    def _parent(self, line: Line) -> Iterator[Fault]:
        event, package, request = line.values, line.values["package"], line.values["request"]
        requestor = request["requestor"]
        if requestor not in self._threads:
            thread = Chain(thread_origin(*self._deployment, requestor), requestor)
            self._threads[requestor] = self._headless[thread.name] = thread
        thread = self._threads[requestor]
        kinds, header, body = thread.append(event["entry"], event["record"], self._limit, self._nodes)
        if request_digest(request, *self._deployment) != package:
            kinds.append("package-id")
        if package in self._packages:
            kinds.append("issued-twice")
        else:
            chain = self._headless[f"package 0x{package.hex()}"] = Chain(event["entry"].leaf, package, header.hash())
            self._packages[package] = _Package(request["custodian"], requestor, event["usage"], chain)
        kinds += self._issue_faults(event)
        if header.version != _DATA_VERSION:
            kinds.append("data-version")
        if isinstance(body, ParentBody) and _differs(body, event):
            kinds.append("field")
        yield from self._named(thread, [*kinds, *_clock_faults(header, body, event["evm_time"])])

    def _issue_faults(self, event: dict[str, Any]) -> Iterator[str]:
        """§3.1: the sender was a node of the custodian asked; the second node another, of another custodian if there are two."""
        node, verifier, custodian = event["node"], event["verifier"], event["request"]["custodian"]
        if self._nodes.get(node) != custodian or custodian not in self._custodians:
            yield "foreign-node"
        same = len(self._custodians) > 1 and self._nodes.get(verifier) == custodian
        if verifier == node or verifier not in self._nodes or same:
            yield "second-node"

    def _side(self, line: Line) -> Iterator[Fault]:
        event = line.values
        package = self._packages.get(event["package"])
        if package is None:
            self.blocks += 1
            yield Fault("line", line.number, "unknown-package")
            return
        kinds, header, body = package.chain.append(event["entry"], event["record"], self._limit, self._nodes)
        if self._nodes.get(event["node"]) != package.owner:
            kinds.append("foreign-node")
        if header.version != package.chain.height:
            kinds.append("report-number")
        if isinstance(body, SideBody):
            kinds += _report_faults(body, package)
        yield from self._named(package.chain, [*kinds, *_clock_faults(header, body, event["evm_time"])])

    def _named(self, chain: Chain, kinds: list[str]) -> Iterator[Fault]:
        """Faults of the block that was appended last."""
        self.blocks += 1
        return (Fault(chain.name, chain.height - 1, kind) for kind in kinds)

    def _thread_head(self, line: Line) -> Iterator[Fault]:
        yield from self._check_head(f"thread 0x{line.values['requestor'].hex()}", line.values["head"])

    def _package_head(self, line: Line) -> Iterator[Fault]:
        yield from self._check_head(f"package 0x{line.values['package'].hex()}", line.values["head"])

    def _check_head(self, name: str, head: bytes) -> Iterator[Fault]:
        chain = self._headless.pop(name, None)
        if chain is None or chain.head != head:
            yield Fault(name, chain.height if chain else 0, "head-differs")

    def _end(self, line: Line) -> Iterator[Fault]:
        """A chain without the head that the contract holds cannot be told from a truncated one."""
        for name, chain in self._headless.items():
            yield Fault(name, chain.height, "head-differs")


def _differs(body: ParentBody, event: dict[str, Any]) -> bool:
    """Whether a parent block's fields are not those of its event (§3.1, `field`)."""
    request, usage = event["request"], event["usage"]
    said = (
        body.owner,
        body.requestor,
        body.sensitivity,
        body.purpose,
        body.dataset,
        body.package,
        body.payload_hash,
        body.node,
        body.verifier,
        body.action_counter,
    )
    return said != (
        request["custodian"],
        request["requestor"],
        usage.sensitivity,
        request["purpose"],
        request["dataset"],
        event["package"],
        event["payload_hash"],
        event["node"],
        event["verifier"],
        usage.action_counter(),
    )


def _report_faults(body: SideBody, package: _Package) -> Iterator[str]:
    """§3.1 on the body of a side-block."""
    if package.chain.height == 1 and not body.reported & DECRYPT:
        yield "first-report"
    if (body.owner, body.requestor) != (package.owner, package.requestor):
        yield "field"
    if body.violated != package.usage.violations(body.reported):
        yield "verdict"


def _clock_faults(header: Header, body: ParentBody | SideBody | None, evm_time: int) -> Iterator[str]:
    """§3.1 on a block's times; a header's are seconds, a body's milliseconds."""
    if header.time > evm_time + _TOLERANCE:
        yield "ahead-of-time"
    if body and body.locktime // 1000 > header.time + _TOLERANCE:
        yield "closed-late"
