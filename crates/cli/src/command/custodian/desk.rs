//! What a custodian's people look at and decide, on the machine of the node (P18, P19): findings, reports, outputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use anyhow::Result;
use clap::{Args, Subcommand};
use medshare_client::outputs::write_folder;
use medshare_client::times::rfc3339;
use medshare_node::config::Config;
use medshare_node::desk::{Desk, OpenedReport};
use medshare_protocol::digest::sha256;
use medshare_protocol::id::PackageId;
use medshare_protocol::output::OutputFiles;
use medshare_protocol::report::Output;
use serde_json::{Value, json};

use crate::command::outputs::{not_there, standing};
use crate::output::{self, counted};

/// The node whose desk it is.
#[derive(Args, Debug)]
struct DeskArgs {
    /// The node's configuration; the node may be running
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl DeskArgs {
    async fn open(&self) -> Result<Desk> {
        let config = Config::load(&self.config)?;
        let passphrase = config.passphrase()?;
        Ok(Desk::open(&config, &passphrase).await?)
    }
}

/// `custodian findings`.
#[derive(Args, Debug)]
#[command(after_help = "Kinds:
  silent-lease         a client stopped talking while it had the key
  second-opening       another session tried to open what is open
  refused-opening      it was to be opened though it must not be: revoked, returned
  foreign-session      a session key that the requestor's wallet has not delegated
  rival-session        two sessions made reports with one number, as copied state does
  fork                 one session signed two reports with one number: tampering
  missing-report       a session signed that it has sent more reports than are here
  swapped-report       a report that does not continue the one before
  used-after-deletion  something was done after the requestor signed that the data is deleted
What follows is your decision: `medshare custodian revoke`.
Example:
  medshare custodian findings --config node.toml
  medshare custodian findings 0x4be1… --config node.toml --json")]
pub struct Findings {
    /// Only of this package
    package: Option<PackageId>,
    #[command(flatten)]
    desk: DeskArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `custodian reports`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare custodian reports 0x4be1… --config node.toml
  medshare custodian reports 0x4be1… --config node.toml --from 100 --json")]
pub struct Reports {
    /// The package
    package: PackageId,
    /// From this number on
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    from: u32,
    #[command(flatten)]
    desk: DeskArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `custodian outputs`.
#[derive(Subcommand, Debug)]
pub enum OutputsCommand {
    /// List the outputs that are held back, or were
    List(OutputsList),
    /// Show the files of an output; with --save also put them into a folder
    Show(OutputsShow),
    /// Release an output to the requestor
    Release(Decide),
    /// Refuse an output, for good
    Refuse(Refuse),
}

/// `custodian outputs list`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  medshare custodian outputs list --config node.toml")]
pub struct OutputsList {
    /// Only of this package
    package: Option<PackageId>,
    /// Only those that wait for a decision
    #[arg(long)]
    waiting: bool,
    #[command(flatten)]
    desk: DeskArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which output.
#[derive(Args, Debug)]
struct Which {
    /// The package
    package: PackageId,
    /// The output's number, as `medshare custodian outputs list` says it
    number: u32,
}

/// `custodian outputs show`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare custodian outputs show 0x4be1… 7 --config node.toml
  medshare custodian outputs show 0x4be1… 7 --config node.toml --save look")]
pub struct OutputsShow {
    #[command(flatten)]
    which: Which,
    /// A new folder for the files
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    #[command(flatten)]
    desk: DeskArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `custodian outputs release`.
#[derive(Args, Debug)]
#[command(
    after_help = "It is sealed to the requestor, who fetches it with `medshare outputs fetch`. A decision stands.
Example:
  medshare custodian outputs release 0x4be1… 7 --config node.toml"
)]
pub struct Decide {
    #[command(flatten)]
    which: Which,
    /// A word to the requestor
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    reason: String,
    #[command(flatten)]
    desk: DeskArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `custodian outputs refuse`.
#[derive(Args, Debug)]
#[command(after_help = "A decision stands: the requestor runs the command again.
Example:
  medshare custodian outputs refuse 0x4be1… 7 --reason \"cells of fewer than 10 persons\" --config node.toml")]
pub struct Refuse {
    #[command(flatten)]
    which: Which,
    /// Why, for the requestor
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    desk: DeskArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Findings {
    pub async fn run(self) -> Result<()> {
        let findings = self.desk.open().await?.findings(self.package).await?;
        if self.json {
            let value = findings.iter().map(|found| {
                json!({"package": found.package, "kind": found.kind, "detail": found.detail, "time": found.time})
            });
            return output::json(&value.collect::<Vec<_>>());
        }
        if findings.is_empty() {
            return output::line("no findings");
        }
        for found in findings {
            let at = rfc3339(found.time);
            output::line(format!(
                "{at}  {}  {}: {}",
                found.package, found.kind, found.detail
            ))?;
        }
        Ok(())
    }
}

impl Reports {
    pub async fn run(self) -> Result<()> {
        let desk = self.desk.open().await?;
        let reports = desk.reports(self.package, self.from).await?;
        if self.json {
            return output::json(&reports.iter().map(report_value).collect::<Vec<_>>());
        }
        if reports.is_empty() {
            return output::line("no reports");
        }
        for report in &reports {
            output::line(report_line(report))?;
        }
        Ok(())
    }
}

fn report_value(report: &OpenedReport) -> Value {
    let body = match &report.body {
        Ok(body) => json!({
            "comment": body.comment, "file": body.file, "ranges": body.ranges, "program": body.program,
            "counts": counts(&body.counts), "outputs": body.outputs.iter().map(told_value).collect::<Vec<_>>(),
            "held": body.held,
        }),
        Err(reason) => json!({"unreadable": reason}),
    };
    json!({
        "number": report.number, "actions": report.actions, "violated": report.violated, "time": report.time,
        "received": report.received, "session": report.session, "digest": report.digest, "body": body,
    })
}

fn told_value(told: &Output) -> Value {
    json!({"path": told.path, "size": told.size, "sha256": B256::from(told.sha256), "input_rows": told.input_rows})
}

/// How often each action was done, by its name.
fn counts(counts: &BTreeMap<u8, u64>) -> BTreeMap<&'static str, u64> {
    let six = medshare_protocol::usage::Action::SIX;
    let named = |(bit, count): (&u8, &u64)| Some((six.get(usize::from(*bit))?.name(), *count));
    counts.iter().filter_map(named).collect()
}

/// What a client wrote into a report is shown escaped: it is the requestor's text on the custodian's terminal.
fn report_line(report: &OpenedReport) -> String {
    let violated = match report.violated.is_empty() {
        true => String::new(),
        false => format!(" (violation: {})", report.violated),
    };
    let told = match &report.body {
        Err(reason) => format!("unreadable: {reason}"),
        Ok(body) => {
            let by = body.program.as_ref();
            let by = by
                .map(|program| format!(" by {program:?}"))
                .unwrap_or_default();
            let files = body.outputs.iter().map(|told| {
                format!(
                    "\n      {:?}, {} bytes, {}",
                    told.path,
                    told.size,
                    counted(told.input_rows, "row")
                )
            });
            format!("{:?}{by}{}", body.comment, files.collect::<String>())
        }
    };
    let at = rfc3339(report.time);
    format!(
        "{:>5}  {at}  {}{violated}  {told}",
        report.number, report.actions
    )
}

impl OutputsCommand {
    pub async fn run(self) -> Result<()> {
        match self {
            Self::List(command) => command.run().await,
            Self::Show(command) => command.run().await,
            Self::Release(Decide {
                which,
                reason,
                desk,
                json,
            }) => decide(&which, &desk, true, &reason, json).await,
            Self::Refuse(Refuse {
                which,
                reason,
                desk,
                json,
            }) => decide(&which, &desk, false, &reason, json).await,
        }
    }
}

impl OutputsList {
    async fn run(self) -> Result<()> {
        let mut outputs = self.desk.open().await?.outputs(self.package).await?;
        if self.waiting {
            outputs.retain(|(_, held)| held.decision.is_none());
        }
        if self.json {
            let value = outputs
                .iter()
                .map(|(package, held)| json!({"package": package, "held": held}));
            return output::json(&value.collect::<Vec<_>>());
        }
        if outputs.is_empty() {
            return output::line("no outputs are held back");
        }
        for (package, held) in outputs {
            let at = rfc3339(held.received);
            output::line(format!(
                "{at}  {package} {}  {}",
                held.number,
                standing(&held)
            ))?;
        }
        Ok(())
    }
}

impl OutputsShow {
    async fn run(self) -> Result<()> {
        if let Some(folder) = &self.save {
            not_there(folder)?;
        }
        let desk = self.desk.open().await?;
        let Which { package, number } = self.which;
        let files = desk.files(package, number).await?;
        let reports = desk.reports(package, number).await?;
        let told = reports.first().and_then(|report| report.body.as_ref().ok());
        let told = told.map(|body| body.outputs.as_slice()).unwrap_or_default();
        if let Some(folder) = &self.save {
            let each = files
                .iter()
                .map(|(path, content)| (Path::new(path), content));
            write_folder(folder, each)?;
        }
        if self.json {
            return output::json(&file_values(&files, told));
        }
        for (path, content) in files.iter() {
            let rows = match rows_told(told, path, content) {
                Some(0) => "no rows of the data, as the client says".to_owned(),
                Some(rows) => format!("{} of the data, as the client says", counted(rows, "row")),
                None => "the report does not name it as it is".to_owned(),
            };
            output::line(format!("{path:?}  {} bytes, {rows}", content.len()))?;
        }
        Ok(())
    }
}

fn file_values(files: &OutputFiles, told: &[Output]) -> Vec<Value> {
    let value = |(path, content): (&str, &[u8])| {
        json!({
            "path": path, "size": content.len(), "sha256": sha256(&[content]),
            "input_rows": rows_told(told, path, content),
        })
    };
    files.iter().map(value).collect()
}

/// Rows of the data in a file, as the report that told of the output says; nothing: it does not name this very file.
fn rows_told(told: &[Output], path: &str, content: &[u8]) -> Option<u64> {
    let told = told.iter().find(|told| told.path == path)?;
    (told.sha256 == sha256(&[content]).0).then_some(told.input_rows)
}

async fn decide(
    which: &Which,
    desk: &DeskArgs,
    released: bool,
    reason: &str,
    as_json: bool,
) -> Result<()> {
    let Which { package, number } = *which;
    let signed = desk
        .open()
        .await?
        .decide(package, number, released, reason)
        .await?;
    let done = if released { "released" } else { "refused" };
    let text = format!("the output {number} of {package} is {done}");
    output::either(as_json, &signed, text)
}
