//! Runs `medshare` and waits for it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What it left behind.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program, in `folder`, in an environment that says nothing of this project.
pub fn medshare(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_medshare"));
    command
        .current_dir(folder)
        .env("HOME", folder.join("nobody"));
    for (name, _) in std::env::vars() {
        if name.starts_with("MEDSHARE_") && name != "MEDSHARE_ANVIL" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it to its end.
pub fn run(command: &mut Command, stdin: &str) -> Ran {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it and expects it to succeed; its standard output.
pub fn succeed(command: &mut Command) -> String {
    let ran = run(command, "");
    assert_eq!(ran.status, 0, "{command:?}: {ran:?}");
    ran.stdout
}
