//! Files that hold rows of the data, and may take its place.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use medshare_client::agent::Lock;
use medshare_protocol::usage::{Action, Actions};

use super::{mounted, one};
use crate::stage::{LEASE_SECONDS, PAYLOAD, within};

/// Programs save by writing a new file and giving it the old one's name.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_takes_the_data_s_place_is_a_write() {
    for granted in [true, false] {
        let actions = [Action::Read, Action::Write];
        let Some(mounted) = mounted(&actions[..1 + usize::from(granted)]).await else {
            return;
        };
        let outcome = mounted
            .blocking(|data| {
                let new = data.with_extension("new");
                fs::write(&new, b"age,sex\n").unwrap();
                fs::rename(&new, data)?;
                let listed = fs::read_dir(data.parent().unwrap()).unwrap().count();
                fs::read(data).map(|bytes| (bytes, listed))
            })
            .await;
        if granted {
            assert_eq!(outcome.unwrap(), (b"age,sex\n".to_vec(), 1));
            assert_eq!(mounted.agent.bytes(0, 99).unwrap().as_slice(), b"age,sex\n");
        } else {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied);
            assert_eq!(mounted.agent.lock(), Some(Lock::Violation(Action::Write)));
        }
        within(mounted.agent.told()).await;
        assert_eq!(mounted.reported()[0], Actions::NONE.with(Action::Write));
        mounted.end().await;
    }
}

/// A file with rows of the data that is not judged yet, because it may become the data, is given to nobody unjudged, and does
/// not stay so.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_file_that_may_become_the_data_is_held() {
    for waits in [true, false] {
        let Some(mounted) = mounted(&[Action::Read, Action::Write]).await else {
            return;
        };
        mounted
            .blocking(|data| fs::write(data.with_extension("new"), PAYLOAD).unwrap())
            .await;
        assert_eq!(mounted.agent.lock(), None, "it may become the data");
        if waits {
            let third = Duration::from_secs(u64::from(LEASE_SECONDS) / 3);
            mounted.stage.clock.advance(third);
            assert_eq!(
                within(mounted.agent.locked()).await,
                Lock::Violation(Action::Duplicate)
            );
        } else {
            let read = mounted
                .blocking(|data| fs::read(data.with_extension("new")))
                .await;
            assert_eq!(read.unwrap_err().kind(), ErrorKind::PermissionDenied);
            assert_eq!(
                mounted.agent.lock(),
                Some(Lock::Violation(Action::Duplicate))
            );
        }
        within(mounted.agent.told()).await;
        assert_eq!(mounted.reported().last(), one(Action::Duplicate).last());
        mounted.end().await;
    }
}

/// Writing over the data first hides nothing: rows are compared with what was issued as well.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_written_over_are_rows_all_the_same() {
    let Some(mounted) = mounted(&[Action::Read, Action::Write]).await else {
        return;
    };
    let read = mounted
        .blocking(|data| {
            let rows = fs::read(data).unwrap();
            fs::write(data, b"a,b\n1,2\n").unwrap();
            let second = data.with_extension("new");
            fs::write(&second, rows).unwrap();
            fs::read(second)
        })
        .await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(
        mounted.agent.lock(),
        Some(Lock::Violation(Action::Duplicate))
    );
    mounted.end().await;
}
