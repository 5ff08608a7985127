//! The blocks, up to the heads that the contract held.

use alloy_primitives::B256;
use medshare_protocol::block::{Block, ParentBlock};
use medshare_protocol::chain_verifier::{Anchored, ChainName, ChainVerifier};
use medshare_protocol::header::Entry;
use medshare_protocol::id::LeafHash;
use medshare_protocol::origin::thread_origin;
use medshare_protocol::proof::InclusionProof;
use medshare_protocol::usage::{Action, Actions};

use super::Assumption::{Algorithms, Clocks, Contract, EvmBlock, Keys, Registration};
use super::{Examination, Held, Parent, Sides, counted};
use crate::evidence::MAX_REPORTS;
use crate::times::rfc3339;

const BLOCKS: &str = "blocks.json";
const PROOFS: &str = "proofs.json";
const CONTRACT: &str = "contract.json";

impl Examination<'_> {
    /// The parent block, in the requestor's thread.
    pub(super) fn parent(&mut self, held: &Held) -> Option<Parent> {
        let parent = match ParentBlock::from_bytes(&self.evidence.blocks.parent) {
            Ok(parent) => parent,
            Err(error) => {
                self.flaw(BLOCKS, format_args!("the parent block: {error}"));
                return None;
            }
        };
        let requestor = held.status.requestor;
        let (chain, leaf) = (ChainName::Thread(requestor), parent.body.leaf());
        let proof = &self.evidence.proofs.parent;
        let head = held.thread.unwrap_or_default();
        if self.included(proof, chain, leaf, head) {
            self.shows(
                PROOFS,
                &[EvmBlock, Contract, Algorithms],
                format!(
                    "the parent block is number {} of {} in the thread of requestor {requestor}, whose head {head} the \
                     contract held",
                    proof.index,
                    counted(proof.end.size as usize, "block"),
                ),
            );
        }
        self.hold(
            proof.is_of(&parent.header),
            BLOCKS,
            "the parent block's header is not the one of its place in the thread",
        );
        let work = parent.header.meets_its_target();
        self.hold(
            work,
            BLOCKS,
            "the parent block's header does not meet its target",
        );
        self.parent_signature(held, &parent);
        self.parent_fields(held, &parent);
        Some(parent)
    }

    fn parent_signature(&mut self, held: &Held, parent: &Parent) {
        let block = &parent.body.transaction;
        let subject = self.evidence.subject;
        let origin = thread_origin(subject.chain_id, subject.contract, held.status.requestor);
        let is_signed = parent.body.is_signed(origin);
        let otherwise = format!("the node {} has not signed the parent block", block.node);
        if self.hold(is_signed, BLOCKS, otherwise) {
            self.shows(
                BLOCKS,
                &[Algorithms, Keys, Clocks],
                format!(
                    "the node {} signed the parent block: received {}, ready {}",
                    block.node,
                    rfc3339(block.received),
                    rfc3339(block.sent)
                ),
            );
        }
        self.registrations(held, parent);
    }

    /// Whose nodes these were. A node that has gone since may have been anybody's, as far as this file shows.
    fn registrations(&mut self, held: &Held, parent: &Parent) {
        let block = &parent.body.transaction;
        let differ = block.node != block.verifier;
        self.hold(differ, BLOCKS, "the node is its own second node");
        for (node, what) in [(block.node, "node"), (block.verifier, "second node")] {
            match held.storage.custodian_of(node) {
                Ok(Some(custodian)) => {
                    let same = what == "second node" && custodian == held.status.custodian;
                    let same = if same { ", the same as of the first node" } else { "" };
                    self.shows(
                        CONTRACT,
                        &[EvmBlock, Contract, Algorithms],
                        format!("the {what} {node} was registered for the custodian {custodian}{same} in that EVM block"),
                    );
                }
                Ok(None) => self.shows(
                    CONTRACT,
                    &[Registration],
                    format!("the {what} {node}, which was not registered in that EVM block, was so before"),
                ),
                Err(error) => self.flaw(CONTRACT, error),
            }
        }
    }

    /// What the block says is what was asked for, and what the contract holds.
    fn parent_fields(&mut self, held: &Held, parent: &Parent) {
        let (block, status) = (&parent.body.transaction, &held.status);
        let dossier = &self.evidence.dossier;
        let (request, usage) = (&dossier.request.request, &dossier.usage);
        let purpose = request.purpose;
        self.same(
            BLOCKS,
            "the package (parent block)",
            block.package,
            self.evidence.subject.package,
        );
        self.same(
            BLOCKS,
            "the requestor (RID)",
            block.requestor,
            status.requestor,
        );
        self.same(BLOCKS, "the custodian (OID)", block.owner, status.custodian);
        self.same(BLOCKS, "the dataset", block.dataset, status.dataset);
        self.same(BLOCKS, "the purpose (DRP)", block.purpose.bytes(), purpose);
        self.same(
            BLOCKS,
            "the sensitivity (Dsens)",
            block.sensitivity,
            usage.sensitivity,
        );
        self.same(BLOCKS, "the second node", block.verifier, dossier.verifier);
        let counter = parent.body.action_counter;
        self.same(
            BLOCKS,
            "the action counter",
            counter,
            usage.violation_count(),
        );
    }

    /// The side-blocks, one on the other, from the parent block to the package's head.
    pub(super) fn sides(&mut self, held: &Held, parent: &Parent) -> Sides {
        let package = self.evidence.subject.package;
        let records = &self.evidence.blocks.sides;
        let proofs = &self.evidence.proofs.sides;
        if !self.at_most(BLOCKS, "side-blocks", records.len(), MAX_REPORTS) {
            return Sides::new();
        }
        let mut sides = Vec::with_capacity(records.len());
        let mut verifier = ChainVerifier::side(package, parent.body.leaf(), Some(parent.id()));
        for record in records {
            let side = match Block::from_bytes(record) {
                Ok(Block::Side(side)) => side,
                Ok(Block::Parent(_)) => {
                    self.flaw(BLOCKS, "a parent block stands among the side-blocks");
                    return sides;
                }
                Err(error) => {
                    self.flaw(
                        BLOCKS,
                        format_args!("side-block {}: {error}", sides.len() + 1),
                    );
                    return sides;
                }
            };
            let block = verifier.push(&Anchored {
                entry: Entry::of(&side.header, side.body.leaf()),
                record: Some(record.to_vec()),
                // That its nodes were registered, the contract saw to when it was anchored.
                is_registered_node: &|_| true,
                work_limit: side.header.bits,
            });
            if let Some(Block::Side(block)) = block {
                sides.push(block);
            }
        }
        let complete = sides.len() == records.len();
        for finding in verifier.finish(held.status.head) {
            self.flaw(BLOCKS, finding);
        }
        self.same(
            PROOFS,
            "the number of side-blocks",
            proofs.len(),
            records.len(),
        );
        for (side, proof) in sides.iter().zip(proofs) {
            let chain = ChainName::Side(package);
            self.included(proof, chain, side.body.leaf(), held.status.head);
            let number = u64::from(side.body.transaction.number);
            self.same(
                PROOFS,
                "the index of a side-block's proof",
                Some(proof.index),
                number.checked_sub(1),
            );
        }
        self.side_fields(held, &sides);
        if complete && self.flaws.is_empty() {
            self.shows(
                BLOCKS,
                &[EvmBlock, Contract, Algorithms, Keys],
                format!(
                    "{} on that parent block, each signed by its node, up to the head {} that the contract held: none is \
                     missing, changed, doubled or out of order",
                    match sides.len() {
                        0 => "there was no side-block".to_owned(),
                        1 => "there was 1 side-block".to_owned(),
                        count => format!("there were {count} side-blocks"),
                    },
                    held.status.head
                ),
            );
        }
        sides
    }

    fn side_fields(&mut self, held: &Held, sides: &Sides) {
        let usage = self.evidence.dossier.usage;
        for (number, side) in (1_u32..).zip(sides) {
            let block = &side.body.transaction;
            self.same(
                BLOCKS,
                "the report's number in a side-block",
                block.number,
                number,
            );
            self.same(
                BLOCKS,
                "the requestor of a side-block",
                block.requestor,
                held.status.requestor,
            );
            self.same(
                BLOCKS,
                "the custodian of a side-block",
                block.owner,
                held.status.custodian,
            );
            let violated = usage.violations(block.reported);
            self.same(BLOCKS, "what violated (VLN)", block.violated, violated);
        }
        if let Some(first) = sides.first() {
            let decrypt = Actions::NONE.with(Action::Decrypt);
            let reported = first.body.transaction.reported;
            self.same(BLOCKS, "what was reported first", reported, decrypt);
        }
    }

    fn included(
        &mut self,
        proof: &InclusionProof,
        chain: ChainName,
        leaf: LeafHash,
        head: B256,
    ) -> bool {
        let same = self.same(PROOFS, "the chain of a proof", proof.chain, chain)
            & self.same(PROOFS, "the block of a proof", proof.leaf, leaf);
        match proof.check(head) {
            Ok(()) => same,
            Err(error) => {
                self.flaw(PROOFS, error);
                false
            }
        }
    }
}
