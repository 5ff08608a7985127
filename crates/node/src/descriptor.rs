//! What a custodian offers: a dataset's descriptor, a TOML file that is checked as a whole before anything is served.
//!
//! `examples/dataset.toml` beside this crate is the annotated form of it. What is public of a descriptor (columns,
//! roles, privacy model, usage terms) is a [`PublicDescriptor`]; the sha256 of its JSON bytes is what the custodian
//! publishes on chain, so a requestor and a second node can tell that they see the terms that were published.

mod check;
mod file;

use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use medshare_anonymiser::{ColumnPlan, HierarchyError, Plan, Privacy, Role};
use medshare_chain::Response;
use medshare_protocol::digest::sha256;
use medshare_protocol::id::DatasetId;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Actions, Environment};
use medshare_protocol::wire::{DatasetColumn, PublicDescriptor};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A descriptor file is refused when it is longer.
pub const MAX_DESCRIPTOR_BYTES: u64 = 1024 * 1024;
/// A hierarchy file is refused when it is longer.
pub const MAX_HIERARCHY_BYTES: u64 = 256 * 1024 * 1024;
/// Longest retention, days.
pub const MAX_RETENTION_DAYS: u32 = 3_650;
/// Longest name of a dataset, bytes.
pub const MAX_NAME_BYTES: usize = 64;
/// Longest title of a dataset, bytes.
pub const MAX_TITLE_BYTES: usize = 200;
/// Most response actions.
pub const MAX_RESPONSES: usize = 8;
/// Most models of one column.
pub const MAX_MODELS: usize = 8;
/// Most purposes.
pub const MAX_PURPOSES: usize = 32;

/// A dataset as it is served: what its descriptor says, checked.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Its id on chain.
    pub id: DatasetId,
    /// What is public of it.
    pub descriptor: PublicDescriptor,
    /// The JSON bytes of the public part: exactly what is hashed.
    pub descriptor_bytes: Vec<u8>,
    /// sha256 of [`Dataset::descriptor_bytes`]: what is published on chain.
    pub descriptor_hash: B256,
    /// Purposes it may be asked for; empty: any.
    pub purposes: Vec<Purpose>,
    /// What is done to a violator.
    pub responses: Vec<Response>,
    /// Columns, roles, hierarchies and privacy model.
    pub plan: Plan,
    /// Where the records come from.
    pub source: SourceSpec,
    /// sha256 over all that a release follows from, but for the records: roles, hierarchies, privacy model, query.
    pub plan_hash: B256,
    /// The terms of its usage contracts.
    pub usage: UsageTerms,
    /// The people among whom a journalist looks. Never of a dataset that is served.
    pub population: Option<SourceSpec>,
}

/// Who reads a descriptor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A node, which serves the dataset: whatever it promises a second node can check, which has the release alone.
    Node,
    /// Who makes a release and serves nothing: nobody else has to check it.
    Alone,
}

/// Where the records come from. Read only (P9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    /// A file of delimited text with a header row; `.gz` is decompressed on the way.
    Csv {
        /// The file.
        file: PathBuf,
        /// What separates cells.
        delimiter: u8,
    },
    /// One query of an SQLite database.
    Sqlite {
        /// The database file.
        file: PathBuf,
        /// The `SELECT` that gives the table.
        query: String,
    },
}

impl SourceSpec {
    /// The file that is read.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Csv { file, .. } | Self::Sqlite { file, .. } => file,
        }
    }
}

/// The terms that every usage contract of a dataset gets (P14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageTerms {
    /// Actions that are granted.
    pub granted: Actions,
    /// Actions that are exempt from reports when the sensitivity is low.
    pub exempt: Actions,
    /// Where packages may be opened.
    pub environment: Environment,
    /// Days a package may be used.
    pub retention_days: u32,
}

/// Why a descriptor is not taken. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is larger than any descriptor or hierarchy needs to be.
    #[error("{} has {bytes} bytes, and {limit} is the limit: is it the right file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not TOML, or not the keys and values that are known.
    #[error("{}, line {line}: {message}", path.display())]
    Malformed {
        /// The descriptor.
        path: PathBuf,
        /// Line of the fault.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A key has a value that makes no sense.
    #[error("{}, line {line}, `{key}`: {message}", path.display())]
    Invalid {
        /// The descriptor.
        path: PathBuf,
        /// Line of the value.
        line: usize,
        /// The key.
        key: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// A hierarchy file has a fault of its own.
    #[error("{}, line {line}, `hierarchy`: {}: {source}", path.display(), hierarchy.display())]
    Hierarchy {
        /// The descriptor.
        path: PathBuf,
        /// Line that names the hierarchy.
        line: usize,
        /// The hierarchy file.
        hierarchy: PathBuf,
        /// What is wrong with it.
        source: HierarchyError,
    },
}

impl Dataset {
    /// Reads and checks a descriptor, and the hierarchies that it names. The records are not looked at yet.
    ///
    /// # Errors
    /// The first fault: file, line and key.
    pub fn load(path: &Path) -> Result<Self, DescriptorError> {
        file::read(path, Reader::Node)
    }

    /// As [`Dataset::load`], of a table that is anonymised and not served: models of hierarchical distance and a population are
    /// taken as well, by which a second node could not check anything.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn load_alone(path: &Path) -> Result<Self, DescriptorError> {
        file::read(path, Reader::Alone)
    }

    /// Puts the checked parts together.
    fn assemble(
        public: PublicDescriptor,
        purposes: Vec<Purpose>,
        responses: Vec<Response>,
        plan: Plan,
        source: SourceSpec,
        usage: UsageTerms,
        population: Option<SourceSpec>,
    ) -> Self {
        let descriptor_bytes = public_bytes(&public);
        let plan_hash = plan_hash(&plan, &source);
        Self {
            id: DatasetId::of_name(&public.name),
            descriptor_hash: sha256(&[&descriptor_bytes]),
            descriptor_bytes,
            descriptor: public,
            purposes,
            responses,
            plan,
            source,
            plan_hash,
            usage,
            population,
        }
    }
}

/// The JSON bytes of a public descriptor: what is hashed and published.
#[must_use]
pub fn public_bytes(descriptor: &PublicDescriptor) -> Vec<u8> {
    serde_json::to_vec(descriptor).expect("strings, numbers and lists are JSON")
}

fn plan_hash(plan: &Plan, source: &SourceSpec) -> B256 {
    let plan = serde_json::to_vec(plan).expect("a plan is JSON");
    let source = match source {
        SourceSpec::Csv { delimiter, .. } => format!("csv {delimiter}"),
        SourceSpec::Sqlite { query, .. } => format!("sqlite {query}"),
    };
    sha256(&[&plan, source.as_bytes()])
}

/// The plan that a public descriptor allows to measure by: roles and privacy model without hierarchies, which stay
/// with the custodian. Nothing, when it names a role or a model that nobody knows.
#[must_use]
pub fn public_plan(descriptor: &PublicDescriptor) -> Option<Plan> {
    let columns = descriptor.columns.iter().map(|column| {
        let role = ROLES
            .into_iter()
            .find(|role| role_name(*role) == column.role)?;
        Some(ColumnPlan {
            models: read_all(&column.models)?,
            accept: read_all(&column.accept)?,
            scrub: column.scrub,
            ..ColumnPlan::new(&column.name, role)
        })
    });
    Some(Plan {
        columns: columns.collect::<Option<_>>()?,
        privacy: Privacy {
            k: usize::try_from(descriptor.k).ok()?,
            suppression_limit: descriptor.suppression_limit,
            risks: read_all(&descriptor.risks)?,
            safe_harbor: descriptor.safe_harbor,
            ..Privacy::default()
        },
    })
}

/// What published JSON says; nothing, when any of it is not known.
fn read_all<T: DeserializeOwned>(values: &[impl Clone + Into<Value>]) -> Option<Vec<T>> {
    let values = values.iter().cloned().map(Into::into);
    values
        .map(|value: Value| serde_json::from_value(value).ok())
        .collect()
}

const ROLES: [Role; 6] = [
    Role::Identifier,
    Role::Pseudonym,
    Role::QuasiIdentifier,
    Role::Sensitive,
    Role::Plain,
    Role::Text,
];

/// The role as descriptors and JSON write it.
#[must_use]
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Identifier => "identifier",
        Role::Pseudonym => "pseudonym",
        Role::QuasiIdentifier => "quasi-identifier",
        Role::Sensitive => "sensitive",
        Role::Plain => "plain",
        Role::Text => "text",
    }
}

fn public_column(column: &ColumnPlan, kind: &str) -> DatasetColumn {
    DatasetColumn {
        name: column.name.clone(),
        kind: kind.to_owned(),
        role: role_name(column.role).to_owned(),
        models: column.models.iter().map(as_json).collect(),
        accept: column
            .accept
            .iter()
            .map(|rule| rule.name().to_owned())
            .collect(),
        scrub: column.scrub,
    }
}

pub(crate) fn as_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("names and finite numbers are JSON")
}

#[cfg(test)]
mod tests;
