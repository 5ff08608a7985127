//! What follows from the contract's events, made again in a store of its own and compared row by row: lists of blocks,
//! merkle logs, violations, revocations, receipts, response lists, registrations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::B256;
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::PackageId;
use medshare_protocol::origin::side_origin;
use medshare_protocol::wire::AlertKind;

use super::Fault;
use crate::error::NodeError;
use crate::running::Inner;
use crate::store::{Difference, EventPoint, Store};

/// The file of the second store, beside the packages. It holds nothing that is not on chain.
const FILE: &str = ".check.db";

/// A store that has followed the same events, and that nobody but the check writes to.
#[derive(Debug)]
pub(super) struct Again(Store);

impl Again {
    async fn new(path: &Path) -> Result<Self, NodeError> {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            match tokio::fs::remove_file(PathBuf::from(file)).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(NodeError::Internal(format!(
                        "cannot remove {}{suffix}: {error}",
                        path.display()
                    )));
                }
                _ => {}
            }
        }
        Ok(Self(Store::open(path).await?))
    }
}

impl Inner {
    /// Compares, and puts back what differs. Says whether what the endpoint tells can be built on.
    pub(super) async fn check_derived(
        self: &Arc<Self>,
        again: &mut Option<Again>,
    ) -> Result<bool, NodeError> {
        // What takes long is done before others have to wait.
        let Some(position) = self.followed_to().await? else {
            return Ok(false);
        };
        self.follow_again(again, position).await?;
        let _nobody_follows = self.following.lock().await;
        let Some(position) = self.followed_to().await? else {
            return Ok(false);
        };
        let second = self.follow_again(again, position).await?;
        self.check_parts(second).await?;
        if self.store.differences(second).await?.is_empty() {
            return Ok(true);
        }
        // It may be the second store that was changed: from the beginning.
        close(again).await;
        let second = self.follow_again(again, position).await?;
        let differences = self.store.differences(second).await?;
        if self.followed_to().await? != Some(position) {
            // The chain was reorganised meanwhile: the two have followed different branches.
            return Ok(false);
        }
        if let Some(fault) = self.misled(second, &differences, position).await? {
            // The next pass asks for all of it again.
            close(again).await;
            self.alert(fault, None).await?;
            return Ok(false);
        }
        self.store.take_over(second).await?;
        for difference in &differences {
            let repaired = Some("the contract's events".into());
            self.alert(fault(difference), repaired).await?;
        }
        Ok(true)
    }

    /// What is built into the file is what this version of the node builds. Who built in something else is not known here,
    /// nor what it is for: it is told, and left.
    async fn check_parts(&self, second: &Store) -> Result<(), NodeError> {
        for alien in self.store.alien_parts(second).await? {
            let fault = Fault {
                kind: AlertKind::Schema,
                chain: None,
                height: None,
                package: PackageId::default(),
                detail: alien,
            };
            self.alert(fault, None).await?;
        }
        Ok(())
    }

    /// An endpoint that has forgotten events must not empty the store. Old ones are forgotten first, and the first of all
    /// is the contract's deployment; and what it tells of a chain leads to the head that the contract holds.
    async fn misled(
        &self,
        second: &Store,
        differences: &[Difference],
        position: EventPoint,
    ) -> Result<Option<Fault>, NodeError> {
        let Some(first) = differences.first() else {
            return Ok(None);
        };
        if !second.begins_with_deployment().await? {
            let detail = "the chain's endpoint has not told all events: the first of them, the contract's deployment, is missing; nothing was changed here";
            return Ok(Some(Fault {
                detail: detail.into(),
                ..fault(first)
            }));
        }
        for difference in differences {
            if let Some(detail) = self.misleads(second, difference, position).await? {
                return Ok(Some(Fault {
                    detail,
                    ..fault(difference)
                }));
            }
        }
        Ok(None)
    }

    /// How far the store has followed the chain; nothing: nowhere, or to a block that is no more.
    async fn followed_to(&self) -> Result<Option<EventPoint>, NodeError> {
        let Some(position) = self.store.event_position().await? else {
            return Ok(None);
        };
        Ok(self.holds(position).await?.then_some(position))
    }

    /// Brings the second store to exactly this position.
    async fn follow_again<'a>(
        &self,
        again: &'a mut Option<Again>,
        until: EventPoint,
    ) -> Result<&'a Store, NodeError> {
        if let Some(Again(store)) = &*again {
            let reached = store.event_position().await;
            let is_before = match reached {
                Ok(Some(point)) => point.block <= until.block && self.holds(point).await?,
                Ok(None) => true,
                Err(_) => false,
            };
            if !is_before {
                close(again).await;
            }
        }
        let store = match again {
            Some(Again(store)) => store,
            None => {
                &again
                    .insert(Again::new(&self.packages_dir.join(FILE)).await?)
                    .0
            }
        };
        let mut position = store.event_position().await?;
        while position.is_none_or(|point| point.block < until.block) {
            let Some((point, _)) = self.apply_next(store, position, until.block).await? else {
                let gone = format!(
                    "its EVM block {} is gone: the chain was reorganised",
                    until.block
                );
                return Err(NodeError::ChainUnavailable(gone));
            };
            position = Some(point);
        }
        Ok(store)
    }

    /// What is wrong with the events of a chain, if they do not lead to the head that the contract holds.
    async fn misleads(
        &self,
        second: &Store,
        difference: &Difference,
        position: EventPoint,
    ) -> Result<Option<String>, NodeError> {
        let Some(name) = difference.chain else {
            return Ok(None);
        };
        let origin = match name {
            ChainName::Thread(requestor) => Some(self.thread_origin(requestor)),
            ChainName::Side(package) => {
                let parent = second.parent_entry(package).await?;
                parent.map(|parent| side_origin(parent.leaf))
            }
        };
        let found = match origin {
            Some(origin) => second.chain_head(name, origin).await?.hash,
            // The events do not know the package; the contract must not either.
            None => B256::ZERO,
        };
        let held = self.held_head(name, position).await?;
        Ok((found != held).then(|| {
            format!(
                "the chain's endpoint has not told all events: they lead to the head {found}, and the contract holds {held}; nothing was changed here"
            )
        }))
    }

    /// The head that the contract held of a chain after an EVM block.
    pub(super) async fn held_head(
        &self,
        name: ChainName,
        position: EventPoint,
    ) -> Result<B256, NodeError> {
        Ok(match name {
            ChainName::Thread(requestor) => {
                self.chain.thread_head_at(requestor, position.block).await?
            }
            ChainName::Side(package) => self.chain.package_at(package, position.block).await?.head,
        })
    }
}

async fn close(again: &mut Option<Again>) {
    if let Some(Again(store)) = again.take() {
        store.close().await;
    }
}

fn fault(difference: &Difference) -> Fault {
    let Difference {
        table,
        chain,
        package,
        height,
        missing,
        unknown,
        altered,
        ..
    } = difference;
    Fault {
        kind: match *table {
            "chain_entry" => AlertKind::Entry,
            "log_node" => AlertKind::Log,
            _ => AlertKind::Event,
        },
        chain: *chain,
        height: *height,
        package: *package,
        detail: format!(
            "of the rows that the contract's events make in `{table}`, {missing} are missing and {altered} are others; {unknown} are of no event"
        ),
    }
}
