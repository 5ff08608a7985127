//! `medshare verify`: evidence, or a single proof, checked with nothing but the file (P23, P26).

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use anyhow::{Context, Result, bail};
use clap::Args;
use medshare_client::evidence::{Assumption, Evidence, Flaw, Verdict, verify, verify_container};
use medshare_client::proof::Proof;
use medshare_protocol::usage::State;
use serde::Serialize;

use crate::output;

/// What a zip file begins with.
const ZIP: [u8; 2] = *b"PK";
/// No proof is longer.
const MAX_PROOF_BYTES: u64 = 16 * 1024 * 1024;

/// Verifies.
#[derive(Args, Debug)]
#[command(
    after_help = "Takes a bundle of `medshare evidence`, or a proof of `medshare ledger prove`. Prints what is proven, by which part, and on
what it rests. Exit status 1 when anything is wrong: then nothing in the file should be relied on.
Examples:
  medshare verify evidence.zip
  medshare verify evidence.zip --evm-block 0x8d2f…   # the hash of that EVM block, from a source that you trust
  medshare verify evidence.zip --container data.mds  # whether this file is the package in question"
)]
pub struct Verify {
    /// The bundle or proof
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The EVM block's hash as you know it to be: anything that stands on another is refused
    #[arg(long, value_name = "HASH")]
    evm_block: Option<B256>,
    /// A package's file, to be compared with the bundle's package
    #[arg(long, value_name = "FILE")]
    container: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    sound: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
    rests_on: Vec<Rest>,
}

#[derive(Serialize)]
struct Rest {
    assumption: Assumption,
    text: String,
}

impl Verify {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let unreadable = || format!("cannot read {}", self.file.display());
        let mut file = BufReader::new(File::open(&self.file).with_context(unreadable)?);
        let mut beginning = [0; ZIP.len()];
        let is_zip = file.read_exact(&mut beginning).is_ok() && beginning == ZIP;
        file.rewind().with_context(unreadable)?;
        if is_zip {
            let evidence = Evidence::read(file).with_context(|| self.file.display().to_string())?;
            self.evidence(&evidence)
        } else {
            self.proof(file)
        }
    }

    fn evidence(&self, evidence: &Evidence) -> Result<()> {
        let mut verdict = verify(evidence);
        if let Some(path) = &self.container {
            let unreadable = || format!("cannot read {}", path.display());
            let file = File::open(path).with_context(unreadable)?;
            match verify_container(evidence, file).with_context(unreadable)? {
                Ok(claim) => verdict.proven.push(claim),
                Err(flaw) => verdict.flaws.push(flaw),
            }
        }
        let found = verdict.evm_block.map(|block| block.hash);
        if let Some(known) = self.evm_block.filter(|known| Some(*known) != found) {
            verdict.flaws.push(other_block(known, found));
        }
        self.tell(&verdict)?;
        match verdict.flaws.len() as u64 {
            0 => Ok(()),
            count => bail!(
                "{} is wrong in {}, listed above: rely on nothing in it",
                self.file.display(),
                output::counted(count, "place")
            ),
        }
    }

    fn tell(&self, verdict: &Verdict) -> Result<()> {
        let mut rests_on = verdict.rests_on();
        if self.evm_block.is_some() {
            rests_on.remove(&Assumption::EvmBlock);
        }
        if self.json {
            let rests_on = rests_on
                .into_iter()
                .map(|assumption| Rest {
                    assumption,
                    text: assumption.to_string(),
                })
                .collect();
            return output::json(&Told {
                sound: verdict.is_sound(),
                verdict,
                rests_on,
            });
        }
        let subject = verdict.subject;
        output::line(format!("package {}", subject.package))?;
        output::line(format!(
            "contract {} on chain {}",
            subject.contract, subject.chain_id
        ))?;
        if let Some(block) = verdict.evm_block {
            output::line(format!("EVM block {}, hash {}", block.number, block.hash))?;
        }
        output::line("\nproven")?;
        let mark = |assumption: &Assumption| rests_on.iter().position(|known| known == assumption);
        for claim in &verdict.proven {
            let marks: Vec<_> = claim.rests_on.iter().filter_map(mark).collect();
            let marks: Vec<_> = marks.iter().map(|index| (index + 1).to_string()).collect();
            output::line(format!(
                "  {} [{}] ({})",
                claim.what,
                marks.join(" "),
                claim.part
            ))?;
        }
        output::line("\nif")?;
        for (number, assumption) in (1..).zip(&rests_on) {
            output::line(format!("  [{number}] {assumption}"))?;
        }
        for flaw in &verdict.flaws {
            output::line(format!("\nWRONG {}: {}", flaw.part, flaw.what))?;
        }
        Ok(())
    }

    fn proof(&self, file: impl Read) -> Result<()> {
        let mut text = Vec::new();
        file.take(MAX_PROOF_BYTES + 1)
            .read_to_end(&mut text)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        if text.len() as u64 > MAX_PROOF_BYTES {
            bail!("{} is longer than any proof", self.file.display());
        }
        let proof = Proof::from_json(&text).with_context(|| not_ours(&self.file))?;
        if self.container.is_some() {
            bail!("--container goes with a bundle of `medshare evidence`, not with a single proof");
        }
        if self.evm_block.is_some() && !matches!(proof, Proof::State(_)) {
            bail!(
                "--evm-block goes with evidence or a proof of a package's state: this proof stands on a chain's head, not on an EVM block"
            );
        }
        let said = self.said(&proof)?;
        output::either(self.json, &said, &said.text)
    }

    /// What a proof proves by itself.
    fn said(&self, proof: &Proof) -> Result<Said> {
        let text = match proof {
            Proof::Inclusion(proof) => {
                let head = proof.end.head();
                proof.check(head)?;
                format!(
                    "proven: the block {} is number {} of {} in the {}\n  if {head} is that chain's head at some time: compare it with the contract",
                    proof.leaf,
                    proof.index,
                    output::counted(proof.end.size, "block"),
                    proof.chain,
                )
            }
            Proof::Growth(proof) => {
                let (old, new) = (proof.old.head(), proof.new.head());
                proof.check(old, new)?;
                format!(
                    "proven: the {} grew from {} with the head {old} to {} with the head {new}\n  if both were its heads at some time: compare them with the contract, and with what you noted",
                    proof.chain,
                    output::counted(proof.old.size, "block"),
                    proof.new.size,
                )
            }
            Proof::State(proof) => {
                let proven = proof.contract.verify()?;
                if let Some(known) = self.evm_block.filter(|known| *known != proven.block.hash) {
                    bail!(other_block(known, Some(proven.block.hash)).what);
                }
                let status = proven.package(proof.package)?;
                let held = match status.state {
                    State::None => format!("did not have the package {}", proof.package),
                    state => format!("held the package {} as {state:?}", proof.package),
                };
                format!(
                    "proven: the contract {} {held} in the EVM block {} with the hash {}\n  if that block is real: compare the hash with a source that you trust",
                    proven.contract, proven.block.number, proven.block.hash,
                )
            }
        };
        Ok(Said { sound: true, text })
    }
}

#[derive(Serialize)]
struct Said {
    sound: bool,
    text: String,
}

fn other_block(known: B256, found: Option<B256>) -> Flaw {
    let found = found.map_or("none".to_owned(), |hash| hash.to_string());
    Flaw {
        part: "contract.json",
        what: format!("it stands on the EVM block {found}, not on {known}"),
    }
}

fn not_ours(path: &Path) -> String {
    format!(
        "{} is neither a bundle of `medshare evidence` nor a proof of `medshare ledger prove`",
        path.display()
    )
}
