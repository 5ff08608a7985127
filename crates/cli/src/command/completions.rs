//! `medshare completions`: what a shell needs to complete commands and options.

use std::io::Write;

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;

/// Completes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  medshare completions bash > ~/.local/share/bash-completion/completions/medshare
  medshare completions zsh > ~/.zfunc/_medshare
  medshare completions fish > ~/.config/fish/completions/medshare.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "medshare", &mut script);
        std::io::stdout().lock().write_all(&script)?;
        Ok(())
    }
}
