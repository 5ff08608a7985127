//! What open files do, told together.

use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::Duration;

use medshare_client::agent::DATA_FILE;
use medshare_protocol::usage::{Action, Actions};

use super::{mounted, one};
use crate::stage::{LEASE_SECONDS, PAYLOAD, within};

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_reported_before_the_first_byte_and_then_in_one_account() {
    let Some(mounted) = mounted(&[Action::Read]).await else {
        return;
    };
    mounted
        .blocking(|data| {
            let listed: Vec<_> = fs::read_dir(data.parent().unwrap())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            assert_eq!(listed, [DATA_FILE]);
            assert_eq!(fs::metadata(data).unwrap().len(), PAYLOAD.len() as u64);
        })
        .await;
    assert!(mounted.reported().is_empty(), "looking is not reading");
    let mut file = mounted.blocking(|data| fs::File::open(data).unwrap()).await;
    assert_eq!(mounted.reported(), one(Action::Read));
    let first = mounted.stage.node.body(2);
    assert!(
        first.ranges.is_empty() && first.counts.is_empty(),
        "{first:?}"
    );
    mounted
        .blocking(move |_| {
            let mut byte = [0];
            for expected in PAYLOAD {
                file.read_exact(&mut byte).unwrap();
                assert_eq!(byte[0], *expected);
            }
            assert_eq!(file.read(&mut byte).unwrap(), 0);
        })
        .await;
    mounted.stage.node.reports(3).await;
    let account = mounted.stage.node.body(3);
    assert_eq!(account.ranges, [(0, PAYLOAD.len() as u64)]);
    assert_eq!(account.counts.keys().collect::<Vec<_>>(), [&0]);
    assert_eq!(account.file.as_deref(), Some(DATA_FILE));
    let status = mounted
        .blocking(|data| Command::new("cat").arg(data).output().unwrap())
        .await;
    assert_eq!(status.stdout, PAYLOAD);
    mounted.stage.node.reports(5).await;
    for number in [4, 5] {
        let body = mounted.stage.node.body(number);
        assert_eq!(body.program.as_deref(), Some("cat"));
    }
    assert_eq!(mounted.reported(), [Actions::NONE.with(Action::Read); 4]);
    mounted.end().await;
}

/// P18: reports say much and cost little.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_open_file_does_is_accounted_for_each_third_of_a_lease_and_at_its_end() {
    let Some(mounted) = mounted(&[Action::Read, Action::Write]).await else {
        return;
    };
    let file = mounted
        .blocking(|data| {
            let file = fs::File::options()
                .read(true)
                .write(true)
                .open(data)
                .unwrap();
            for _ in 0..100 {
                file.write_all_at(b"AGE", 0).unwrap();
            }
            file
        })
        .await;
    assert_eq!(
        mounted.reported().len(),
        2,
        "the open file, and the first write"
    );
    let first = mounted.stage.node.body(3);
    assert_eq!(
        (first.ranges, first.counts),
        (vec![(0, 3)], [(1, 1)].into())
    );
    let third = Duration::from_secs(u64::from(LEASE_SECONDS) / 3);
    mounted.stage.clock.advance(third);
    mounted.stage.node.reports(4).await;
    let account = mounted.stage.node.body(4);
    assert!(account.comment.contains("write of 0x"), "{account:?}");
    assert_eq!(
        (account.ranges, account.counts),
        (vec![(0, 3)], [(1, 99)].into())
    );
    mounted
        .blocking(move |_| {
            file.write_all_at(b"x", 20).unwrap();
            file.read_exact_at(&mut [0; 8], 4).unwrap();
        })
        .await;
    mounted.stage.node.reports(5).await;
    let both = [Action::Read, Action::Write].into_iter().collect();
    assert_eq!(mounted.reported()[3], both);
    let account = mounted.stage.node.body(5);
    assert_eq!(account.counts[&1], 1);
    assert_eq!(
        account.ranges,
        [(0, PAYLOAD.len() as u64)],
        "what the kernel took at once"
    );

    // An account of nothing is not sent.
    mounted
        .blocking(|data| drop(fs::File::open(data).unwrap()))
        .await;
    let (node, agent) = (mounted.stage.node.clone(), mounted.agent.clone());
    mounted.end().await;
    within(agent.told()).await;
    assert_eq!(node.reported().len(), 6, "{:?}", node.reported());
}
