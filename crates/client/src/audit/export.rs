//! A whole ledger as one text (SPEC §3.2): what the contract's events say and what a source serves, for readers without
//! a node. It is written as it is read; of each requestor and package only the name is held.

use std::collections::BTreeSet;
use std::io::{self, Write};

use alloy_primitives::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use medshare_chain::{Address, B256, Chain, Event, IssuedRequest, LoggedEvent, PackageIssued};
use medshare_protocol::header::ENTRY_BYTES;
use medshare_protocol::id::{FormDigest, PackageId, PayloadHash};
use medshare_protocol::usage::UsageContract;
use serde::Serialize;

use super::walk::{Teller, Tip, Walk};
use super::{AuditError, AuditProgress, BlockSource, FETCHES_AT_ONCE, Records};

/// Version of the format.
const VERSION: u32 = 1;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// EVM block up to which events were read.
    pub evm_block: u64,
    /// Its hash.
    pub evm_block_hash: B256,
    /// Blocks of the ledger.
    pub blocks: u64,
    /// Of these, blocks whose record the source does not serve.
    pub records_missing: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Ledger {
        version: u32,
        chain_id: u64,
        contract: Address,
        evm_block: u64,
        evm_block_hash: B256,
    },
    WorkLimit {
        bits: u32,
        evm_time: u64,
    },
    Custodian {
        custodian: Address,
        admitted: bool,
        evm_time: u64,
    },
    Node {
        node: Address,
        custodian: Address,
        registered: bool,
        evm_time: u64,
    },
    Parent {
        package: PackageId,
        request: &'a IssuedRequest,
        usage: Usage,
        payload_hash: PayloadHash,
        form_digest: FormDigest,
        node: Address,
        verifier: Address,
        evm_time: u64,
        entry: Bytes,
        record: Option<Bytes>,
    },
    Side {
        package: PackageId,
        node: Address,
        evm_time: u64,
        entry: Bytes,
        record: Option<Bytes>,
    },
    ThreadHead {
        requestor: Address,
        head: B256,
    },
    PackageHead {
        package: PackageId,
        head: B256,
    },
    End {
        blocks: u64,
    },
}

/// A usage contract by its numbers, as its EIP-712 message has them.
#[derive(Serialize)]
struct Usage {
    sensitivity: u8,
    granted: u8,
    exempt: u8,
    environment: u8,
    expiry: u64,
    contract_key: B256,
}

impl Usage {
    fn of(usage: &UsageContract) -> Self {
        let typed = usage.typed();
        Self {
            sensitivity: typed.sensitivity,
            granted: typed.granted,
            exempt: typed.exempt,
            environment: typed.environment,
            expiry: typed.expiry,
            contract_key: typed.contractKey,
        }
    }
}

/// Writes the whole ledger to `out`.
///
/// # Errors
/// When chain or source cannot be asked, or `out` not written; what was written then has no last line.
pub async fn export(
    chain: &Chain,
    source: &BlockSource,
    out: &mut (dyn Write + Send),
    progress: &(dyn Fn(AuditProgress) + Sync),
) -> Result<Exported, AuditError> {
    source.check(chain.domain()).await?;
    let tip = Tip::of(chain).await?;
    let mut writer = Writer::new(out);
    writer.line(&Line::Ledger {
        version: VERSION,
        chain_id: chain.chain_id(),
        contract: chain.contract(),
        evm_block: tip.number,
        evm_block_hash: tip.hash,
    })?;
    let mut walk = Walk::new(chain, source, tip);
    let mut teller = Teller::new(progress, tip);
    while let Some(stretch) = walk.next().await? {
        let before = writer.blocks;
        for (event, records) in stretch.events {
            writer.event(&event, records)?;
        }
        teller.done(stretch.evm_block, writer.blocks - before);
    }
    teller.end();
    writer.heads(chain, tip).await?;
    tip.check(chain).await?;
    let blocks = writer.blocks;
    writer.line(&Line::End { blocks })?;
    writer.out.flush()?;
    Ok(Exported {
        evm_block: tip.number,
        evm_block_hash: tip.hash,
        blocks,
        records_missing: writer.records_missing,
    })
}

struct Writer<'a> {
    out: &'a mut (dyn Write + Send),
    requestors: BTreeSet<Address>,
    packages: BTreeSet<PackageId>,
    blocks: u64,
    records_missing: u64,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            out,
            requestors: BTreeSet::new(),
            packages: BTreeSet::new(),
            blocks: 0,
            records_missing: 0,
        }
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, line)?;
        self.out.write_all(b"\n")
    }

    fn event(&mut self, logged: &LoggedEvent, records: Vec<Option<Vec<u8>>>) -> io::Result<()> {
        let evm_time = logged.time;
        let custodian = |custodian: &Address, admitted| Line::Custodian {
            custodian: *custodian,
            admitted,
            evm_time,
        };
        let node = |custodian: &Address, node: &Address, registered| Line::Node {
            node: *node,
            custodian: *custodian,
            registered,
            evm_time,
        };
        match &logged.event {
            Event::WorkLimitSet { bits } => self.line(&Line::WorkLimit {
                bits: *bits,
                evm_time,
            }),
            Event::CustodianAdmitted { custodian: who } => self.line(&custodian(who, true)),
            Event::CustodianRemoved { custodian: who } => self.line(&custodian(who, false)),
            Event::NodeRegistered {
                custodian,
                node: who,
                ..
            } => self.line(&node(custodian, who, true)),
            Event::NodeRemoved {
                custodian,
                node: who,
            } => self.line(&node(custodian, who, false)),
            Event::PackageIssued(issued) => self.parent(issued, evm_time, records),
            Event::ReportsAnchored {
                package,
                node,
                entries,
            } => {
                let (whole, _) = entries.as_chunks::<ENTRY_BYTES>();
                for (entry, record) in whole.iter().zip(records) {
                    let line = Line::Side {
                        package: *package,
                        node: *node,
                        evm_time,
                        entry: Bytes::copy_from_slice(entry),
                        record: self.counted(record),
                    };
                    self.line(&line)?;
                }
                Ok(())
            }
            // Of what happened to packages an export says nothing: it is about blocks.
            _ => Ok(()),
        }
    }

    fn parent(
        &mut self,
        issued: &PackageIssued,
        evm_time: u64,
        records: Vec<Option<Vec<u8>>>,
    ) -> io::Result<()> {
        self.requestors.insert(issued.request.requestor);
        self.packages.insert(issued.package);
        let line = Line::Parent {
            package: issued.package,
            request: &issued.request,
            usage: Usage::of(&issued.usage),
            payload_hash: issued.payload_hash,
            form_digest: issued.form_digest,
            node: issued.node,
            verifier: issued.verifier,
            evm_time,
            entry: Bytes::copy_from_slice(&issued.entry),
            record: self.counted(records.into_iter().next().flatten()),
        };
        self.line(&line)
    }

    fn counted(&mut self, record: Option<Vec<u8>>) -> Option<Bytes> {
        self.blocks += 1;
        self.records_missing += u64::from(record.is_none());
        record.map(Bytes::from)
    }

    /// What the contract holds at `tip`.
    async fn heads(&mut self, chain: &Chain, tip: Tip) -> Result<(), AuditError> {
        let requestors = std::mem::take(&mut self.requestors);
        let threads = stream::iter(requestors)
            .map(|requestor| async move {
                let head = chain.thread_head_at(requestor, tip.number).await?;
                Ok::<_, AuditError>(Line::ThreadHead { requestor, head })
            })
            .buffered(FETCHES_AT_ONCE);
        let packages = stream::iter(std::mem::take(&mut self.packages))
            .map(|package| async move {
                let head = chain.package_at(package, tip.number).await?.head;
                Ok::<_, AuditError>(Line::PackageHead { package, head })
            })
            .buffered(FETCHES_AT_ONCE);
        let mut heads = std::pin::pin!(threads.chain(packages));
        while let Some(line) = heads.try_next().await? {
            self.line(&line)?;
        }
        Ok(())
    }
}
