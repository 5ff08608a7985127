//! How long things take. Here: request to package ready, one requestor, proof of work and anchoring included, step by step
//! from the form's times.

mod audit;
mod reports;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use medshare_chain::PrivateKeySigner;
use medshare_client::api::NodeApi;
use medshare_client::requestor::{Ask, Requestor};
use medshare_protocol::form::Step;
use medshare_protocol::seal::SealingSecret;
use medshare_protocol::typed::Selection;
use medshare_protocol::wire::Class;
use serde::Serialize;

use crate::network::{DatasetSource, Network, NetworkPlan};
use crate::synth::Terms;
use crate::{output, shutdown};

pub use audit::audit;
pub use reports::reports;

/// Longest wait for one package.
const PATIENCE: Duration = Duration::from_secs(120);

/// One request, measured.
struct Round {
    /// As the requestor sees it: from signing to ready.
    total_ms: f64,
    /// As the node's form has it: the step, and ms since the one before.
    steps: Vec<(String, u64)>,
}

#[derive(Serialize)]
struct Measured {
    rows: usize,
    rounds: u32,
    first_ms: f64,
    median_ms: f64,
    p99_ms: f64,
    steps: Vec<StepTimes>,
}

/// A step of the form: ms in the first request; median and 99th percentile in those after it.
#[derive(Serialize)]
struct StepTimes {
    step: String,
    first_ms: f64,
    median_ms: f64,
    p99_ms: f64,
}

/// Measures the first request and `rounds` more.
pub async fn request(rows: usize, rounds: u32, json: bool) -> Result<()> {
    let told = shutdown::listen()?;
    tokio::select! {
        outcome = measure(rows, rounds, json) => outcome,
        () = told => bail!("interrupted"),
    }
}

async fn measure(rows: usize, rounds: u32, json: bool) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("medshare-bench")
        .tempdir()?;
    let plan = hospital(folder.path(), rows);
    let network = Network::deploy(&plan).await?.populate(&plan).await?;
    let requestor = requestor(&network).await?;
    let first = round(&network, &requestor).await?;
    let mut cached = Vec::new();
    for _ in 0..rounds {
        cached.push(round(&network, &requestor).await?);
    }
    network.stop().await?;
    let measured = measured(rows, rounds, &first, &cached);
    if json {
        output::json(&measured)
    } else {
        print(&measured)
    }
}

/// A hospital of so many patients, and another one.
fn hospital(folder: &Path, rows: usize) -> NetworkPlan {
    NetworkPlan {
        folder: folder.join("network"),
        port: None,
        datasets: [
            DatasetSource::Synthetic {
                seed: 1,
                rows,
                terms: Terms::default(),
            },
            DatasetSource::Synthetic {
                seed: 2,
                rows: 100,
                terms: Terms::default(),
            },
        ],
        lease_seconds: 60,
    }
}

/// The whole release, for the first purpose that it may be used for.
fn question(network: &Network) -> Result<Ask> {
    let custodian = &network.custodians[0];
    let purposes = &custodian.dataset.purposes;
    let purpose = purposes.first().context("the hospital allows purposes")?;
    Ok(Ask {
        custodian: custodian.address(),
        dataset: custodian.dataset.id,
        purpose: *purpose,
        selection: Selection::default(),
    })
}

async fn requestor(network: &Network) -> Result<Requestor> {
    let node = NodeApi::new(&network.custodians[0].url)?;
    let ledger = Arc::new(network.governance.clone());
    let requestor = Requestor::new(
        PrivateKeySigner::random(),
        SealingSecret::generate()?,
        ledger,
        node,
    );
    let credential = medshare_protocol::digest::sha256(&[b"bench"]);
    requestor.register(Class::University, credential).await?;
    Ok(requestor)
}

async fn round(network: &Network, requestor: &Requestor) -> Result<Round> {
    let ask = question(network)?;
    let began = Instant::now();
    let signed = requestor.sign_request(&ask)?;
    let package = requestor.package_id(&signed.request);
    requestor.submit(&signed).await?;
    requestor.wait(package, PATIENCE, |_| {}).await?;
    let total_ms = began.elapsed().as_secs_f64() * 1_000.0;
    let form = requestor
        .node
        .status(package, 0, Duration::ZERO)
        .await?
        .form;
    Ok(Round {
        total_ms,
        steps: durations(&form),
    })
}

fn durations(form: &[Step]) -> Vec<(String, u64)> {
    let pairs = form.iter().zip(form.iter().skip(1));
    pairs
        .map(|(before, step)| (step.action.clone(), step.time.saturating_sub(before.time)))
        .collect()
}

fn measured(rows: usize, rounds: u32, first: &Round, cached: &[Round]) -> Measured {
    let mut by_step: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (step, ms) in cached.iter().flat_map(|round| &round.steps) {
        by_step.entry(step).or_default().push(*ms as f64);
    }
    let steps = first.steps.iter().map(|(step, first_ms)| {
        let times = by_step.remove(step.as_str()).unwrap_or_default();
        let (median_ms, p99_ms) = (percentile(&times, 0.5), percentile(&times, 0.99));
        StepTimes {
            step: step.clone(),
            first_ms: *first_ms as f64,
            median_ms,
            p99_ms,
        }
    });
    let steps = steps.collect();
    let totals: Vec<f64> = cached.iter().map(|round| round.total_ms).collect();
    let (median_ms, p99_ms) = (percentile(&totals, 0.5), percentile(&totals, 0.99));
    Measured {
        rows,
        rounds,
        first_ms: first.total_ms,
        median_ms,
        p99_ms,
        steps,
    }
}

/// The smallest value that `share` of the values do not exceed (nearest rank).
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

fn print(measured: &Measured) -> Result<()> {
    output::line(format!(
        "request to package ready, {} rows, one requestor; ms\n{:<20} {:>12} {:>12} {:>12}",
        measured.rows,
        "",
        "first",
        format!("median of {}", measured.rounds),
        "p99"
    ))?;
    for step in &measured.steps {
        output::line(format!(
            "{:<20} {:>12.0} {:>12.0} {:>12.0}",
            step.step, step.first_ms, step.median_ms, step.p99_ms
        ))?;
    }
    output::line(format!(
        "{:<20} {:>12.0} {:>12.0} {:>12.0}",
        "as the requestor saw", measured.first_ms, measured.median_ms, measured.p99_ms
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), 100.0);
        assert_eq!(percentile(&values, 0.99), 198.0);
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }

    #[test]
    fn a_step_takes_the_time_since_the_one_before() {
        let step = |time, action: &str| Step::new(time, alloy_primitives::Address::ZERO, action);
        let form = [
            step(10, "received"),
            step(13, "authenticated"),
            step(13, "retrieved"),
        ];
        assert_eq!(
            durations(&form),
            [("authenticated".to_owned(), 3), ("retrieved".to_owned(), 0)]
        );
    }
}
