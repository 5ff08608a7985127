//! The check of the payload hash, beside the use of the data (SPEC §7.2).

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::{Action, Actions};

use super::reporting::Telling;
use super::{Lock, Shared};
use crate::content::{Checked, Content, ContentError, PayloadCheck};
use crate::download::Stamp;

/// Checks what is open, once; the stamp then says so, if there is one. Ends early when the data is closed.
pub(super) fn watch(
    shared: &Arc<Shared>,
    content: &Arc<Content>,
    container: PathBuf,
    stamp: Option<Stamp>,
) {
    let check = PayloadCheck::new(&shared.header);
    let (agent, content) = (Arc::downgrade(shared), Arc::downgrade(content));
    tokio::spawn(async move {
        let checking = tokio::task::spawn_blocking(move || run(check, &content));
        match checking.await {
            Ok(Ok(true)) => {
                if let Some(mut stamp) = stamp {
                    stamp.payload_checked = true;
                    stamp.keep(&container);
                }
            }
            Ok(Err(error)) => {
                if let Some(shared) = agent.upgrade() {
                    shared.not_the_data(&error);
                }
            }
            // Closed, or the program is ending.
            Ok(Ok(false)) | Err(_) => {}
        }
    });
}

/// Whether it came to the end.
fn run(mut check: PayloadCheck, content: &Weak<Content>) -> Result<bool, ContentError> {
    // Held for a step at a time: whoever closes the data does not wait for this.
    while let Some(content) = content.upgrade() {
        match check.step(&content) {
            Ok(Checked::More) => {}
            Ok(Checked::All) => return Ok(true),
            Err(ContentError::Wiped) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

impl Shared {
    /// Closes first. Then the custodian is told, in the body of one more `decrypt`: no other report carries what is no
    /// action of anybody.
    fn not_the_data(self: &Arc<Self>, error: &ContentError) {
        let (reason, telling) = (error.to_string(), Telling::of(self));
        self.lock(Lock::Damaged(reason.clone()));
        let body = ReportBody {
            comment: format!("The data was closed: {reason}"),
            ..ReportBody::default()
        };
        self.tell(Actions::NONE.with(Action::Decrypt), &body, telling);
    }
}
