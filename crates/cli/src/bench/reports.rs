//! From an action to the node's receipt, over loopback and with a real node process: what an open program waits for.
//!
//! The time begins where the action is judged and ends where its receipt is written down: from there on it may be carried out.
//! In between the report is sealed, signed and written to the journal; sent; checked, judged, committed with its side-block and
//! signed for by the node; and the receipt is checked. So it has the disk's answer in it once, which is measured beside it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use medshare_client::agent::Agent;
use medshare_client::download;
use medshare_client::opening::{self, Opening};
use medshare_client::requestor::{Ask, Requestor};
use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::{Action, Environment};
use serde::Serialize;
use tokio::task::JoinSet;

use super::{PATIENCE, hospital, percentile, question, requestor};
use crate::network::Network;
use crate::{output, shutdown};

/// Milliseconds that are wanted of 99 reports in a hundred.
const WANTED_MS: f64 = 10.0;
/// Reports a second, of all packages together, where they come as they do in use: at their own times.
const RATE: u32 = 100;
/// Rows of the hospital: reports are the same whatever they are about.
const ROWS: usize = 300;
/// Reports of each package that are not counted: connections are made and caches filled.
const WARM_UP: u32 = 5;
/// What a report takes in the journal, about.
const ENTRY_BYTES: usize = 1_500;

/// Times in milliseconds.
#[derive(Serialize)]
struct Times {
    count: usize,
    median_ms: f64,
    p99_ms: f64,
    most_ms: f64,
}

#[derive(Serialize)]
struct Measured {
    /// Writing an entry to the disk and syncing it, by itself.
    disk: Times,
    /// One package reports.
    alone: Times,
    packages: u32,
    /// All of them do, each at its own times, [`RATE`] a second together. A report that is late counts from when it was due.
    paced: Times,
    /// All of them do, without a pause: what the machine can take.
    pressed: Times,
    pressed_per_second: f64,
    wanted_p99_ms: f64,
}

/// Measures `reports` of one package, and as many of `packages` at the same time.
pub async fn reports(packages: u32, reports: u32, json: bool) -> Result<()> {
    let told = shutdown::listen()?;
    tokio::select! {
        outcome = measure(packages, reports, json) => outcome,
        () = told => bail!("interrupted"),
    }
}

async fn measure(packages: u32, reports: u32, json: bool) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("medshare-bench")
        .tempdir()?;
    let plan = hospital(folder.path(), ROWS);
    let network = Network::deploy(&plan).await?.populate(&plan).await?;
    let requestor = requestor(&network).await?;
    let mut agents = Vec::new();
    for number in 0..packages {
        agents.push(open(&network, &requestor, folder.path(), number).await?);
    }
    let disk = disk(folder.path(), reports)?;
    let first = agents.first().context("there are no packages")?;
    let alone = report(first.clone(), reports, Duration::ZERO, Duration::ZERO).await?;
    let each = reports.div_ceil(packages);
    let every = Duration::from_secs(1) * packages / RATE;
    let paced = together(&agents, each, every).await?;
    let began = Instant::now();
    let pressed = together(&agents, each, Duration::ZERO).await?;
    let seconds = began.elapsed().as_secs_f64();
    let measured = Measured {
        disk,
        alone: times(&alone),
        packages,
        paced: times(&paced),
        pressed: times(&pressed),
        pressed_per_second: f64::from((WARM_UP + each) * packages) / seconds,
        wanted_p99_ms: WANTED_MS,
    };
    drop(agents);
    network.stop().await?;
    if json {
        output::json(&measured)
    } else {
        print(&measured)
    }
}

/// Asks for a package, downloads and opens it.
async fn open(
    network: &Network,
    requestor: &Requestor,
    folder: &Path,
    number: u32,
) -> Result<Agent> {
    let ask: Ask = question(network)?;
    let signed = requestor.sign_request(&ask)?;
    let package = requestor.package_id(&signed.request);
    requestor.submit(&signed).await?;
    let ready = requestor.wait(package, PATIENCE, |_| {}).await?;
    let how = Opening {
        container: folder.join(format!("{number}.mds")),
        journal: folder.join(format!("{number}.journal")),
        environment: Environment::Any,
        patience: Duration::from_secs(5),
    };
    download::download(&requestor.node, package, &ready, &how.container, |_, _| {}).await?;
    Ok(opening::open(requestor, &how).await?)
}

/// Milliseconds of each report, of all.
async fn together(agents: &[Agent], each: u32, every: Duration) -> Result<Vec<f64>> {
    let one = every / u32::try_from(agents.len().max(1))?;
    let reporting: JoinSet<_> = (0..)
        .zip(agents)
        .map(|(place, agent)| report(agent.clone(), each, one * place, every))
        .collect();
    let reported = reporting.join_all().await;
    Ok(reported.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// Milliseconds of each report, one `every` so often after a `delay`; without a pause where that is zero.
async fn report(agent: Agent, count: u32, delay: Duration, every: Duration) -> Result<Vec<f64>> {
    let body = ReportBody {
        comment: "measured".into(),
        file: Some("data.csv".into()),
        ranges: vec![(0, 4_096)],
        program: Some("bench".into()),
        ..ReportBody::default()
    };
    let mut times = Vec::new();
    let start = Instant::now() + delay;
    for number in 0..WARM_UP + count {
        let due = start + every * number;
        tokio::time::sleep_until(due.into()).await;
        let began = if every.is_zero() { Instant::now() } else { due };
        let receipt = agent.authorise(Action::Read, &body).await?;
        let ms = began.elapsed().as_secs_f64() * 1_000.0;
        ensure!(receipt.is_some(), "the hospital wants no report of reading");
        if number >= WARM_UP {
            times.push(ms);
        }
    }
    Ok(times)
}

/// What appending to a file and syncing it takes here.
fn disk(folder: &Path, count: u32) -> Result<Times> {
    let mut file = File::create(folder.join("disk"))?;
    let entry = [b'x'; ENTRY_BYTES];
    let mut measured = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        file.write_all(&entry)?;
        file.sync_data()?;
        measured.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(times(&measured))
}

fn times(measured: &[f64]) -> Times {
    Times {
        count: measured.len(),
        median_ms: percentile(measured, 0.5),
        p99_ms: percentile(measured, 0.99),
        most_ms: percentile(measured, 1.0),
    }
}

fn print(measured: &Measured) -> Result<()> {
    output::line(format!(
        "{:<34} {:>8} {:>8} {:>8} {:>8}  wanted",
        "action to receipt; ms", "count", "median", "p99", "most"
    ))?;
    let paced = format!("{} packages, {RATE} a second", measured.packages);
    let pressed = format!(
        "{} without a pause, {:.0} a second",
        measured.packages, measured.pressed_per_second
    );
    let wanted = format!("p99 <= {WANTED_MS}");
    for (what, times, wanted) in [
        ("this disk alone, an entry synced", &measured.disk, ""),
        ("one package", &measured.alone, wanted.as_str()),
        (paced.as_str(), &measured.paced, wanted.as_str()),
        (pressed.as_str(), &measured.pressed, ""),
    ] {
        output::line(format!(
            "{what:<34} {:>8} {:>8.2} {:>8.2} {:>8.2}  {wanted}",
            times.count, times.median_ms, times.p99_ms, times.most_ms
        ))?;
    }
    Ok(())
}
