//! The violations that wait for a custodian's review, from the chain itself (P7, P19).

use std::collections::BTreeMap;

use alloy_primitives::Address;
use anyhow::Result;
use clap::Args;
use medshare_chain::{Chain, Event};
use medshare_protocol::id::{DatasetId, PackageId};
use medshare_protocol::usage::{Actions, State};
use serde::Serialize;

use crate::connection::ChainArgs;
use crate::output;

/// `custodian review`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare custodian review --custodian 0x7099…79C8 --rpc $RPC --contract $CONTRACT
Then `medshare custodian regrant PACKAGE`, or `medshare custodian retrieve PACKAGE` when the data was returned.")]
pub struct Review {
    #[command(flatten)]
    chain: ChainArgs,
    /// Only this custodian's packages
    #[arg(long, value_name = "ADDRESS")]
    custodian: Option<Address>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A violation, and the state its package is in now.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    package: PackageId,
    requestor: Address,
    custodian: Address,
    dataset: DatasetId,
    report: u32,
    actions: Actions,
    time: u64,
    state: State,
}

impl Review {
    pub async fn run(self) -> Result<()> {
        let chain = self.chain.connect().await?;
        let violations = violations(&chain, self.custodian).await?;
        if self.json {
            return output::json(&violations);
        }
        if violations.is_empty() {
            return output::line("no violations");
        }
        for found in violations {
            output::line(format!(
                "{}  {:?}: {} by {} (report {})",
                found.package, found.state, found.actions, found.requestor, found.report
            ))?;
        }
        Ok(())
    }
}

/// Every violation that the contract accepted, oldest first.
pub async fn violations(chain: &Chain, of: Option<Address>) -> Result<Vec<Violation>> {
    let mut states = BTreeMap::new();
    let mut found = Vec::new();
    for logged in chain.events(0, chain.block_number().await?).await? {
        let Event::ViolationAccepted {
            package,
            number,
            actions,
            ..
        } = logged.event
        else {
            continue;
        };
        if let std::collections::btree_map::Entry::Vacant(entry) = states.entry(package) {
            entry.insert(chain.package(package).await?);
        }
        let status = &states[&package];
        if of.is_some_and(|custodian| custodian != status.custodian) {
            continue;
        }
        found.push(Violation {
            package,
            requestor: status.requestor,
            custodian: status.custodian,
            dataset: status.dataset,
            report: number,
            actions,
            time: logged.time,
            state: status.state,
        });
    }
    Ok(found)
}
