//! Block records, and the chains that they stand in as the contract's events tell it.

use alloy_primitives::{Address, B256};
use medshare_protocol::block::{Place, record_with};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::{Entry, HEADER_BYTES, Header};
use medshare_protocol::id::{BlockId, LeafHash, Origin, PackageId};
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
    pub chain: ChainName,
    /// The block's place in it, from 0.
    pub position: u64,
    /// The package it is about.
    pub package: PackageId,
    /// Leaf hash of the body.
    pub leaf: LeafHash,
    /// The header, with the one before it.
    pub header: Header,
    /// Its hash.
    pub hash: B256,
    /// The node that anchored it.
    pub node: Address,
    /// The transaction that anchored it.
    pub transaction: B256,
    /// The EVM block of that transaction.
    pub evm_block: u64,
}

impl ChainEntry {
    /// Where the block stands.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self.chain {
            ChainName::Thread(_) => Place::Parent(self.package),
            ChainName::Side(package) => Place::Side(package, self.position),
        }
    }

    /// What was anchored.
    #[must_use]
    pub const fn entry(&self) -> Entry {
        Entry::of(&self.header, self.leaf)
    }
}

/// What the rows of a chain are told by: two chains may have one origin, when somebody has copied a parent block.
pub(super) fn key(chain: &ChainName) -> &[u8] {
    match chain {
        ChainName::Thread(requestor) => requestor.as_slice(),
        ChainName::Side(package) => package.as_slice(),
    }
}

/// The chain with this key.
pub(super) fn chain_of(key: &[u8]) -> Option<ChainName> {
    let thread = Address::try_from(key).map(ChainName::Thread);
    let side = || B256::try_from(key).map(|id| ChainName::Side(PackageId(id)));
    thread.or_else(|_| side()).ok()
}

impl Store {
    /// Where a chain stands that begins at `origin`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chain_head(
        &self,
        chain: ChainName,
        origin: Origin,
    ) -> Result<ChainHead, StoreError> {
        let mut connection = self.reader.acquire().await?;
        let Some(last) = last_entry(&mut connection, chain).await? else {
            return Ok(ChainHead {
                hash: origin.0,
                time: 0,
                log: Log::default(),
            });
        };
        Ok(ChainHead {
            hash: last.hash,
            time: last.header.time,
            log: log::read(&mut connection, chain, last.position + 1).await?,
        })
    }

    /// Where a leaf is anchored: in the first EVM block that has it, when it is at several places.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entry_of_leaf(&self, leaf: LeafHash) -> Result<Option<ChainEntry>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM chain_entry WHERE leaf = ? ORDER BY evm_block, chain, position LIMIT 1",
        )
        .bind(leaf.as_slice())
        .fetch_optional(&self.reader)
        .await?;
        row.as_ref().map(read_entry).transpose()
    }

    /// What is anchored at a place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn entry_at(&self, place: Place) -> Result<Option<ChainEntry>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        match place {
            Place::Parent(package) => parent_entry(&mut connection, package).await,
            Place::Side(package, height) => {
                entry_at(&mut connection, ChainName::Side(package), height).await
            }
        }
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

    /// The record of a block; nothing when its body is not here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&self, entry: &ChainEntry) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(body) = self.body(entry.leaf).await? else {
            return Ok(None);
        };
        let parent = self.parent_id(entry.chain).await?;
        Ok(Some(record_with(&entry.header, parent, &body)))
    }

    /// Of a side-chain, the id of the parent block that it stands on.
    ///
    /// # Errors
    /// When the store fails, or has the chain without its parent block.
    pub async fn parent_id(&self, chain: ChainName) -> Result<Option<BlockId>, StoreError> {
        let ChainName::Side(package) = chain else {
            return Ok(None);
        };
        let parent = self.parent_entry(package).await?;
        let parent = parent.ok_or_else(|| corrupt("chain_entry", without_parent(package)))?;
        Ok(Some(BlockId(parent.hash)))
    }

    /// The body with this leaf hash.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn body(&self, leaf: LeafHash) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT body FROM block WHERE leaf = ?")
            .bind(leaf.as_slice())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get("body")).transpose()?)
    }

    /// Keeps the body with this leaf hash.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_body(&self, leaf: LeafHash, body: &[u8]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        put_body(&mut transaction, leaf, body).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Leaves that are anchored but whose block is not here, in no order: whoever withholds many must not keep others back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn missing_blocks(&self, limit: u32) -> Result<Vec<LeafHash>, StoreError> {
        let rows = sqlx::query(
            "SELECT leaf FROM (SELECT DISTINCT leaf FROM chain_entry WHERE leaf NOT IN (SELECT leaf FROM block))
             ORDER BY random() LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| Ok(LeafHash(hash(row, "leaf")?)))
            .collect()
    }
}

fn without_parent(package: PackageId) -> String {
    format!("the package {package} was not issued")
}

pub(super) async fn put_body(
    connection: &mut SqliteConnection,
    leaf: LeafHash,
    body: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO block (leaf, body) VALUES (?, ?)
         ON CONFLICT (leaf) DO UPDATE SET body = excluded.body",
    )
    .bind(leaf.as_slice())
    .bind(body)
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
    chain: ChainName,
) -> Result<Option<ChainEntry>, StoreError> {
    let row =
        sqlx::query("SELECT * FROM chain_entry WHERE chain = ? ORDER BY position DESC LIMIT 1")
            .bind(key(&chain))
            .fetch_optional(connection)
            .await?;
    row.as_ref().map(read_entry).transpose()
}

pub(super) async fn insert_entry(
    connection: &mut SqliteConnection,
    entry: &ChainEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO chain_entry
         (chain, position, side, package, leaf, header, hash, node, transaction_hash, evm_block)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key(&entry.chain))
    .bind(signed(entry.position))
    .bind(matches!(entry.chain, ChainName::Side(_)))
    .bind(entry.package.as_slice())
    .bind(entry.leaf.as_slice())
    .bind(entry.header.to_bytes().as_slice())
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
    chain: ChainName,
    position: u64,
) -> Result<Option<ChainEntry>, StoreError> {
    let row = sqlx::query("SELECT * FROM chain_entry WHERE chain = ? AND position = ?")
        .bind(key(&chain))
        .bind(signed(position))
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_entry).transpose()
}

pub(super) fn read_entry(row: &SqliteRow) -> Result<ChainEntry, StoreError> {
    let bytes: &[u8] = row.try_get("header")?;
    let header: &[u8; HEADER_BYTES] = bytes
        .try_into()
        .map_err(|_| corrupt("header", format!("{} bytes", bytes.len())))?;
    let chain: &[u8] = row.try_get("chain")?;
    let named = chain_of(chain);
    Ok(ChainEntry {
        chain: named.ok_or_else(|| corrupt("chain", format!("{} bytes", chain.len())))?,
        position: unsigned(row, "position")?,
        package: PackageId(hash(row, "package")?),
        leaf: LeafHash(hash(row, "leaf")?),
        header: Header::from_bytes(header),
        hash: hash(row, "hash")?,
        node: address(row, "node")?,
        transaction: hash(row, "transaction_hash")?,
        evm_block: unsigned(row, "evm_block")?,
    })
}
