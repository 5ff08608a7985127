//! The searches of the reference against ARX, as a table: `cargo bench -p medshare-anonymiser --bench arx`.
//!
//! What is measured is what ARX's figure is of: from the table in memory to the release in memory. It is the processor's time
//! of the whole process, which other work on the machine does not add to, on one thread and on two, and for two the time on the
//! wall as well; of `ROUNDS` runs (5) the fastest counts. The peak of memory is that of a process of its own for each
//! row, reading the file included; `RUN` names the row (a part of its name) that is measured alone.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/suite/records.rs"]
mod records;

use std::process::Command;
use std::time::Instant;

use medshare_anonymiser::{Plan, Report, Table, anonymise};
use rayon::ThreadPoolBuilder;
use records::{CONFIGURATIONS, Configuration};
use rustix::time::{ClockId, clock_gettime};

const KEY: [u8; 32] = [0; 32];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(index) = arguments.iter().position(|argument| argument == "--memory") {
        let row = &CONFIGURATIONS[arguments[index + 1].parse::<usize>().unwrap()];
        memory(row);
        return;
    }
    let only = std::env::var("RUN").unwrap_or_default();
    println!(
        "| data, model, limit, metric | checked | ARX checked | 1 thread cpu ms | 2 threads cpu ms | 2 threads wall ms | ARX cpu ms | ARX ÷ ours, 1 thread | peak RSS MiB | ARX RSS MiB, least |"
    );
    println!("|-|-|-|-|-|-|-|-|-|-|");
    let mut loaded: Option<(records::Records, Table)> = None;
    let named = CONFIGURATIONS.iter().enumerate();
    for (index, row) in named.filter(|(_, row)| row.name().contains(&only)) {
        if loaded
            .as_ref()
            .is_none_or(|(records, _)| *records != row.records)
        {
            let Some(table) = row.records.table() else {
                continue;
            };
            loaded = Some((row.records, table));
        }
        let (_, table) = loaded.as_ref().unwrap();
        say(index, row, table);
    }
}

fn say(index: usize, row: &Configuration, table: &Table) {
    let (table, plan) = row.arranged(table);
    let one = fastest(1, &table, &plan);
    let two = fastest(2, &table, &plan);
    assert!((one.report.score - row.score).abs() < 1e-9);
    assert_eq!(one.report, two.report);
    let name = row.name();
    let least = row.arx_mib.map_or("–".to_owned(), |mib| mib.to_string());
    println!(
        "| {name} | {} | {} | {:.1} | {:.1} | {:.1} | {} | {:.1} | {} | {least} |",
        one.report.nodes_checked,
        row.arx_checked,
        one.cpu_ms,
        two.cpu_ms,
        two.wall_ms,
        row.arx_ms,
        row.arx_ms / one.cpu_ms,
        peak_mib(index),
    );
}

struct Run {
    report: Report,
    cpu_ms: f64,
    wall_ms: f64,
}

fn fastest(threads: usize, table: &Table, plan: &Plan) -> Run {
    let rounds = std::env::var("ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let mut best: Option<Run> = None;
    for _ in 0..rounds {
        let (began, cpu) = (Instant::now(), cpu_ms());
        let release = pool.install(|| anonymise(table, plan, &KEY)).unwrap();
        let (wall_ms, cpu_ms) = (began.elapsed().as_secs_f64() * 1e3, cpu_ms() - cpu);
        let report = release.report;
        best = Some(match best {
            Some(best) => Run {
                cpu_ms: best.cpu_ms.min(cpu_ms),
                wall_ms: best.wall_ms.min(wall_ms),
                report,
            },
            None => Run {
                report,
                cpu_ms,
                wall_ms,
            },
        });
    }
    best.unwrap()
}

/// Of the whole process so far.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Of a process that reads the table and searches once, on one thread.
fn peak_mib(index: usize) -> String {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--memory", &index.to_string()])
        .output();
    String::from_utf8(output.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

fn memory(row: &Configuration) {
    let (table, plan) = row.arranged(&row.records.table().unwrap());
    let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| anonymise(&table, &plan, &KEY)).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = peak.map_or(f64::NAN, |peak| {
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    });
    println!("{:.0}", kib / 1024.0);
}
