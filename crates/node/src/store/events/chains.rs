//! One event on its way into the tables: blocks go on their chains.

use alloy_primitives::Address;
use medshare_chain::{Event, LoggedEvent, PackageIssued};
use medshare_protocol::block::{Block, ParentBlock, ParentBody, SideBlock, SideBody};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::form::Step;
use medshare_protocol::header::{self, Entry};
use medshare_protocol::id::{BlockId, LeafHash, Origin, PackageId};
use medshare_protocol::origin::side_origin;
use medshare_protocol::wire::Stage;
use sqlx::{Row, SqliteConnection};

use super::{Applied, EventContext};
use crate::store::blocks::{insert_entry, last_entry, parent_entry, put_block};
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
        let chain = (self.context.thread_origin)(requestor);
        let entry = Entry::from_bytes(&issued.entry);
        let header = self
            .append_entry(chain, Some(requestor), issued.package, issued.node, entry)
            .await?;
        let query = "SELECT body FROM package WHERE leaf = ? AND id = ?";
        let Some(body) = self.own_body(query, entry.leaf, issued.package).await? else {
            return self.foreign(entry.leaf, issued.package, header, None).await;
        };
        let body = ParentBody::from_bytes(&body).map_err(|error| corrupt("body", error))?;
        let record = ParentBlock { header, body }.to_bytes();
        put_block(self.connection, entry.leaf, issued.package, &record).await?;
        self.applied.anchored.push(entry.leaf);
        self.mark_issued(issued.package).await?;
        let step = Step::new(self.context.now, self.context.node, "issued")
            .with("transaction", self.logged.transaction)
            .with("parent-leaf", entry.leaf)
            .with("block-id", header.hash());
        append(self.connection, issued.package, &[step]).await
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
        let chain = side_origin(parent.entry.leaf);
        for entry in entries {
            let header = self.append_entry(chain, None, package, node, entry).await?;
            let query = "SELECT side_body FROM report WHERE leaf = ? AND package = ?";
            let Some(body) = self.own_body(query, entry.leaf, package).await? else {
                self.foreign(entry.leaf, package, header, Some(BlockId(parent.hash)))
                    .await?;
                continue;
            };
            let body = SideBody::from_bytes(&body).map_err(|error| corrupt("side_body", error))?;
            let record = SideBlock::new(BlockId(parent.hash), header, body).to_bytes();
            put_block(self.connection, entry.leaf, package, &record).await?;
            self.applied.anchored.push(entry.leaf);
            sqlx::query("DELETE FROM unanchored WHERE package = ? AND number = ?")
                .bind(package.as_slice())
                .bind(body.transaction.number)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// A block of another node: when it was mined again, the record that is here gets the new header.
    async fn foreign(
        &mut self,
        leaf: LeafHash,
        package: PackageId,
        header: header::Header,
        parent: Option<BlockId>,
    ) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT record FROM block WHERE leaf = ?")
            .bind(leaf.as_slice())
            .fetch_optional(&mut *self.connection)
            .await?;
        let Some(row) = row else {
            self.applied.foreign += 1;
            return Ok(());
        };
        let record = match (Block::from_bytes(row.try_get("record")?), parent) {
            (Ok(Block::Parent(block)), None) => ParentBlock { header, ..block }.to_bytes(),
            (Ok(Block::Side(block)), Some(parent)) => {
                SideBlock::new(parent, header, block.body).to_bytes()
            }
            // Whoever anchors a leaf of the wrong kind is found out by the auditors.
            _ => return Ok(()),
        };
        put_block(self.connection, leaf, package, &record).await
    }

    /// Puts an entry at the end of its chain, the thread of `requestor` or a side-chain, and returns its whole header.
    async fn append_entry(
        &mut self,
        chain: Origin,
        requestor: Option<Address>,
        package: PackageId,
        node: Address,
        entry: Entry,
    ) -> Result<header::Header, StoreError> {
        let last = last_entry(self.connection, chain).await?;
        let (position, previous) = last.map_or((0, chain.0), |last| (last.position + 1, last.hash));
        let header = entry.header(previous);
        let name = requestor.map_or(ChainName::Side(package), ChainName::Thread);
        let appended = ChainEntry {
            chain,
            name,
            position,
            package,
            entry,
            hash: header.hash().0,
            node,
            transaction: self.logged.transaction,
            evm_block: self.logged.position.block,
        };
        insert_entry(self.connection, &appended).await?;
        let evm_block = self.logged.position.block;
        log::grow(self.connection, chain, position, entry.leaf, evm_block).await?;
        Ok(header)
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

    /// The body behind a leaf, if this node made it for this package: anybody may anchor a leaf hash of ours elsewhere.
    async fn own_body(
        &mut self,
        query: &'static str,
        leaf: LeafHash,
        package: PackageId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query(query)
            .bind(leaf.as_slice())
            .bind(package.as_slice())
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
