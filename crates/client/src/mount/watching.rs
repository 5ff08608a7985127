//! What happens without being asked: accounts of open files, and the end.

use std::sync::Arc;

use fuser::{INodeNo, Notifier};

use super::duplicates::Moment;
use super::folder::Inside;
use super::second_files::DATA;
use crate::handle::Handle;

/// Each third of a lease, reports what open files have done and looks at what was written into second ones; until the data
/// is closed.
pub(super) async fn keep_account(inside: Arc<Inside>) {
    let agent = &inside.agent;
    loop {
        let next = agent.clock().since_boot() + agent.lease() / 3;
        tokio::select! {
            () = agent.clock().wait_until(next) => {}
            _ = agent.locked() => return,
        }
        let handles = inside.open_files().handles();
        handles.iter().for_each(Handle::settle);
        let unjudged = inside.files().unjudged();
        for inode in unjudged {
            // What came of it is in the agent's lock.
            let _ = inside.judge_rows(inode, Moment::Waited, None).await;
        }
    }
}

/// When the data goes, so do the second files and what the kernel remembers of either: pages that programs have read or
/// mapped. Not from within a call: the kernel waits for pages that are being read, and those for the calls that read them.
/// The data is closed by now, so that nothing which is forgotten is read anew.
pub(super) async fn forget(inside: Arc<Inside>, notifier: Notifier) {
    inside.agent.locked().await;
    let mut inodes = vec![DATA];
    inodes.extend(inside.files().wipe());
    inodes.extend(inside.open_files().inodes());
    let giving = Arc::clone(&inside);
    let forgetting = tokio::task::spawn_blocking(move || {
        giving.ahead.stop_giving();
        for inode in inodes {
            if let Err(error) = notifier.inval_inode(INodeNo(inode), 0, 0) {
                // The folder has gone, and with it whatever was mapped.
                tracing::debug!(inode, %error, "the kernel was not told to forget");
            }
        }
    });
    if let Err(error) = forgetting.await {
        tracing::error!(%error, "the kernel may remember the data");
    }
    let handles = inside.open_files().handles();
    handles.iter().for_each(Handle::settle);
}
