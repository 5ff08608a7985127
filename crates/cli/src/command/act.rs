//! `medshare act`: the six actions on open data, judged and reported (P18).

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use medshare_client::socket::{AgentConnection, Answer, MAX_WRITE_BYTES, Order};
use medshare_protocol::id::PackageId;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::output;
use crate::profile::HomeArgs;

/// Acts.
#[derive(Subcommand, Debug)]
pub enum Act {
    /// Read bytes to standard output
    #[command(after_help = "Example:\n  medshare act read 0x4be1… | head")]
    Read {
        #[command(flatten)]
        on: Place,
        /// First byte
        #[arg(long, default_value_t = 0)]
        offset: u64,
        /// How many bytes [default: up to the end]
        #[arg(long)]
        length: Option<u64>,
    },
    /// Write bytes from standard input
    #[command(after_help = "Example:\n  echo corrected | medshare act write 0x4be1… --offset 0")]
    Write {
        #[command(flatten)]
        on: OpenPackage,
        /// Where
        #[arg(long, default_value_t = 0)]
        offset: u64,
    },
    /// Delete the data and the package file
    #[command(after_help = "Example:\n  medshare act delete 0x4be1…")]
    Delete(OpenPackage),
    /// Make a second file with the data
    #[command(after_help = "Example:\n  medshare act duplicate 0x4be1… second.csv")]
    Duplicate(WithTarget),
    /// Move the data out, and delete the package file
    #[command(after_help = "Example:\n  medshare act move 0x4be1… elsewhere.csv")]
    Move(WithTarget),
    /// Copy the data out
    #[command(after_help = "Example:\n  medshare act copy 0x4be1… copy.csv")]
    Copy(WithTarget),
    /// Say how things stand: rules, lease, reports
    #[command(after_help = "Example:\n  medshare act status 0x4be1…")]
    Status(OpenPackage),
    /// Close the data
    #[command(after_help = "Example:\n  medshare act close 0x4be1…")]
    Close(OpenPackage),
}

/// A package that `medshare open` has open.
#[derive(Args, Debug)]
pub struct Place {
    /// The package
    package: PackageId,
    #[command(flatten)]
    home: HomeArgs,
}

/// … and how to say what was done.
#[derive(Args, Debug)]
pub struct OpenPackage {
    #[command(flatten)]
    place: Place,
    /// Print JSON, as `status` does in any case
    #[arg(long)]
    json: bool,
}

/// … and a file that does not exist yet.
#[derive(Args, Debug)]
pub struct WithTarget {
    #[command(flatten)]
    on: OpenPackage,
    /// The file; must not exist
    to: PathBuf,
}

impl Act {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Read { on, offset, length } => {
                let (answer, bytes) = on.order(&Order::Read { offset, length }).await?;
                check(answer)?;
                std::io::stdout().lock().write_all(&bytes)?;
                Ok(())
            }
            Self::Write { on, offset } => {
                let bytes = read_stdin()?;
                let answer = on.place.connect().await?.write(offset, &bytes).await?;
                on.done("written", answer)
            }
            Self::Delete(on) => on.done("deleted", on.place.order(&Order::Delete).await?.0),
            Self::Duplicate(with) => {
                let order = Order::Duplicate {
                    to: absolute(&with.to)?,
                };
                with.on
                    .done("duplicated", with.on.place.order(&order).await?.0)
            }
            Self::Move(with) => {
                let order = Order::Move {
                    to: absolute(&with.to)?,
                };
                with.on.done("moved", with.on.place.order(&order).await?.0)
            }
            Self::Copy(with) => {
                let order = Order::Copy {
                    to: absolute(&with.to)?,
                };
                with.on.done("copied", with.on.place.order(&order).await?.0)
            }
            Self::Status(on) => status(on.place.order(&Order::Status).await?.0),
            Self::Close(on) => {
                on.place.order(&Order::Close).await?;
                output::either(on.json, &Done::of("closed", None), "closed")
            }
        }
    }
}

impl Place {
    async fn connect(&self) -> Result<AgentConnection> {
        let socket = self.home.purse()?.socket(self.package)?;
        Ok(AgentConnection::open(&socket).await?)
    }

    async fn order(&self, order: &Order) -> Result<(Answer, Zeroizing<Vec<u8>>)> {
        Ok(self.connect().await?.order(order).await?)
    }
}

impl OpenPackage {
    fn done(&self, what: &'static str, answer: Answer) -> Result<()> {
        let done = Done::of(what, check(answer)?);
        let text = match done.report {
            Some(number) => format!("{what} (report {number})"),
            None => format!("{what} (exempt from reports)"),
        };
        output::either(self.json, &done, text)
    }
}

/// What was done, for programs.
#[derive(Serialize)]
struct Done {
    done: &'static str,
    /// Number of its report; nothing where the usage contract wants none.
    report: Option<u32>,
}

impl Done {
    const fn of(done: &'static str, report: Option<u32>) -> Self {
        Self { done, report }
    }
}

fn check(answer: Answer) -> Result<Option<u32>> {
    match answer {
        Answer::Done { receipt, .. } => Ok(receipt),
        Answer::Failed { reason } => bail!("{reason}"),
        Answer::Locked { lock } => Err(lock.into()),
        Answer::Status(_) => bail!("the agent answered another question: is it of this version?"),
    }
}

fn status(answer: Answer) -> Result<()> {
    match answer {
        Answer::Status(status) => output::json(&status),
        other => check(other).map(|_| ()),
    }
}

/// The agent has another working directory.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is no usable path", path.display()))
}

fn read_stdin() -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::io::stdin()
        .lock()
        .take(MAX_WRITE_BYTES + 1)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    Ok(bytes)
}
