//! The file of a made-up ledger: what each EVM block anchors, one behind the other.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;

use medshare_protocol::block::{PARENT_RECORD_BYTES, SIDE_RECORD_BYTES};
use medshare_protocol::header::{ENTRY_BYTES, Entry};

/// Package u32, little-endian; then 1 for a parent block, 0 for side-blocks.
const PREFIX_BYTES: usize = 5;

/// What one EVM block anchors.
pub(super) struct Anchored {
    pub package: u32,
    pub is_parent: bool,
    /// Entries, one behind the other.
    pub entries: Vec<u8>,
    pub records: Vec<Vec<u8>>,
}

/// EVM block *i*, from 1, is at `offsets[i - 1]..offsets[i]`.
pub(super) struct Store {
    file: BufWriter<File>,
    offsets: Vec<u64>,
}

impl Store {
    pub(super) fn new(file: File) -> Self {
        Self {
            file: BufWriter::new(file),
            offsets: vec![0],
        }
    }

    /// Number of the EVM block that the next blocks are anchored in.
    pub(super) fn next_block(&self) -> u64 {
        self.offsets.len() as u64
    }

    pub(super) fn put(
        &mut self,
        package: u32,
        is_parent: bool,
        blocks: &[(Entry, Vec<u8>)],
    ) -> io::Result<()> {
        let mut bytes = package.to_le_bytes().to_vec();
        bytes.push(u8::from(is_parent));
        bytes.extend(blocks.iter().flat_map(|(entry, _)| entry.to_bytes()));
        bytes.extend(blocks.iter().flat_map(|(_, record)| record));
        self.file.write_all(&bytes)?;
        let end = self.offsets.last().copied().unwrap_or_default();
        self.offsets.push(end + bytes.len() as u64);
        Ok(())
    }

    pub(super) fn end_writing(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    pub(super) fn get(&self, block: u64) -> io::Result<Anchored> {
        let missing = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let index = usize::try_from(block).map_err(|_| missing())?;
        let (begin, end) = match (index.checked_sub(1), self.offsets.get(index)) {
            (Some(before), Some(end)) => (self.offsets[before], *end),
            _ => return Err(missing()),
        };
        let mut bytes = vec![0; usize::try_from(end - begin).map_err(|_| missing())?];
        self.file.get_ref().read_exact_at(&mut bytes, begin)?;
        let (prefix, rest) = bytes
            .split_first_chunk::<PREFIX_BYTES>()
            .ok_or_else(missing)?;
        let [a, b, c, d, kind] = *prefix;
        let record_bytes = match kind {
            0 => SIDE_RECORD_BYTES,
            _ => PARENT_RECORD_BYTES,
        };
        let count = rest.len() / (ENTRY_BYTES + record_bytes);
        let (entries, records) = rest.split_at(count * ENTRY_BYTES);
        Ok(Anchored {
            package: u32::from_le_bytes([a, b, c, d]),
            is_parent: kind != 0,
            entries: entries.to_vec(),
            records: records.chunks(record_bytes).map(<[u8]>::to_vec).collect(),
        })
    }
}
