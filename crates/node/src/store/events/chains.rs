//! One event on its way into the tables: blocks go on their chains.

use alloy_primitives::{Address, B256};
use medshare_chain::{Event, LoggedEvent, PackageIssued};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::form::Step;
use medshare_protocol::header::{self, Entry};
use medshare_protocol::id::{Origin, PackageId};
use medshare_protocol::merkle::leaf_hash;
use medshare_protocol::origin::side_origin;
use medshare_protocol::wire::Stage;
use sqlx::{Row, SqliteConnection};

use super::{Applied, EventContext};
use crate::store::blocks::{insert_entry, last_entry, parent_entry, put_body};
use crate::store::log;
use crate::store::requests::append;
use crate::store::rows::{corrupt, signed, stage_number};
use crate::store::{ChainEntry, StoreError};

/// One event on its way into the tables.
pub(super) struct Applying<'a, 'c> {
    pub(super) connection: &'a mut SqliteConnection,
    pub(super) logged: &'a LoggedEvent,
    pub(super) context: EventContext<'c>,
    pub(super) applied: &'a mut Applied,
}

/// Where a chain goes on.
struct End {
    size: u64,
    /// Of its last header; of its origin where it has none.
    hash: B256,
}

impl Applying<'_, '_> {
    pub(super) async fn apply(&mut self) -> Result<(), StoreError> {
        self.insert_event().await?;
        if let Some(package) = self.logged.event.package() {
            self.applied.packages.push(package);
        }
        match &self.logged.event {
            Event::PackageIssued(issued) => self.issued(issued).await,
            Event::ReportsAnchored {
                package,
                node,
                entries,
            } => self.anchored(*package, *node, entries).await,
            Event::ViolationAccepted { .. } => self.violation().await,
            Event::PackageRevoked {
                package,
                by,
                reason,
            } => self.standing("revoked", *package, *by, Some(*reason)).await,
            Event::PackageRegranted { package, by } => {
                self.standing("regranted", *package, *by, None).await
            }
            Event::PackageRetrieved { package, by, .. } => {
                self.standing("retrieved", *package, *by, None).await
            }
            Event::ResponseTaken { .. } => self.receipt().await,
            Event::DatasetPublished { .. } => self.response_list().await,
            Event::RequestorRegistered { .. } => self.registration().await,
            _ => Ok(()),
        }
    }

    async fn insert_event(&mut self) -> Result<(), StoreError> {
        let LoggedEvent {
            position,
            transaction,
            time,
            event,
        } = self.logged;
        sqlx::query(
            "INSERT INTO event (evm_block, log_index, block_hash, transaction_hash, time, name, package)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(signed(position.block))
        .bind(signed(position.log_index))
        .bind(position.block_hash.as_slice())
        .bind(transaction.as_slice())
        .bind(signed(*time))
        .bind(event.name())
        .bind(event.package().map(|package| package.0.to_vec()))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn issued(&mut self, issued: &PackageIssued) -> Result<(), StoreError> {
        let requestor = issued.request.requestor;
        let (package, node) = (issued.package, issued.node);
        let chain = ChainName::Thread(requestor);
        let origin = (self.context.thread_origin)(requestor);
        let entry = Entry::from_bytes(&issued.entry);
        let mut end = self.end_of(chain, origin).await?;
        let appended = self
            .append_entry(chain, &mut end, package, node, entry)
            .await?;
        let query = "SELECT body FROM package WHERE leaf = ? AND id = ?";
        if !self.is_own(&appended, query).await? {
            return Ok(());
        }
        self.mark_issued(package).await?;
        let step = Step::new(self.context.now, self.context.node, "issued")
            .with("transaction", self.logged.transaction)
            .with("parent-leaf", entry.leaf)
            .with("block-id", appended.hash);
        append(self.connection, package, &[step]).await
    }

    async fn anchored(
        &mut self,
        package: PackageId,
        node: Address,
        entries: &[u8],
    ) -> Result<(), StoreError> {
        let entries =
            header::entries(entries).map_err(|error| corrupt("ReportsAnchored", error))?;
        let parent = parent_entry(self.connection, package)
            .await?
            .ok_or_else(|| {
                corrupt(
                    "ReportsAnchored",
                    format!("the package {package} was not issued"),
                )
            })?;
        let (chain, origin) = (ChainName::Side(package), side_origin(parent.leaf));
        let mut end = self.end_of(chain, origin).await?;
        for entry in entries {
            let appended = self
                .append_entry(chain, &mut end, package, node, entry)
                .await?;
            let query = "SELECT side_body FROM report WHERE leaf = ? AND package = ?";
            if self.is_own(&appended, query).await? {
                sqlx::query(
                    "DELETE FROM unanchored WHERE package = ?1 AND number IN
                     (SELECT number FROM report WHERE leaf = ?2 AND package = ?1)",
                )
                .bind(package.as_slice())
                .bind(entry.leaf.as_slice())
                .execute(&mut *self.connection)
                .await?;
            }
        }
        Ok(())
    }

    async fn end_of(&mut self, chain: ChainName, origin: Origin) -> Result<End, StoreError> {
        let last = last_entry(self.connection, chain).await?;
        Ok(last.map_or(
            End {
                size: 0,
                hash: origin.0,
            },
            |last| End {
                size: last.position + 1,
                hash: last.hash,
            },
        ))
    }

    /// Puts an entry at the end of its chain, and moves `end` behind it.
    async fn append_entry(
        &mut self,
        chain: ChainName,
        end: &mut End,
        package: PackageId,
        node: Address,
        entry: Entry,
    ) -> Result<ChainEntry, StoreError> {
        let header = entry.header(end.hash);
        let evm_block = self.logged.position.block;
        let appended = ChainEntry {
            chain,
            position: end.size,
            package,
            leaf: entry.leaf,
            header,
            hash: header.hash().0,
            node,
            transaction: self.logged.transaction,
            evm_block,
        };
        insert_entry(self.connection, &appended).await?;
        log::grow(self.connection, chain, end.size, entry.leaf, evm_block).await?;
        *end = End {
            size: end.size + 1,
            hash: appended.hash,
        };
        Ok(appended)
    }

    /// The chain has the last word, also over a request that was given up in the meantime.
    async fn mark_issued(&mut self, package: PackageId) -> Result<(), StoreError> {
        sqlx::query("UPDATE request SET stage = ?, reason = NULL WHERE id = ?")
            .bind(stage_number(Stage::Issued))
            .bind(package.as_slice())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Whether this node made the block for this package: then its body is put where others find it. `query` looks for
    /// it; anybody may anchor a leaf hash of ours elsewhere.
    async fn is_own(
        &mut self,
        appended: &ChainEntry,
        query: &'static str,
    ) -> Result<bool, StoreError> {
        let leaf = appended.leaf.as_slice();
        let row = sqlx::query(query)
            .bind(leaf)
            .bind(appended.package.as_slice())
            .fetch_optional(&mut *self.connection)
            .await?;
        let is_own = row.is_some();
        let body: Option<Vec<u8>> = row.map(|row| row.try_get(0)).transpose()?;
        // What was altered on the disk meanwhile takes nobody's place.
        if let Some(body) = body.filter(|body| leaf_hash(body) == appended.leaf) {
            put_body(self.connection, appended.leaf, &body).await?;
        }
        if is_own {
            self.applied.anchored.push(appended.place());
            return Ok(true);
        }
        let here = sqlx::query("SELECT 1 FROM block WHERE leaf = ?").bind(leaf);
        if here.fetch_optional(&mut *self.connection).await?.is_none() {
            self.applied.foreign += 1;
        }
        Ok(false)
    }
}
