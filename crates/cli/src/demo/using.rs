//! Opening, reading, a violation, the review, and the return.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use medshare_client::agent::{Agent, AgentError, Deed, Lock};
use medshare_client::opening::{self, OpenError, Opening};
use medshare_client::returning::return_package;
use medshare_protocol::block::SideBlock;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::{Action, Environment, State};

use super::{Stage, Story, blocks};
use crate::command::custodian::review;

/// Opens, reads, tries to copy, is re-granted, gives back.
pub async fn use_it(
    story: &mut Story,
    stage: &Stage,
    package: PackageId,
    file: &Path,
) -> Result<()> {
    let title = "opens it: the report comes first, the key second";
    let agent = story
        .step(title, "P10 P17 P21", open(stage, package, file))
        .await?;
    story
        .step(
            "reads, and the reading is recorded",
            "P18",
            read(stage, package, &agent),
        )
        .await?;
    let title = "tries to copy: revoked on chain, locked here";
    story
        .step(title, "P6 P7 P19", violate(stage, package, agent))
        .await?;
    story
        .step(
            "the custodian reviews and grants again",
            "P19",
            regrant(stage, package, file),
        )
        .await?;
    story
        .step(
            "gives the data back; the custodian takes it",
            "P19",
            give_back(stage, package, file),
        )
        .await
}

/// How this program opens the package at `file`; every person has a journal of her own.
pub fn how_to_open(file: &Path, person: &str) -> Opening {
    Opening {
        container: file.to_owned(),
        journal: file.with_file_name(format!("{person}.journal")),
        environment: Environment::Any,
        patience: Duration::from_secs(5),
    }
}

async fn open(stage: &Stage, package: PackageId, file: &Path) -> Result<(Agent, String)> {
    let agent = opening::open(&stage.alice, &how_to_open(file, "alice")).await?;
    let side = newest(stage, package).await?;
    let reported = side.body.transaction.reported;
    ensure!(
        reported.contains(Action::Decrypt),
        "the node recorded {reported}"
    );
    let seen = format!(
        "side-block {}: {reported}; lease {} s",
        side.body.transaction.number,
        agent.lease_left().as_secs()
    );
    Ok((agent, seen))
}

async fn read(stage: &Stage, package: PackageId, agent: &Agent) -> Result<((), String)> {
    let text = read_all(agent).await?;
    let header = text.lines().next().context("the data is empty")?;
    let columns: Vec<&str> = header.split(',').collect();
    let descriptor = &stage.network.custodians[0].dataset.descriptor;
    let mut identifiers = descriptor
        .columns
        .iter()
        .filter(|column| column.role == "identifier");
    let leaked = identifiers.find(|column| columns.contains(&column.name.as_str()));
    ensure!(
        leaked.is_none(),
        "the release has the identifier {leaked:?}"
    );
    let side = newest(stage, package).await?;
    ensure!(
        side.body.transaction.reported.contains(Action::Read),
        "the node recorded no read"
    );
    let seen = format!(
        "{} rows, {} columns, no identifier; side-block {}: {}",
        text.lines().count() - 1,
        columns.len(),
        side.body.transaction.number,
        side.body.transaction.reported
    );
    Ok(((), seen))
}

/// Ends the agent: what follows opens anew.
async fn violate(stage: &Stage, package: PackageId, agent: Agent) -> Result<((), String)> {
    let to = stage.network.folder.join("alice").join("stolen.csv");
    let refused = agent
        .act(Deed::Copy { to: to.clone() }, Some("cp".to_owned()))
        .await;
    let Err(AgentError::Locked(Lock::Violation(Action::Copy))) = refused else {
        bail!("the copy ended with {refused:?}");
    };
    agent.told().await;
    ensure!(!to.exists(), "a copy was written to {}", to.display());
    let again = agent
        .act(
            Deed::Read {
                offset: 0,
                length: Some(1),
            },
            None,
        )
        .await;
    ensure!(again.is_err(), "the data can still be read");
    let chain = &stage.network.governance;
    expect_state(stage, package, State::Revoked).await?;
    let accepted = review::violations(chain, None).await?;
    ensure!(
        accepted.len() == 1,
        "the contract accepted {} violations",
        accepted.len()
    );
    let side = newest(stage, package).await?;
    ensure!(
        side.body.transaction.violated.contains(Action::Copy),
        "the node recorded no violation"
    );
    Ok((
        (),
        format!(
            "state Revoked, side-block {}: {} violated; reading again is refused",
            side.body.transaction.number, side.body.transaction.violated
        ),
    ))
}

async fn regrant(stage: &Stage, package: PackageId, file: &Path) -> Result<((), String)> {
    expect_closed(stage, file, &Lock::Revoked).await?;
    let receipt = stage.network.custodians[0].chain.regrant(package).await?;
    expect_state(stage, package, State::Active).await?;
    let agent = opening::open(&stage.alice, &how_to_open(file, "alice")).await?;
    let text = read_all(&agent).await?;
    agent.close();
    Ok((
        (),
        format!(
            "refused before, state Active after transaction {:?}; {} rows read again",
            receipt.hash,
            text.lines().count() - 1
        ),
    ))
}

async fn give_back(stage: &Stage, package: PackageId, file: &Path) -> Result<((), String)> {
    let kept: PathBuf = file.with_extension("kept");
    std::fs::copy(file, &kept)?;
    return_package(
        &stage.alice,
        package,
        file,
        &how_to_open(file, "alice").journal,
    )
    .await?;
    ensure!(!file.exists(), "{} is still there", file.display());
    let deletion = stage.alice.node.deletion(package).await?;
    let owner = &stage.network.custodians[0].chain;
    let receipt = owner
        .retrieve(package, deletion.deletion.time, &deletion.signature)
        .await?;
    expect_state(stage, package, State::Retrieved).await?;
    expect_closed(stage, &kept, &Lock::Retrieved).await?;
    Ok((
        (),
        format!(
            "state Retrieved by transaction {:?}; a kept copy does not open any more",
            receipt.hash
        ),
    ))
}

/// Opening must be refused, and for this very reason.
async fn expect_closed(stage: &Stage, file: &Path, expected: &Lock) -> Result<()> {
    match opening::open(&stage.alice, &how_to_open(file, "alice")).await {
        Err(OpenError::Closed(lock)) if lock == *expected => Ok(()),
        Err(error) => Err(error).context(format!("refused, but not because of {expected:?}")),
        Ok(_) => bail!("the package was opened, although {expected:?}"),
    }
}

async fn read_all(agent: &Agent) -> Result<String> {
    let outcome = agent
        .act(
            Deed::Read {
                offset: 0,
                length: None,
            },
            Some("medshare demo".to_owned()),
        )
        .await?;
    let bytes = outcome.bytes.context("reading gave no bytes")?;
    Ok(String::from_utf8(bytes.to_vec())?)
}

async fn expect_state(stage: &Stage, package: PackageId, expected: State) -> Result<()> {
    let state = stage.network.governance.package(package).await?.state;
    ensure!(
        state == expected,
        "the contract says {state:?}, not {expected:?}"
    );
    Ok(())
}

/// The side-block of the last report.
async fn newest(stage: &Stage, package: PackageId) -> Result<SideBlock> {
    let blocks = blocks::anchored(stage, package).await?;
    let stored = blocks.sides.last().context("no report was recorded")?;
    Ok(SideBlock::from_bytes(&stored.record)?)
}
