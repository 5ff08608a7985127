//! What evidence proves, and what that rests on. No I/O, no clock: the same evidence always says the same.

mod certificate;
mod container;
mod contract;
mod ledger;
mod reports;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::fmt;

use alloy_primitives::B256;
use medshare_chain::{EvmBlock, PackageStatus, ProvenStorage};
use medshare_protocol::block::{ParentBlock, SideBlock};
use medshare_protocol::typed::{Domain, recover};
use serde::Serialize;

use super::{EVIDENCE_VERSION, Evidence};

pub use container::verify_container;

/// Flaws that are told; what has one should not be relied on anyway.
const MAX_FLAWS: usize = 100;

/// What somebody has to know or to grant, because no file can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assumption {
    /// The EVM block is on its chain.
    EvmBlock,
    /// The contract's code does what its source says.
    Contract,
    /// The code at the contract's address is MedShare's: this program does not know it.
    UnknownCode,
    /// The algorithms hold.
    Algorithms,
    /// Keys are with those whose they are.
    Keys,
    /// Clocks of node and requestor.
    Clocks,
    /// Past registrations of nodes.
    Registration,
    /// What a wallet that is a contract agreed to, only the custodian's node has seen.
    NodesWord,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EvmBlock => {
                "the EVM block named above is on that chain: compare its hash with a node of the chain or a block \
                 explorer that you trust"
            }
            Self::Contract => {
                "the contract does what its source says: it takes a block only on top of the last one and from a node \
                 of the custodian, and a package only with the requestor's and another registered node's signature"
            }
            Self::UnknownCode => {
                "the code at the contract's address is a MedShare contract: it is not the one that this program was \
                 built with"
            }
            Self::Algorithms => "SHA-256, Keccak-256 and ECDSA over secp256k1 are unbroken",
            Self::Keys => {
                "whoever signed held the key by right: a key that was lost or lent signs as well as any"
            }
            Self::Clocks => {
                "times are by the clocks of the node and of the requestor; the contract only sees to it that no block is \
                 more than two minutes ahead of the chain"
            }
            Self::Registration => {
                "a node that was not registered in that EVM block was so when the package was issued: this file has no \
                 proof of past registrations, `medshare audit` compares all of them"
            }
            Self::NodesWord => {
                "the custodian's node tells the truth about what the requestor's wallet, which is a contract, agreed to when \
                 it was asked (EIP-1271): nobody else saw that, and no signature in this file shows it"
            }
        })
    }
}

/// Something that the evidence proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// What.
    pub what: String,
    /// The part of the bundle that shows it.
    pub part: &'static str,
    /// On what that rests.
    pub rests_on: Vec<Assumption>,
}

/// Something that is wrong with the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// In which part of the bundle.
    pub part: &'static str,
    /// What.
    pub what: String,
}

/// What evidence proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What it is about.
    #[serde(flatten)]
    pub subject: super::Subject,
    /// The EVM block that all that is said of the contract stands on.
    pub evm_block: Option<EvmBlock>,
    /// What is proven.
    pub proven: Vec<Claim>,
    /// What is wrong; with anything here nothing should be relied on.
    pub flaws: Vec<Flaw>,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.flaws.is_empty()
    }

    /// All that the claims rest on.
    #[must_use]
    pub fn rests_on(&self) -> BTreeSet<Assumption> {
        let all = self.proven.iter().flat_map(|claim| &claim.rests_on);
        all.copied().collect()
    }
}

/// What the contract held, proven.
struct Held {
    storage: ProvenStorage,
    status: PackageStatus,
    thread: Option<B256>,
    /// Whether the requestor's wallet is a contract, which signs by what its code agrees to (EIP-1271).
    wallet_has_code: bool,
}

/// The examination so far.
struct Examination<'a> {
    evidence: &'a Evidence,
    domain: Domain,
    proven: Vec<Claim>,
    flaws: Vec<Flaw>,
}

/// Examines everything.
#[must_use]
pub fn verify(evidence: &Evidence) -> Verdict {
    let mut examination = Examination {
        evidence,
        domain: evidence.subject.domain(),
        proven: Vec::new(),
        flaws: Vec::new(),
    };
    let version = evidence.subject.evidence;
    examination.same("evidence.json", "the format", version, EVIDENCE_VERSION);
    let held = examination.contract();
    if let Some(held) = &held {
        examination.request(held);
        examination.usage(held);
        if let Some(parent) = examination.parent(held) {
            examination.form(&parent);
            examination.validation(&parent);
            let sides = examination.sides(held, &parent);
            examination.reports(held, &parent, &sides);
            examination.deletion(held);
        }
    }
    Verdict {
        subject: evidence.subject,
        evm_block: held.map(|held| held.storage.block),
        proven: examination.proven,
        flaws: examination.flaws,
    }
}

impl Examination<'_> {
    fn shows(&mut self, part: &'static str, rests_on: &[Assumption], what: impl Into<String>) {
        self.proven.push(Claim {
            what: plain(&what.into()),
            part,
            rests_on: BTreeSet::from_iter(rests_on.iter().copied())
                .into_iter()
                .collect(),
        });
    }

    fn flaw(&mut self, part: &'static str, what: impl fmt::Display) {
        if self.flaws.len() >= MAX_FLAWS {
            return;
        }
        let what = plain(&what.to_string());
        self.flaws.push(Flaw { part, what });
    }

    /// Notes a flaw where there are more than can be needed: what a stranger hands over may be endless.
    fn at_most(&mut self, part: &'static str, what: &str, count: usize, limit: usize) -> bool {
        let holds = count <= limit;
        self.hold(
            holds,
            part,
            format_args!("there are {count} {what}, and at most {limit} are read"),
        )
    }

    /// Notes a flaw unless it holds; answers whether it does.
    fn hold(&mut self, holds: bool, part: &'static str, otherwise: impl fmt::Display) -> bool {
        if !holds {
            self.flaw(part, otherwise);
        }
        holds
    }

    /// Notes a flaw where two values differ that have to be the same.
    fn same<T: PartialEq + fmt::Debug>(
        &mut self,
        part: &'static str,
        what: &str,
        found: T,
        expected: T,
    ) -> bool {
        let holds = found == expected;
        self.hold(
            holds,
            part,
            format_args!("{what} is {found:?}, and should be {expected:?}"),
        )
    }

    /// On what it rests that the requestor signed: on its key, or, for a wallet that is a contract, on `if_code`. Nothing
    /// when neither is shown.
    fn signed_by_requestor(
        &self,
        held: &Held,
        digest: B256,
        signature: &[u8],
        if_code: Assumption,
    ) -> Option<Assumption> {
        if recover(digest, signature) == Some(held.status.requestor) {
            return Some(Assumption::Keys);
        }
        held.wallet_has_code.then_some(if_code)
    }
}

/// `blocks` and the like, with their number.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The blocks that were read.
type Sides = Vec<SideBlock>;
type Parent = ParentBlock;

/// On one line and in reading order, whatever a stranger wrote into it: nobody adds a line to what is proven, or turns one
/// round (Unicode's line separators and bidirectional marks; UTR 36, 3.1.1).
fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_shown = matches!(letter, '"' | '\'' | '\\') || letter.escape_debug().len() == 1;
        match is_shown {
            true => line.push(letter),
            false => line.extend(letter.escape_unicode()),
        }
    }
    line
}
