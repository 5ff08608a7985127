"""Verifying a bundle: what became of one request, with nothing but the bundle (§9.1)."""

from collections.abc import Iterator
from typing import Any

from eth_utils import keccak

from . import certificate, form, merkle
from .block import DECRYPT, thread_origin
from .bundle import Block, Bundle
from .chain import Chain
from .codec import Refused, need, sha256d
from .header import Entry
from .proof import ChainName, Inclusion
from .signature import signed_by
from .storage import Held
from .typed import digest, hash_struct

_ANY_LIMIT = 1 << 256


class _Anyone:
    """Who was registered when a block was anchored no bundle tells; the contract took it."""

    def __contains__(self, node: bytes) -> bool:
        return True


class Evidence:
    """A bundle with what its contract held."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.held: Held = bundle.contract.package(bundle.package)

    def summary(self) -> str:
        bundle, block = self.bundle, self.bundle.contract.evm_block
        return (
            f"package 0x{bundle.package.hex()} was {self.held.state(block.time)} in the EVM block {block.number}, "
            f"0x{block.hash.hex()}; reports: {len(bundle.reports)}, side-blocks: {len(bundle.sides)}, "
            f"violations: {self.held.violations}"
            "; not compared, as this reader cannot make them: README.txt, fhir.json, prov.jsonld"
            + "".join(f"; only the custodian's node has seen {what}" for what in self.on_the_nodes_word())
        )

    def faults(self) -> Iterator[str]:
        """One text for every fault, the part that has it first."""
        checks = {
            "contract.json": self._contract,
            "wallet.json": self._wallet,
            "request.json": self._request,
            "usage.json": self._usage,
            "blocks.json": self._parent,
            "proofs.json": self._proofs,
            "form.json": self._form,
            "validation.json": self._validation,
            "reports.json": self._reports,
            "deletion.json": self._deletion,
        }
        for part, check in checks.items():
            try:
                for holds, fault in check():
                    if not holds:
                        yield f"{part}: {fault}"
            except Refused as fault:
                yield f"{part}: {fault}"
        yield from (f"blocks.json: {fault}" for fault in self._sides())

    def _digest(self, name: str, message: dict[str, Any]) -> bytes:
        return digest(name, message, self.bundle.chain_id, self.bundle.address)

    def _agreed(self, name: str, message: dict[str, Any], signature: bytes) -> bool:
        """Whether the requestor's key signed it, or the requestor is a contract: what that agreed to, the contract saw."""
        requestor = self.bundle.request["requestor"]
        return signed_by(requestor, self._digest(name, message), signature) or self.bundle.wallet.has_code()

    def on_the_nodes_word(self) -> list[str]:
        """What a wallet with code is said to have signed, and only the custodian's node has seen (§9.1)."""
        requestor, bundle, said = self.bundle.request["requestor"], self.bundle, []
        for number, each in enumerate(bundle.reports, 1):
            if not signed_by(requestor, self._digest("Session", each["session"]), each["session_signature"]):
                said.append(f"the session of report {number}")
        given = bundle.deletion
        if given and not signed_by(requestor, self._digest("Deletion", given["deletion"]), given["signature"]):
            retrieved = self.held.state(bundle.contract.evm_block.time) == "Retrieved"
            said.append("the time of the deletion" if retrieved else "the deletion")
        return said

    def _contract(self) -> Iterator[tuple[bool, str]]:
        bundle, held = self.bundle, self.held
        yield held.standing != 0, "the contract does not have the package"
        yield bundle.contract.address == bundle.address, "is of another contract"
        yield keccak(bundle.code) == bundle.contract.account.code_hash, "the code is another"
        names = "requestor", "custodian", "dataset"
        asked = tuple(bundle.request[name] for name in names)
        yield (held.requestor, held.custodian, held.dataset) == asked, "is of another request"
        yield bundle.parent.body.leaf().startswith(held.parent), "is of another parent block"
        for node in (bundle.parent.body.node, bundle.validation["verifier"]):
            bundle.contract.custodian_of(node)  # zeros for one that has left; but it must be told

    def _wallet(self) -> Iterator[tuple[bool, str]]:
        self.bundle.wallet.check(self.bundle.request["requestor"], self.bundle.contract.evm_block.state_root)
        yield from ()

    def _request(self) -> Iterator[tuple[bool, str]]:
        bundle = self.bundle
        yield self._digest("AccessRequest", bundle.request) == bundle.package, "is not the package's request"
        agreed = self._agreed("AccessRequest", bundle.request, bundle.request_signature)
        yield agreed, "is not signed by the requestor"

    def _usage(self) -> Iterator[tuple[bool, str]]:
        usage, held = self.bundle.usage, self.held
        terms = usage.sensitivity, usage.granted, usage.exempt, usage.environment
        same = (terms, usage.expiry, usage.contract_key) == (held.terms, held.expiry, held.contract_key)
        yield same, "is not what the contract held"

    def _parent(self) -> Iterator[tuple[bool, str]]:
        bundle, (header, body, _) = self.bundle, self.bundle.parent
        request, validation = bundle.request, bundle.validation
        origin = thread_origin(bundle.chain_id, bundle.address, request["requestor"])
        yield header.has_work(), "the parent block's header does not meet its target"
        yield body.is_signed(origin), "the parent block is not signed by its node"
        wanted = {
            "requestor": request["requestor"],
            "owner": request["custodian"],
            "dataset": request["dataset"],
            "package": bundle.package,
            "purpose": request["purpose"],
            "sensitivity": bundle.usage.sensitivity,
            "verifier": validation["verifier"],
            "payload_hash": validation["validation"]["payloadHash"],
            "action_counter": bundle.usage.action_counter(),
        }
        for name, value in wanted.items():
            yield getattr(body, name) == value, f"the parent block's {name} is another"

    def _sides(self) -> Iterator[str]:
        """The side-blocks, from the parent block on to the head."""
        bundle = self.bundle
        parent = bundle.parent.body
        chain = Chain(parent.leaf(), bundle.package, bundle.parent.header.hash())
        for number, (header, body, raw) in enumerate(bundle.sides, 1):
            kinds, _, _ = chain.append(Entry.of(header, body.leaf()), raw, _ANY_LIMIT, _Anyone())
            if (body.owner, body.requestor) != (parent.owner, parent.requestor):
                kinds.append("field")
            if body.violated != bundle.usage.violations(body.reported):
                kinds.append("verdict")
            if body.number != number:
                kinds.append("report-number")
            if number == 1 and body.reported != DECRYPT:
                kinds.append("first-report")
            yield from (f"side-block {number}: {kind}" for kind in kinds)
        if chain.head != self.held.head:
            yield "the side-blocks do not lead to the head that the contract held"

    def _proofs(self) -> Iterator[tuple[bool, str]]:
        bundle, held = self.bundle, self.held
        parent = bundle.parent_proof
        yield from _proves(parent, ChainName("thread", bundle.request["requestor"]), bundle.parent, held.thread)
        size = parent.index + 1
        until = merkle.root_until(parent.leaf, parent.index, parent.end.size, parent.path)
        yield bundle.parent.header.merkle_root == merkle.header_root(until, size), "the parent block's header has another merkle root"
        last = size == parent.end.size
        yield not last or bundle.parent.header.hash() == held.thread, "the parent block's header is not the thread's last"
        yield len(bundle.side_proofs) == len(bundle.sides), "there is not one of each side-block"
        for index, (proof, block) in enumerate(zip(bundle.side_proofs, bundle.sides)):
            yield from _proves(proof, ChainName("side", bundle.package), block, held.head)
            yield (proof.index, proof.end.size) == (index, len(bundle.sides)), "is of another place"

    def _form(self) -> Iterator[tuple[bool, str]]:
        bundle, body = self.bundle, self.bundle.parent.body
        form.check(bundle.form, bundle.request["requestor"], bundle.request["purpose"])
        signed = bundle.validation["validation"]["formDigest"]
        yield form.continues(bundle.form, body.form_digest, signed), "is not the parent block's and the second node's"
        steps = [form.Step.decode(step) for step in bundle.form]
        times = steps[0].time, steps[-1].time
        yield times == (body.received, body.locktime), "does not begin and end with TTR and locktime"
        content = "0x" + sha256d(bundle.validation["certificate"]["text"].encode()).hex()
        named = [value for step in steps if step.action == "validated" for name, value in step.details if name == "certificate"]
        yield named == [content], "names another certificate"

    def _validation(self) -> Iterator[tuple[bool, str]]:
        bundle = self.bundle
        node, message = bundle.validation["verifier"], bundle.validation["validation"]
        signed = signed_by(node, self._digest("Validation", message), bundle.validation["signature"])
        yield signed, "is not signed by the second node"
        yield message["package"] == bundle.package, "is of another package"
        yield message["sensitivity"] == bundle.usage.sensitivity, "is of another sensitivity"
        usage = vars(bundle.usage).copy()
        usage["contractKey"] = usage.pop("contract_key")
        yield message["usage"] == hash_struct("Usage", usage), "is of another usage contract"
        where = bundle.package, bundle.parent.body.payload_hash, bundle.chain_id, bundle.address
        certificate.check(**bundle.validation["certificate"], node=node, about=where[:2], deployment=where[2:])

    def _reports(self) -> Iterator[tuple[bool, str]]:
        bundle, previous = self.bundle, bytes(32)
        yield len(bundle.reports) >= len(bundle.sides), "a side-block's report is not there"
        yield len(bundle.reports) >= self.held.settled, f"report {self.held.settled}, which the contract has settled, is missing"
        for number, each in enumerate(bundle.reports, 1):
            report, session, receipt = each["report"], each["session"], each["receipt"]
            own = self._digest("Report", report)
            block = bundle.sides[number - 1].body if number <= len(bundle.sides) else None
            follows = (report["package"], report["number"], report["previous"]) == (bundle.package, number, previous)
            yield follows, f"report {number} does not follow the one before"
            yield signed_by(session["key"], own, each["signature"]), f"report {number} is not signed by its session"
            yield session["package"] == bundle.package, f"the session of report {number} is of another package"
            yield report["time"] < session["expiry"], f"report {number} is later than its session's end"
            agreed = self._agreed("Session", session, each["session_signature"])
            yield agreed, f"the session of report {number} is not the requestor's"
            yield sha256d(each["body"]) == report["body"], f"report {number} has another body"
            said = own, report["body"], report["actions"], report["time"]
            recorded = block and (block.report, block.sealed_report, block.reported, block.time)
            yield block is None or said == recorded, f"side-block {number} records another report"
            acknowledged = (receipt["package"], receipt["number"], receipt["report"]) == (bundle.package, number, own)
            yield acknowledged, f"receipt {number} is of another report"
            node = (block or bundle.parent.body).node
            signed = signed_by(node, self._digest("Receipt", receipt), each["receipt_signature"])
            yield signed, f"receipt {number} is not the node's"
            previous = own

    def _deletion(self) -> Iterator[tuple[bool, str]]:
        given = self.bundle.deletion
        if given is None:
            # The contract takes data back only with the requestor's signature.
            state = self.held.state(self.bundle.contract.evm_block.time)
            yield state != "Retrieved", "is missing, though the contract holds the package as retrieved"
        else:
            yield given["deletion"]["package"] == self.bundle.package, "is of another package"
            yield self._agreed("Deletion", given["deletion"], given["signature"]), "is not signed by the requestor"


def _proves(proof: Inclusion, chain: ChainName, block: Block, head: bytes) -> Iterator[tuple[bool, str]]:
    """That the block is in the chain with this head."""
    yield proof.check() == head, "does not end at the head that the contract held"
    yield (proof.chain, proof.leaf) == (chain, block.body.leaf()), "is of another block"
