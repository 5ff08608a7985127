//! Block records, and the chains that they stand in as the contract's events tell it.

use alloy_primitives::{Address, B256};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::{ENTRY_BYTES, Entry};
use medshare_protocol::id::{LeafHash, Origin, PackageId};
use medshare_protocol::merkle::Log;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::rows::{address, corrupt, hash, signed, unsigned};
use super::{Store, StoreError, log};

/// Where a chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Hash of its last header; before the first its origin.
    pub hash: B256,
    /// Time of its last header, s; 0 before the first.
    pub time: u32,
    /// All its leaves.
    pub log: Log,
}

/// One block of a chain as the chain's events tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEntry {
    /// The chain.
    pub chain: Origin,
    /// Which one that is.
    pub name: ChainName,
    /// The block's place in it, from 0.
    pub position: u64,
    /// The package it is about.
    pub package: PackageId,
    /// What was anchored.
    pub entry: Entry,
    /// Hash of the header.
    pub hash: B256,
    /// The node that anchored it.
    pub node: Address,
    /// The transaction that anchored it.
    pub transaction: B256,
    /// The EVM block of that transaction.
    pub evm_block: u64,
}

impl Store {
    /// Where the chain with this origin stands.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chain_head(&self, chain: Origin) -> Result<ChainHead, StoreError> {
        let mut connection = self.reader.acquire().await?;
        let Some(last) = last_entry(&mut connection, chain).await? else {
            return Ok(ChainHead {
                hash: chain.0,
                time: 0,
                log: Log::default(),
            });
        };
        Ok(ChainHead {
            hash: last.hash,
            time: last.entry.time,
            log: log::read(&mut connection, chain, last.position + 1).await?,
        })
    }

    /// Where a leaf is anchored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entry_of_leaf(&self, leaf: LeafHash) -> Result<Option<ChainEntry>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM chain_entry WHERE leaf = ? ORDER BY evm_block LIMIT 1")
                .bind(leaf.as_slice())
                .fetch_optional(&self.reader)
                .await?;
        row.as_ref().map(read_entry).transpose()
    }

    /// The hash that stands before an entry in its chain: the previous head, or the origin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hash_before(&self, entry: &ChainEntry) -> Result<B256, StoreError> {
        let Some(position) = entry.position.checked_sub(1) else {
            return Ok(entry.chain.0);
        };
        let mut connection = self.reader.acquire().await?;
        let before = entry_at(&mut connection, entry.chain, position).await?;
        before
            .map(|before| before.hash)
            .ok_or_else(|| corrupt("chain_entry", format!("block {position} is missing")))
    }

    /// The parent block's entry of a package.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn parent_entry(&self, package: PackageId) -> Result<Option<ChainEntry>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        parent_entry(&mut connection, package).await
    }

    /// The side-blocks' entries of a package, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn side_entries(&self, package: PackageId) -> Result<Vec<ChainEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM chain_entry WHERE package = ? AND side = 1 ORDER BY position",
        )
        .bind(package.as_slice())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(read_entry).collect()
    }

    /// A block's record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn block(&self, leaf: LeafHash) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT record FROM block WHERE leaf = ?")
            .bind(leaf.as_slice())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get("record")).transpose()?)
    }

    /// Keeps a block's record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_block(
        &self,
        leaf: LeafHash,
        package: PackageId,
        record: &[u8],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        put_block(&mut transaction, leaf, package, record).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Leaves that are anchored but whose block is not here, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn missing_blocks(&self, limit: u32) -> Result<Vec<LeafHash>, StoreError> {
        let rows = sqlx::query(
            "SELECT leaf FROM chain_entry WHERE leaf NOT IN (SELECT leaf FROM block)
             ORDER BY evm_block LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| Ok(LeafHash(hash(row, "leaf")?)))
            .collect()
    }
}

pub(super) async fn put_block(
    connection: &mut SqliteConnection,
    leaf: LeafHash,
    package: PackageId,
    record: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO block (leaf, package, record) VALUES (?, ?, ?)
         ON CONFLICT (leaf) DO UPDATE SET record = excluded.record",
    )
    .bind(leaf.as_slice())
    .bind(package.as_slice())
    .bind(record)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn parent_entry(
    connection: &mut SqliteConnection,
    package: PackageId,
) -> Result<Option<ChainEntry>, StoreError> {
    let row = sqlx::query("SELECT * FROM chain_entry WHERE package = ? AND side = 0")
        .bind(package.as_slice())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_entry).transpose()
}

pub(super) async fn last_entry(
    connection: &mut SqliteConnection,
    chain: Origin,
) -> Result<Option<ChainEntry>, StoreError> {
    let row =
        sqlx::query("SELECT * FROM chain_entry WHERE chain = ? ORDER BY position DESC LIMIT 1")
            .bind(chain.as_slice())
            .fetch_optional(connection)
            .await?;
    row.as_ref().map(read_entry).transpose()
}

pub(super) async fn insert_entry(
    connection: &mut SqliteConnection,
    entry: &ChainEntry,
) -> Result<(), StoreError> {
    let requestor = match entry.name {
        ChainName::Thread(requestor) => Some(requestor.to_vec()),
        ChainName::Side(_) => None,
    };
    sqlx::query(
        "INSERT INTO chain_entry
         (chain, position, side, requestor, package, leaf, entry, hash, node, transaction_hash, evm_block)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.chain.as_slice())
    .bind(signed(entry.position))
    .bind(requestor.is_none())
    .bind(requestor)
    .bind(entry.package.as_slice())
    .bind(entry.entry.leaf.as_slice())
    .bind(entry.entry.to_bytes().as_slice())
    .bind(entry.hash.as_slice())
    .bind(entry.node.as_slice())
    .bind(entry.transaction.as_slice())
    .bind(signed(entry.evm_block))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn entry_at(
    connection: &mut SqliteConnection,
    chain: Origin,
    position: u64,
) -> Result<Option<ChainEntry>, StoreError> {
    let row = sqlx::query("SELECT * FROM chain_entry WHERE chain = ? AND position = ?")
        .bind(chain.as_slice())
        .bind(signed(position))
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_entry).transpose()
}

pub(super) fn read_entry(row: &SqliteRow) -> Result<ChainEntry, StoreError> {
    let bytes: &[u8] = row.try_get("entry")?;
    let bytes: &[u8; ENTRY_BYTES] = bytes
        .try_into()
        .map_err(|_| corrupt("entry", format!("{} bytes", bytes.len())))?;
    let package = PackageId(hash(row, "package")?);
    let name = match row.try_get::<Option<&[u8]>, _>("requestor")? {
        Some(_) => ChainName::Thread(address(row, "requestor")?),
        None => ChainName::Side(package),
    };
    Ok(ChainEntry {
        chain: Origin(hash(row, "chain")?),
        name,
        position: unsigned(row, "position")?,
        package,
        entry: Entry::from_bytes(bytes),
        hash: hash(row, "hash")?,
        node: address(row, "node")?,
        transaction: hash(row, "transaction_hash")?,
        evm_block: unsigned(row, "evm_block")?,
    })
}
