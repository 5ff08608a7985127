//! A page that was read at random brings its whole chunk: told as read, where nothing can be written, and gone with the data.

use std::fs;
use std::os::unix::fs::FileExt;

use alloy_primitives::B256;
use medshare_client::agent::DATA_FILE;
use medshare_protocol::package::{CHUNK_BYTES, payload_hash};
use medshare_protocol::usage::Action;

use super::{Mounted, mounted_stage};
use crate::stage::{Stage, granting, within};

const CHUNK: u64 = CHUNK_BYTES as u64;
const PAGE: u64 = 4_096;
/// In the third chunk of four.
const READ: u64 = 2 * CHUNK + 5 * PAGE;

async fn mounted(granted: &[Action]) -> Option<Mounted> {
    let payload: Vec<u8> = (0..4 * CHUNK).map(byte).collect();
    let hash = payload_hash(B256::repeat_byte(8), &payload).0;
    mounted_stage(Stage::holding(granting(granted), &payload, hash).await).await
}

const fn byte(at: u64) -> u8 {
    (at / PAGE) as u8 ^ at as u8
}

fn read(file: &fs::File, at: u64) -> std::io::Result<()> {
    let mut page = [0; PAGE as usize];
    file.read_exact_at(&mut page, at)?;
    assert!((at..).zip(page).all(|(at, found)| found == byte(at)));
    Ok(())
}

impl Mounted {
    /// Reads a page and then, with the file still open, does `then`.
    async fn read_and(&self, then: impl FnOnce(&fs::File) + Send + 'static) {
        self.blocking(move |data| {
            let file = fs::File::open(data).unwrap();
            read(&file, READ).unwrap();
            then(&file);
        })
        .await;
    }

    /// Opens the file anew, which makes the kernel forget it, and reads two pages of one chunk, until it has the second one
    /// before it is asked for. There is no other sign of that.
    async fn has_been_given(&self) {
        let mut reports = self.stage.node.reported().len();
        loop {
            self.read_and(|file| read(file, READ + PAGE).unwrap()).await;
            reports += 2;
            self.stage.node.reports(reports).await;
            let account = self.stage.node.body(u32::try_from(reports).unwrap());
            assert_eq!(account.file.as_deref(), Some(DATA_FILE));
            if account.counts.get(&(Action::Read as u8)) == Some(&1) {
                assert_eq!(account.ranges, [(2 * CHUNK, 3 * CHUNK)]);
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_at_random_brings_its_chunk_which_is_told_as_read() {
    let Some(mounted) = mounted(&[Action::Read]).await else {
        return;
    };
    within(mounted.has_been_given()).await;
    mounted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_writing_is_granted_the_kernel_has_what_it_asked_for() {
    let Some(mounted) = mounted(&[Action::Read, Action::Write]).await else {
        return;
    };
    mounted.read_and(|_| {}).await;
    mounted.stage.node.reports(3).await;
    assert_eq!(mounted.stage.node.body(3).ranges, [(READ, READ + PAGE)]);
    mounted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_was_given_goes_with_the_data() {
    let Some(mut mounted) = mounted(&[Action::Read]).await else {
        return;
    };
    within(mounted.has_been_given()).await;
    let file = mounted.blocking(|data| fs::File::open(data).unwrap()).await;
    mounted
        .blocking({
            let file = file.try_clone().unwrap();
            move |_| read(&file, READ).unwrap()
        })
        .await;
    mounted.agent.close();
    within(mounted.mount.settled()).await;
    // A page that was read, one that was given, and one that was neither.
    for at in [READ, READ + PAGE, 0] {
        let file = file.try_clone().unwrap();
        let again = mounted.blocking(move |_| read(&file, at)).await;
        assert!(again.is_err(), "{at}");
    }
    drop(file);
    mounted.end().await;
}
