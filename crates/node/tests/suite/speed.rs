//! How long a request takes. The bound is generous: the machine may be busy; the figures are printed.

use std::time::Instant;

use medshare_node::Limits;
use medshare_protocol::wire::Stage;

use crate::cluster::Cluster;
use crate::requestor::{Requestor, finished};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_ten_thousand_rows_is_ready_soon() {
    let cluster = Cluster::with(10_000, Limits::default()).await;
    let requestor = Requestor::registered(&cluster).await;
    let begun = Instant::now();
    requestor.obtain(&cluster).await;
    println!("with the first release: {:?}", begun.elapsed());
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let request = requestor.asks(&cluster);
        let id = requestor.id(&request);
        cluster.node(0).request(request).await.unwrap();
        let status = finished(&cluster.node(0), id).await;
        times.push(begun.elapsed());
        assert_eq!(status.stage, Stage::Ready);
        let first = status.form[0].time;
        for step in &status.form {
            println!("{:>6} ms {}", step.time - first, step.action);
        }
    }
    times.sort();
    println!("release cached: {times:?}");
    assert!(times[0].as_millis() < 1_000, "{times:?}");
}
