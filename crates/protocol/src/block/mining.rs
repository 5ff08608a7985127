use alloy_primitives::B256;

use crate::header::{CompactTarget, Header};
use crate::merkle::Log;

/// The mined header of the next block of a chain.
///
/// `previous` is the head, or the origin; `log` already holds the new block's leaf; times in seconds since the Unix
/// epoch, `previous_time` that of the previous header (0 for the first): the new one is never earlier.
#[must_use]
pub fn next_header(
    version: u32,
    previous: B256,
    log: &Log,
    now_seconds: u32,
    previous_time: u32,
    bits: CompactTarget,
) -> Header {
    Header {
        version,
        previous,
        merkle_root: log.header_root(),
        time: now_seconds.max(previous_time),
        bits,
        nonce: 0,
    }
    .mine()
}
