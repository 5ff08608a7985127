//! How an audit is told.

use std::fmt;

use medshare_chain::{Address, B256};
use medshare_protocol::chain_verifier::{Blame, ChainName};
use medshare_protocol::id::PackageId;
use serde::{Deserialize, Serialize, Serializer};

use super::AuditFault;

/// At most so many findings are told one by one.
pub const MAX_FINDINGS: usize = 10_000;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A block of a chain, by its height from 0; for the head, how many blocks there are.
    Block {
        /// The chain.
        chain: ChainName,
        /// The height.
        height: u64,
    },
    /// A package as a whole.
    Package(PackageId),
    /// A file of no package.
    File,
}

/// Where a block was anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchorage {
    /// Number of the EVM block.
    pub evm_block: u64,
    /// Its time, s since the Unix epoch.
    pub evm_time: u64,
    /// The transaction.
    pub transaction: B256,
    /// The node that sent it.
    pub node: Address,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    /// What it is about.
    pub subject: Subject,
    /// What is wrong.
    #[serde(serialize_with = "fault", flatten)]
    pub fault: AuditFault,
    /// Where that was anchored; nothing for what is no block.
    pub anchored: Option<Anchorage>,
    /// Who served the record, when the fault is in what was served; of a file, its path.
    pub served_by: Option<String>,
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject {
            Subject::Block { chain, height } => write!(f, "{chain}, block {height}: ")?,
            Subject::Package(package) => write!(f, "package {package}: ")?,
            Subject::File => write!(f, "a file: ")?,
        }
        write!(f, "{}", self.fault)?;
        if let Some(Anchorage {
            evm_block,
            transaction,
            node,
            ..
        }) = self.anchored
        {
            write!(
                f,
                " (anchored by node {node} in EVM block {evm_block}, transaction {transaction:#x}"
            )?;
            if let Some(source) = &self.served_by {
                write!(f, "; served by {source}")?;
            }
            f.write_str(")")?;
        } else if let Some(source) = &self.served_by {
            write!(f, " (served by {source})")?;
        }
        Ok(())
    }
}

/// A kind of check and how often it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub what: &'static str,
    /// How often.
    pub count: u64,
}

/// What an audit checked and what it found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The EVM chain.
    pub chain_id: u64,
    /// The contract on it.
    pub contract: Address,
    /// The last EVM block that was read; the first is 0.
    pub evm_block: u64,
    /// Its hash.
    pub evm_block_hash: B256,
    /// Who served the block records.
    pub source: String,
    /// Threads and side-chains with at least one block.
    pub chains: u64,
    /// Packages issued.
    pub packages: u64,
    /// Parent blocks anchored.
    pub parent_blocks: u64,
    /// Side-blocks anchored.
    pub side_blocks: u64,
    /// Blocks whose body nobody serves.
    pub bodies_missing: u64,
    /// Violations settled on chain so lately that their side-blocks may still be on the way.
    pub violations_pending: u64,
    /// What is wrong, in the order of the chain; then what is wrong with heads and states.
    pub findings: Vec<AuditFinding>,
    /// How many more there are than are told.
    pub findings_left_out: u64,
    /// What was checked, and how often.
    pub checks: Vec<Check>,
}

impl AuditReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

fn fault<S: Serializer>(fault: &AuditFault, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Told {
        fault: &'static str,
        field: Option<&'static str>,
        blame: Blame,
        message: String,
    }
    Told {
        fault: fault.kind(),
        field: fault.field(),
        blame: fault.blame(),
        message: fault.to_string(),
    }
    .serialize(serializer)
}
