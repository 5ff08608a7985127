//! The merkle logs of the chains (P22): their complete subtrees, kept as the chains grow, and the proofs made from them.

use std::collections::HashMap;

use alloy_primitives::{B256, FixedBytes};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::header::HEADER_BYTES;
use medshare_protocol::id::{LeafHash, LogRoot};
use medshare_protocol::merkle::{Log, ProofPlan, Subtree};
use medshare_protocol::proof::ChainEnd;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::blocks::{entry_at, key};
use super::rows::{corrupt, hash, signed, unsigned};
use super::{Store, StoreError};

impl Store {
    /// The end of a chain as it was at `size` blocks, 1 or more, and the audit path of a block in it; nothing when the chain
    /// is shorter, or has no such block.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inclusion(
        &self,
        chain: ChainName,
        index: u64,
        size: u64,
    ) -> Result<Option<(ChainEnd, Vec<B256>)>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        let Some(header) = header_of(&mut connection, chain, size).await? else {
            return Ok(None);
        };
        let Some(plan) = ProofPlan::inclusion(index, size) else {
            return Ok(None);
        };
        // Root and path are made of the same log: one question for both.
        let peaks = Log::subtrees(size);
        let parts = peaks.iter().copied().chain(plan.subtrees());
        let known = hashes(&mut connection, chain, parts).await?;
        let path = plan.proof(|part| known.get(&part.number()).copied());
        let root = log_of(size, &peaks, &known).map(|log| log.root());
        let (Some(path), Some(root)) = (path, root) else {
            return Err(incomplete(chain));
        };
        Ok(Some((ChainEnd { size, root, header }, path)))
    }

    /// The proof that a chain of `new` blocks grew out of its first `old`; nothing when these are more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn consistency_path(
        &self,
        chain: ChainName,
        old: u64,
        new: u64,
    ) -> Result<Option<Vec<B256>>, StoreError> {
        match ProofPlan::consistency(old, new) {
            Some(plan) => self.path(chain, &plan).await.map(Some),
            None => Ok(None),
        }
    }

    /// The end of a chain as it was at `size` blocks, 1 or more; nothing when it is shorter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chain_end(
        &self,
        chain: ChainName,
        size: u64,
    ) -> Result<Option<ChainEnd>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        let Some(header) = header_of(&mut connection, chain, size).await? else {
            return Ok(None);
        };
        let root: LogRoot = read(&mut connection, chain, size).await?.root();
        Ok(Some(ChainEnd { size, root, header }))
    }

    /// How many blocks a chain had after the EVM block with this number; without one: has now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chain_size(
        &self,
        chain: ChainName,
        evm_block: Option<u64>,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT position + 1 AS size FROM chain_entry WHERE chain = ? AND evm_block <= ?
             ORDER BY evm_block DESC, position DESC LIMIT 1",
        )
        .bind(key(&chain))
        .bind(evm_block.map_or(i64::MAX, signed))
        .fetch_optional(&self.reader)
        .await?;
        row.map_or(Ok(0), |row| unsigned(&row, "size"))
    }

    async fn path(&self, chain: ChainName, plan: &ProofPlan) -> Result<Vec<B256>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        let known = hashes(&mut connection, chain, plan.subtrees()).await?;
        plan.proof(|part| known.get(&part.number()).copied())
            .ok_or_else(|| incomplete(chain))
    }
}

/// The log of the first `size` blocks of a chain.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    chain: ChainName,
    size: u64,
) -> Result<Log, StoreError> {
    let parts = Log::subtrees(size);
    let known = hashes(connection, chain, parts.iter().copied()).await?;
    log_of(size, &parts, &known).ok_or_else(|| incomplete(chain))
}

/// The log of `size` leaves with these peaks, if all of them are known.
fn log_of(size: u64, peaks: &[Subtree], known: &HashMap<u64, B256>) -> Option<Log> {
    let hashes: Option<Vec<B256>> = peaks
        .iter()
        .map(|part| known.get(&part.number()).copied())
        .collect();
    Log::from_subtrees(size, hashes?)
}

/// The header of the last of a chain's first `size` blocks; nothing when the chain is shorter.
async fn header_of(
    connection: &mut SqliteConnection,
    chain: ChainName,
    size: u64,
) -> Result<Option<FixedBytes<HEADER_BYTES>>, StoreError> {
    let Some(index) = size.checked_sub(1) else {
        return Ok(None);
    };
    let last = entry_at(connection, chain, index).await?;
    Ok(last.map(|last| FixedBytes(last.header.to_bytes())))
}

/// Keeps the subtrees that are complete with the leaf that has come to stand at `position`.
pub(super) async fn grow(
    connection: &mut SqliteConnection,
    chain: ChainName,
    position: u64,
    leaf: LeafHash,
    evm_block: u64,
) -> Result<(), StoreError> {
    if position & 1 == 0 {
        return Ok(()); // It completes nothing.
    }
    let mut log = read(connection, chain, position).await?;
    let mut complete = Vec::new();
    log.push_noting(leaf, |part, hash| complete.push((part.number(), hash)));
    let mut query =
        QueryBuilder::<Sqlite>::new("INSERT INTO log_node (chain, number, hash, evm_block) ");
    query.push_values(complete, |mut row, (number, hash)| {
        row.push_bind(key(&chain).to_vec())
            .push_bind(signed(number))
            .push_bind(hash.to_vec())
            .push_bind(signed(evm_block));
    });
    query.build().execute(connection).await?;
    Ok(())
}

/// The hashes of these subtrees by their numbers, as far as they are there.
async fn hashes(
    connection: &mut SqliteConnection,
    chain: ChainName,
    parts: impl Iterator<Item = Subtree>,
) -> Result<HashMap<u64, B256>, StoreError> {
    let (leaves, inner): (Vec<Subtree>, Vec<Subtree>) = parts.partition(|part| part.level == 0);
    let mut found = HashMap::with_capacity(leaves.len() + inner.len());
    let positions = leaves.iter().map(|leaf| leaf.position);
    let sql = "SELECT position * 2 AS number, leaf AS hash FROM chain_entry WHERE chain = ";
    select(connection, sql, chain, "position", positions, &mut found).await?;
    let numbers = inner.iter().map(|part| part.number());
    found.extend(inner_hashes(connection, chain, numbers).await?);
    Ok(found)
}

/// The hashes of subtrees above the leaves by their numbers, as far as they are there.
pub(super) async fn inner_hashes(
    connection: &mut SqliteConnection,
    chain: ChainName,
    numbers: impl ExactSizeIterator<Item = u64>,
) -> Result<HashMap<u64, B256>, StoreError> {
    let mut found = HashMap::with_capacity(numbers.len());
    let sql = "SELECT number, hash FROM log_node WHERE chain = ";
    select(connection, sql, chain, "number", numbers, &mut found).await?;
    Ok(found)
}

async fn select(
    connection: &mut SqliteConnection,
    sql: &'static str,
    chain: ChainName,
    column: &'static str,
    wanted: impl ExactSizeIterator<Item = u64>,
    found: &mut HashMap<u64, B256>,
) -> Result<(), StoreError> {
    if wanted.len() == 0 {
        return Ok(());
    }
    let mut query = QueryBuilder::<Sqlite>::new(sql);
    query.push_bind(key(&chain).to_vec());
    query.push(" AND ").push(column).push(" IN (");
    let mut list = query.separated(", ");
    for number in wanted {
        list.push_bind(signed(number));
    }
    query.push(")");
    for row in query.build().fetch_all(connection).await? {
        found.insert(unsigned(&row, "number")?, hash(&row, "hash")?);
    }
    Ok(())
}

fn incomplete(chain: ChainName) -> StoreError {
    corrupt("log_node", format!("a subtree of the {chain} is missing"))
}
