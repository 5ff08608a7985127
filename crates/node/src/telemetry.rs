//! What a node tells its operator: figures for Prometheus, and a log without secrets.

use std::sync::OnceLock;

use axum::http::Method;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the buckets of all durations, seconds.
const SECONDS: [f64; 10] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0];

/// The process's one recorder: figures of several nodes in one process are added up.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets(&SECONDS)
                .expect("the list of buckets is not empty")
                .build_recorder();
            let handle = recorder.handle();
            // Another recorder may have been set by whoever embeds the node; then the figures are there.
            metrics::set_global_recorder(recorder).ok().map(|()| handle)
        })
        .as_ref()
}

/// Starts counting. Called again, it changes nothing.
pub fn start() {
    let _ = recorder();
}

/// All figures so far, in the text form of Prometheus.
#[must_use]
pub fn figures() -> String {
    recorder().map_or_else(String::new, |handle| {
        handle.run_upkeep();
        handle.render()
    })
}

/// A method as a label: anybody can make up methods, and each label costs memory.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        start();
        metrics::counter!("medshare_test_total", "kind" => "one").increment(2);
        assert!(
            figures().contains("medshare_test_total{kind=\"one\"} 2"),
            "{}",
            figures()
        );
    }
}
