//! After the command: what it wrote is looked through, judged, reported, and goes where it may go.

use anyhow::{Context, Result, bail};
use medshare_client::agent::Agent;
use medshare_client::api::NodeApi;
use medshare_client::outputs::{self, GivenAway};
use medshare_client::purse::PackageFolder;
use medshare_client::sandbox::{self, Fate, Listed, Output, Sealed, judge};
use medshare_protocol::id::PackageId;
use medshare_protocol::output::MAX_SEALED_OUTPUT_BYTES;
use serde_json::json;

use super::Run;
use crate::output::{self, Passed, Progress, counted};

/// Files with rows that are named one by one.
const MAX_NAMED: usize = 10;

impl Run {
    /// Lists, judges, reports; hands out what may go, gives away what is held back, and passes on the command's exit code.
    pub(super) async fn finish(
        &self,
        agents: &[Agent],
        output: Output,
        code: u8,
        away: Option<&Away<'_>>,
    ) -> Result<()> {
        let (output, files) = listed(output, agents).await?;
        let Ok(sealed) = away
            .map(|away| output.seal(&files, &agents[away.place]))
            .transpose()
        else {
            // Why exactly is told to the custodian alone: names and sizes are the command's.
            self.judged(agents, &files, |_| Fate::Lost).await?;
            bail!(
                "the output cannot be held back, and is gone: it is longer than {} MiB, or a file has a name that is no UTF-8",
                MAX_SEALED_OUTPUT_BYTES >> 20
            );
        };
        // Of what is held back nothing is told, not even that it was too much.
        if away.is_none() {
            if output.is_cut() {
                output::note("the output is full: what the command printed is cut");
            }
            self.say(&files)?;
        }
        let fate = |agent: &Agent| match &sealed {
            _ if self.check => Fate::CheckedOnly,
            Some(sealed) if agent.usage().environment.holds_outputs() => {
                Fate::HeldBack(sealed.hash)
            }
            _ => Fate::HandedOut,
        };
        let reports = self.judged(agents, &files, fate).await?;
        let mut ended = Ended {
            files: &files,
            reports: &reports,
            code,
            held: None,
            cut: output.is_cut(),
        };
        match (away, sealed) {
            (Some(away), Some(sealed)) => {
                ended.held = away
                    .give(&agents[away.place], reports[away.place], &sealed)
                    .await?;
            }
            _ if !self.check => output.hand_out(&files, &self.output)?,
            _ => {}
        }
        self.tell(&ended)?;
        match code {
            0 => Ok(()),
            code => Err(Passed(code).into()),
        }
    }

    /// Each package's usage contract judges the output.
    async fn judged(
        &self,
        agents: &[Agent],
        files: &[Listed],
        fate: impl Fn(&Agent) -> Fate,
    ) -> Result<Vec<Option<u32>>> {
        let program = sandbox::program(&self.command);
        let mut reports = Vec::new();
        for (place, agent) in agents.iter().enumerate() {
            let judged = judge(agent, place, files, &program, fate(agent)).await;
            reports.push(judged.context("the output is not handed out")?);
        }
        Ok(reports)
    }

    /// Names the files with rows, whatever becomes of them.
    fn say(&self, files: &[Listed]) -> Result<()> {
        let with_rows: Vec<_> = files.iter().filter(|file| file.has_rows()).collect();
        for file in with_rows.iter().take(MAX_NAMED) {
            let rows = counted(file.rows.iter().sum(), "line");
            // Escaped: the name is the command's, and the terminal is not.
            output::note(format!("{:?} holds rows of the data: {rows}", file.path));
        }
        if with_rows.len() > MAX_NAMED {
            output::note(format!("and {} files more", with_rows.len() - MAX_NAMED));
        }
        Ok(())
    }

    fn tell(&self, ended: &Ended<'_>) -> Result<()> {
        let files = ended.files;
        let size: u64 = files.iter().map(|file| file.size).sum();
        let counted = format!("{}, {size} bytes", counted(files.len() as u64, "file"));
        // What was only checked has not left, and of what is held back not even how much it is is told.
        let place = match ended.held {
            _ if self.check => format!("{counted}, checked, and not handed out"),
            Some((package, number)) => format!(
                "the output is held back for the custodian's release: `medshare outputs fetch {package} {number}`"
            ),
            None => format!("{counted}, in {}", self.output.display()),
        };
        let with_rows = files.iter().filter(|file| file.has_rows()).count();
        let listed = ended.held.is_none().then_some(files);
        let value = json!({
            "packages": self.all(),
            "exit_code": ended.code,
            "output": listed.filter(|_| !self.check).map(|_| &self.output),
            "held": ended.held.map(|(package, number)| json!({"package": package, "number": number})),
            "files": listed,
            "files_with_rows": ended.held.is_none().then_some(with_rows),
            "cut": ended.held.is_none().then_some(ended.cut),
            "reports": ended.reports,
        });
        let text = format!("the command ended with {}; {place}", ended.code);
        output::either(self.json, &value, text)
    }
}

/// What is told in the end.
struct Ended<'a> {
    files: &'a [Listed],
    reports: &'a [Option<u32>],
    code: u8,
    /// Whether what the command printed had no room.
    cut: bool,
    /// Of an output that is held back: by which package, and the number of the report that tells of it.
    held: Option<(PackageId, u32)>,
}

/// Where an output that is held back goes.
pub(super) struct Away<'a> {
    /// Of the package that holds it back, in the order of the plan.
    pub(super) place: usize,
    pub(super) folder: &'a PackageFolder,
    pub(super) node: &'a NodeApi,
}

impl Away<'_> {
    /// Kept here, sealed, until the node has it.
    async fn give(
        &self,
        agent: &Agent,
        report: Option<u32>,
        sealed: &Sealed,
    ) -> Result<Option<(PackageId, u32)>> {
        let Some(number) = report else {
            return Ok(None);
        };
        let header = agent.header();
        let known = GivenAway {
            number,
            output: sealed.hash,
            node: header.node,
            chain_id: header.chain_id,
            contract: header.contract,
        };
        outputs::keep(self.folder, &known, &sealed.bytes)?;
        let mut progress = Progress::of_steps();
        let sending = outputs::send(self.node, self.folder, number);
        if let Err(error) = progress
            .until("giving the output to the custodian", sending)
            .await
        {
            output::note(format!(
                "the output waits here, sealed, and is not with the custodian yet ({error}): `medshare outputs send {}`",
                self.folder.id()
            ));
        }
        Ok(Some((self.folder.id(), number)))
    }
}

/// Looking through the output takes as long as reading all data once.
async fn listed(output: Output, agents: &[Agent]) -> Result<(Output, Vec<Listed>)> {
    let agents = agents.to_vec();
    let mut progress = Progress::of_steps();
    let listing = tokio::task::spawn_blocking(move || {
        let files = output.list(&agents);
        (output, files)
    });
    let (output, files) = progress
        .until("looking through the output", listing)
        .await?;
    Ok((output, files.context("the output is not handed out")?))
}
