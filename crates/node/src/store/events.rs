//! The contract's events, turned into rows (P3): applied in order, taken back when the chain is reorganised.

mod chains;
mod standing;

use alloy_primitives::{Address, B256};
use medshare_chain::LoggedEvent;
use medshare_protocol::block::Place;
use medshare_protocol::form::Step;
use medshare_protocol::id::{Origin, PackageId};
use medshare_protocol::wire::Stage;
use sqlx::{Row, SqliteConnection};

use super::requests::{append, move_on};
use super::rows::{hash, signed, stage, stage_number, unsigned};
use super::{Store, StoreError};
use chains::Applying;

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
    pub anchored: Vec<Place>,
    /// How many blocks are anchored now whose bodies are not here.
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
            "DELETE FROM log_node WHERE evm_block > ?",
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
           AND NOT EXISTS (SELECT 1 FROM chain_entry c WHERE c.package = package.id AND c.side = 0)",
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
         SELECT package, number FROM report r WHERE NOT EXISTS
           (SELECT 1 FROM chain_entry c WHERE c.leaf = r.leaf AND c.package = r.package)",
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
