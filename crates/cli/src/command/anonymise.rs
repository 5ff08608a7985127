//! `medshare anonymise`: the anonymiser alone, from file to file (P12).

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use medshare_anonymiser::{
    AnonymiseError, Anonymised, Effort, Plan, Report, Table, anonymise_until, linkage, measure,
    promises, rank,
};
use medshare_node::descriptor::{Dataset, SourceSpec};
use medshare_node::source;
use rand::RngExt;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::task::{JoinError, JoinHandle};
use zeroize::Zeroizing;

use crate::cli::wrong_usage;
use crate::connection::read_text;
use crate::output::Progress;
use crate::{new_file, output};

/// Anonymises.
#[derive(Args, Debug)]
#[command(
    after_help = "The descriptor says what each column is and how k-anonymous the result has to be.
Without --key-file pseudonyms get a fresh key, which is then forgotten: nobody can link two runs.
Where more level combinations are possible than can be searched, --time-limit takes the best one that is found in that time;
the report says how good any could be at best (at_least).
Nothing is served, so the descriptor may say what a node refuses: t-closeness by the distance \"hierarchical\", of a sensitive column with
a hierarchy or a rule; and, under [privacy], population = \"FILE\": a table of the people among whom a journalist looks, those of the
table included, with the quasi-identifiers at least.
A promise that the release does not keep when it is measured alone is told, in a line of its own: t-closeness holds as compared with the
whole table, of which suppressed rows are a part.
Examples:
  medshare anonymise --input encounters.csv --descriptor encounters.toml --output release.csv --report report.json
  medshare anonymise --descriptor wide.toml --output release.csv --report report.json --time-limit 60"
)]
pub struct Anonymise {
    /// The table; else the one that the descriptor names
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The descriptor
    #[arg(long, value_name = "FILE")]
    descriptor: PathBuf,
    /// Where the release goes (CSV); must not exist
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Where the report on risk and loss goes (JSON); must not exist
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
    /// File with the key of the pseudonyms: 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Search so long at most
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=MAX_SECONDS))]
    time_limit: Option<u64>,
    /// Print the report on risk and loss as well
    #[arg(long)]
    json: bool,
}

/// A search of a day is long enough.
const MAX_SECONDS: u64 = 24 * 60 * 60;
/// Progress is told so often.
const TELLING: Duration = Duration::from_millis(200);

impl Anonymise {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        if place(&self.output) == place(&self.report) {
            wrong_usage("--output and --report name the same file: give each its own");
        }
        new_file::must_be_new(&self.output)?;
        new_file::must_be_new(&self.report)?;
        let dataset = Dataset::load_alone(&self.descriptor)?;
        let key = self.key()?;
        let records = source::load(&self.source(&dataset.source)).await?;
        let population = people(dataset.population.as_ref()).await?;
        let (table, mut plan) = (records.table, dataset.plan);
        let limit = self.time_limit.map(Duration::from_secs);
        if limit.is_some() && plan.privacy.search == Effort::Exact {
            plan.privacy.search = Effort::Nodes(usize::MAX);
        }
        let work = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let mut is_over = || limit.is_some_and(|limit| begun.elapsed() >= limit);
            let people = population.as_ref();
            people.map_or(Ok(()), |people| plan.check_everybody(&table, people))?;
            let anonymised = anonymise_until(&table, people, &plan, &key, &mut is_over)?;
            let broken = promises(&anonymised.table, &plan).broken;
            let report = report(&table, people, &anonymised, &plan, &broken);
            Ok::<_, AnonymiseError>((anonymised, report, broken))
        });
        let (anonymised, report, broken) = watched(work).await??;
        let release = write_beside(&self.output, |file| anonymised.table.write_csv(file))?;
        let report_text = serde_json::to_vec_pretty(&report)?;
        let told = write_beside(&self.report, |file| file.write_all(&report_text))?;
        keep_both((release, &self.output), (told, &self.report))?;
        output::either(self.json, &report, summary(&anonymised.report, &broken))
    }

    /// The descriptor's source, read from another file if one is given.
    fn source(&self, source: &SourceSpec) -> SourceSpec {
        let Some(input) = self.input.clone() else {
            return source.clone();
        };
        match source.clone() {
            SourceSpec::Csv { delimiter, .. } => SourceSpec::Csv {
                file: input,
                delimiter,
            },
            SourceSpec::Sqlite { query, .. } => SourceSpec::Sqlite { file: input, query },
        }
    }

    fn key(&self) -> Result<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        match &self.key_file {
            None => rand::rng().fill(key.as_mut_slice()),
            Some(file) => {
                let text = Zeroizing::new(read_text(file)?);
                hex::decode_to_slice(text.trim(), key.as_mut_slice())
                    .ok()
                    .with_context(|| {
                        format!(
                            "{} is no key: it has to hold 64 hexadecimal digits",
                            file.display()
                        )
                    })?;
            }
        }
        Ok(key)
    }
}

/// Everybody among whom a journalist looks, where the descriptor says who.
async fn people(population: Option<&SourceSpec>) -> Result<Option<Table>> {
    match population {
        None => Ok(None),
        Some(population) => {
            let records = source::load(population).await;
            Ok(Some(records.context("the population")?.table))
        }
    }
}

/// The outcome in a line, and one for each promise that does not hold of the release alone.
fn summary(facts: &Report, broken: &[String]) -> String {
    let mut line = format!(
        "{} of {} rows released, {} suppressed, k = {}, loss {:.4}",
        facts.rows_out, facts.rows_in, facts.suppressed, facts.k_reached, facts.loss
    );
    if let Some(least) = facts.at_least {
        line += &format!(
            "; the search ended early: {:.4} was found, and nothing scores less than {least:.4}",
            facts.score
        );
    }
    for promise in broken {
        line += &format!("\nmeasured on the release alone, {promise}");
    }
    line
}

/// Waits for it, and tells that it goes on.
async fn watched<T>(mut work: JoinHandle<T>) -> Result<T, JoinError> {
    let mut progress = Progress::of_steps();
    loop {
        match tokio::time::timeout(TELLING, &mut work).await {
            Ok(done) => return done,
            Err(_) => progress.say("searching for the release that loses least"),
        }
    }
}

/// What it cost, what a second node would measure, and how an attack goes by whoever has the table.
fn report(
    table: &Table,
    people: Option<&Table>,
    anonymised: &Anonymised,
    plan: &Plan,
    broken: &[String],
) -> serde_json::Value {
    let attacked = match linkage(table, &anonymised.table, plan) {
        Ok(linked) => json!(linked),
        Err(reason) => json!({ "not_carried_out": reason.to_string() }),
    };
    json!({
        "anonymisation": anonymised.report,
        "people_of_the_population": people.map(Table::rows),
        "ranking_before": rank(table, plan),
        "ranking_after": rank(&anonymised.table, plan),
        "measured": measure(&anonymised.table, plan),
        "broken_on_the_release_alone": broken,
        "attack_with_the_table": attacked,
    })
}

/// A neighbour of `target`, complete on disk.
fn write_beside(
    target: &Path,
    write: impl FnOnce(&mut NamedTempFile) -> io::Result<()>,
) -> Result<NamedTempFile> {
    let failed = || format!("cannot write {}", target.display());
    let mut file = new_file::beside(target)?;
    write(&mut file).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    Ok(file)
}

/// The same for every way of writing a path to one file, as long as its folder is there.
fn place(file: &Path) -> PathBuf {
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = whole.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, whole.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => whole,
    }
}

/// Both are complete on disk; now they get their names, or neither does.
fn keep_both(first: (NamedTempFile, &Path), second: (NamedTempFile, &Path)) -> Result<()> {
    new_file::keep(first.0, first.1)?;
    new_file::keep(second.0, second.1).inspect_err(|_| {
        // It is this run's own: `new_file::keep` overwrites nothing. The error that counts is the one above.
        let _ = std::fs::remove_file(first.1);
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn when_one_file_cannot_be_kept_neither_is() {
        let folder = tempfile::tempdir().unwrap();
        let (output, report) = (folder.path().join("o"), folder.path().join("r"));
        let attempt = || {
            let release = write_beside(&output, |file| file.write_all(b"release")).unwrap();
            let told = write_beside(&report, |file| file.write_all(b"report")).unwrap();
            keep_both((release, &output), (told, &report))
        };
        // Somebody else was faster.
        std::fs::write(&report, "precious").unwrap();
        attempt().unwrap_err();
        assert!(!output.exists());
        assert_eq!(std::fs::read(&report).unwrap(), b"precious");
        std::fs::remove_file(&report).unwrap();
        attempt().unwrap();
        assert_eq!(std::fs::read(&output).unwrap(), b"release");
        assert_eq!(std::fs::read(&report).unwrap(), b"report");
    }
}
