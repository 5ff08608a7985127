//! The contract's events, turned into rows (P3): applied in order, taken back when the chain is reorganised.

use alloy_primitives::{Address, B256};
use medshare_chain::{Event, LoggedEvent, PackageIssued};
use medshare_protocol::block::{Block, ParentBlock, ParentBody, SideBlock, SideBody};
use medshare_protocol::form::Step;
use medshare_protocol::header::{self, Entry};
use medshare_protocol::id::{BlockId, LeafHash, Origin, PackageId};
use medshare_protocol::origin::side_origin;
use medshare_protocol::wire::Stage;
use sqlx::{Row, SqliteConnection};

use super::blocks::{last_entry, parent_entry, put_block};
use super::requests::{append, move_on};
use super::rows::{corrupt, hash, signed, stage, stage_number, to_json, unsigned};
use super::{Store, StoreError};

/// How far the events were followed: the trigger's only state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPoint {
    /// Number of the EVM block.
    pub block: u64,
    /// Its hash: another one for the same number means that the chain was reorganised.
    pub hash: B256,
}

/// What applying events changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Packages that something happened to.
    pub packages: Vec<PackageId>,
    /// Blocks of this node that are anchored now.
    pub anchored: Vec<LeafHash>,
    /// How many blocks of other nodes are anchored now.
    pub foreign: usize,
}

/// What applying needs to know besides the events.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)] // It holds a function.
pub struct EventContext<'a> {
    /// This node.
    pub node: Address,
    /// Origin of a requestor's thread on this deployment.
    pub thread_origin: &'a (dyn Fn(Address) -> Origin + Sync),
    /// EVM blocks that must be on top of an issued package.
    pub confirmations: u64,
    /// Now, ms since the Unix epoch.
    pub now: u64,
}

impl Store {
    /// How far the events were followed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn event_position(&self) -> Result<Option<EventPoint>, StoreError> {
        let row = sqlx::query("SELECT block, hash FROM position")
            .fetch_optional(&self.reader)
            .await?;
        row.map(|row| {
            Ok(EventPoint {
                block: unsigned(&row, "block")?,
                hash: hash(&row, "hash")?,
            })
        })
        .transpose()
    }

    /// Blocks that events were applied from, newest first: where a reorganisation may have begun.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn event_blocks_before(
        &self,
        block: u64,
        limit: u32,
    ) -> Result<Vec<EventPoint>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT evm_block, block_hash FROM event WHERE evm_block < ?
             ORDER BY evm_block DESC LIMIT ?",
        )
        .bind(signed(block))
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(EventPoint {
                    block: unsigned(row, "evm_block")?,
                    hash: hash(row, "block_hash")?,
                })
            })
            .collect()
    }

    /// Applies events in order, moves the position, and hands out what is buried deep enough: all or nothing.
    ///
    /// # Errors
    /// When the store fails, or the events contradict what was applied before.
    pub async fn apply_events(
        &self,
        events: &[LoggedEvent],
        position: EventPoint,
        context: EventContext<'_>,
    ) -> Result<Applied, StoreError> {
        let mut transaction = self.begin().await?;
        let mut applied = Applied::default();
        for logged in events {
            let mut step = Applying {
                connection: &mut transaction,
                logged,
                context,
                applied: &mut applied,
            };
            step.apply().await?;
        }
        promote(&mut transaction, position.block, context, &mut applied).await?;
        set_position(&mut transaction, position).await?;
        transaction.commit().await?;
        Ok(applied)
    }

    /// Takes back everything that came after the safe point; nothing: everything. Packages that are no longer issued
    /// and reports that are no longer anchored wait to be sent again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rewind_events(
        &self,
        safe: Option<EventPoint>,
        node: Address,
        now: u64,
    ) -> Result<Applied, StoreError> {
        let mut transaction = self.begin().await?;
        let after = safe.map_or(-1, |point| signed(point.block));
        for statement in [
            "DELETE FROM event WHERE evm_block > ?",
            "DELETE FROM chain_entry WHERE evm_block > ?",
            "DELETE FROM violation WHERE evm_block > ?",
            "DELETE FROM receipt WHERE evm_block > ?",
            "DELETE FROM standing WHERE evm_block > ?",
            "DELETE FROM response_list WHERE evm_block > ?",
            "DELETE FROM registration WHERE evm_block > ?",
        ] {
            sqlx::query(statement)
                .bind(after)
                .execute(&mut *transaction)
                .await?;
        }
        let packages = send_again(&mut transaction, node, now).await?;
        match safe {
            Some(point) => set_position(&mut transaction, point).await?,
            None => {
                sqlx::query("DELETE FROM position")
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await?;
        Ok(Applied {
            packages,
            ..Applied::default()
        })
    }

    /// The transaction that registered a requestor with this nonce.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn registration(
        &self,
        requestor: Address,
        nonce: alloy_primitives::U256,
    ) -> Result<Option<B256>, StoreError> {
        let row = sqlx::query(
            "SELECT transaction_hash FROM registration WHERE requestor = ? AND nonce = ?",
        )
        .bind(requestor.as_slice())
        .bind(nonce.to_string())
        .fetch_optional(&self.reader)
        .await?;
        row.map(|row| hash(&row, "transaction_hash")).transpose()
    }
}

async fn set_position(
    connection: &mut SqliteConnection,
    point: EventPoint,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO position (only, block, hash) VALUES (1, ?, ?)
         ON CONFLICT (only) DO UPDATE SET block = excluded.block, hash = excluded.hash",
    )
    .bind(signed(point.block))
    .bind(point.hash.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

/// After a rewind: what had been on chain and is not any more waits again.
async fn send_again(
    connection: &mut SqliteConnection,
    node: Address,
    now: u64,
) -> Result<Vec<PackageId>, StoreError> {
    let rows = sqlx::query(
        "SELECT request.id, request.stage FROM request JOIN package ON package.id = request.id
         WHERE request.stage BETWEEN ? AND ?
           AND package.leaf NOT IN (SELECT leaf FROM chain_entry)",
    )
    .bind(stage_number(Stage::Issued))
    .bind(stage_number(Stage::Delivered))
    .fetch_all(&mut *connection)
    .await?;
    let mut packages = Vec::new();
    for row in rows {
        let id = PackageId(hash(&row, "id")?);
        move_on(connection, id, stage(row.try_get("stage")?)?, Stage::Sealed).await?;
        append(connection, id, &[Step::new(now, node, "reorganised")]).await?;
        packages.push(id);
    }
    sqlx::query(
        "INSERT OR IGNORE INTO unanchored (package, number)
         SELECT package, number FROM report WHERE leaf NOT IN (SELECT leaf FROM chain_entry)",
    )
    .execute(&mut *connection)
    .await?;
    for statement in [
        "UPDATE report SET settlement = 'pending' WHERE settlement = 'settled'
         AND NOT EXISTS (SELECT 1 FROM violation v WHERE v.package = report.package AND v.number = report.number)",
        "UPDATE tampering SET settlement = 'pending' WHERE settlement = 'settled'
         AND NOT EXISTS (SELECT 1 FROM violation v WHERE v.package = tampering.package AND v.number = tampering.number)",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(packages)
}

/// Issued packages that are buried deep enough become ready.
async fn promote(
    connection: &mut SqliteConnection,
    head: u64,
    context: EventContext<'_>,
    applied: &mut Applied,
) -> Result<(), StoreError> {
    let Some(deep_enough) = head.checked_sub(context.confirmations) else {
        return Ok(());
    };
    let rows = sqlx::query(
        "SELECT request.id FROM request
         JOIN package ON package.id = request.id
         JOIN chain_entry ON chain_entry.package = package.id AND chain_entry.side = 0
         WHERE request.stage = ? AND chain_entry.evm_block <= ?",
    )
    .bind(stage_number(Stage::Issued))
    .bind(signed(deep_enough))
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let id = PackageId(hash(&row, "id")?);
        move_on(connection, id, Stage::Issued, Stage::Ready).await?;
        append(
            connection,
            id,
            &[Step::new(context.now, context.node, "ready")],
        )
        .await?;
        applied.packages.push(id);
    }
    Ok(())
}

/// One event on its way into the tables.
struct Applying<'a, 'c> {
    connection: &'a mut SqliteConnection,
    logged: &'a LoggedEvent,
    context: EventContext<'c>,
    applied: &'a mut Applied,
}

impl Applying<'_, '_> {
    async fn apply(&mut self) -> Result<(), StoreError> {
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
        let chain = (self.context.thread_origin)(issued.request.requestor);
        let entry = Entry::from_bytes(&issued.entry);
        let header = self
            .append_entry(chain, false, issued.package, issued.node, entry)
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
            let header = self.append_entry(chain, true, package, node, entry).await?;
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

    /// Puts an entry at the end of its chain and returns its whole header.
    async fn append_entry(
        &mut self,
        chain: Origin,
        side: bool,
        package: PackageId,
        node: Address,
        entry: Entry,
    ) -> Result<header::Header, StoreError> {
        let last = last_entry(self.connection, chain).await?;
        let (position, previous) = last.map_or((0, chain.0), |last| (last.position + 1, last.hash));
        let header = entry.header(previous);
        sqlx::query(
            "INSERT INTO chain_entry
             (chain, position, side, package, leaf, entry, hash, node, transaction_hash, evm_block)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(chain.as_slice())
        .bind(signed(position))
        .bind(side)
        .bind(package.as_slice())
        .bind(entry.leaf.as_slice())
        .bind(entry.to_bytes().as_slice())
        .bind(header.hash().as_slice())
        .bind(node.as_slice())
        .bind(self.logged.transaction.as_slice())
        .bind(signed(self.logged.position.block))
        .execute(&mut *self.connection)
        .await?;
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

    async fn violation(&mut self) -> Result<(), StoreError> {
        let Event::ViolationAccepted {
            package,
            number,
            actions,
            report,
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO violation (package, number, actions, report, transaction_hash, time, evm_block)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(package.as_slice())
        .bind(number)
        .bind(actions.0)
        .bind(report.as_slice())
        .bind(self.logged.transaction.as_slice())
        .bind(signed(self.logged.time))
        .bind(signed(self.logged.position.block))
        .execute(&mut *self.connection)
        .await?;
        for statement in [
            "UPDATE report SET settlement = 'settled' WHERE package = ? AND number = ? AND settlement IS NOT NULL",
            "UPDATE tampering SET settlement = 'settled' WHERE package = ? AND number = ?",
        ] {
            sqlx::query(statement)
                .bind(package.as_slice())
                .bind(number)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// A package was revoked, re-granted or retrieved. Without access no lease lives on.
    async fn standing(
        &mut self,
        what: &str,
        package: PackageId,
        actor: Address,
        reason: Option<u8>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO standing (evm_block, log_index, package, what, actor, reason, transaction_hash, time)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(package.as_slice())
        .bind(what)
        .bind(actor.as_slice())
        .bind(reason)
        .bind(self.logged.transaction.as_slice())
        .bind(signed(self.logged.time))
        .execute(&mut *self.connection)
        .await?;
        if what != "regranted" {
            sqlx::query("UPDATE session SET ended = 1 WHERE package = ?")
                .bind(package.as_slice())
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    async fn receipt(&mut self) -> Result<(), StoreError> {
        let Event::ResponseTaken {
            package,
            requestor,
            custodian,
            kind,
            violation,
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO receipt
             (evm_block, log_index, package, requestor, custodian, kind, violation, transaction_hash, time)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(package.as_slice())
        .bind(requestor.as_slice())
        .bind(custodian.as_slice())
        .bind(to_json(kind))
        .bind(violation)
        .bind(self.logged.transaction.as_slice())
        .bind(signed(self.logged.time))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn response_list(&mut self) -> Result<(), StoreError> {
        let Event::DatasetPublished {
            custodian,
            dataset,
            responses,
            ..
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO response_list (evm_block, log_index, custodian, dataset, responses)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(custodian.as_slice())
        .bind(dataset.as_slice())
        .bind(to_json(responses))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn registration(&mut self) -> Result<(), StoreError> {
        let Event::RequestorRegistered {
            requestor,
            custodian,
            nonce,
            ..
        } = &self.logged.event
        else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO registration (evm_block, log_index, requestor, nonce, custodian, transaction_hash)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(signed(self.logged.position.block))
        .bind(signed(self.logged.position.log_index))
        .bind(requestor.as_slice())
        .bind(nonce.to_string())
        .bind(custodian.as_slice())
        .bind(self.logged.transaction.as_slice())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
