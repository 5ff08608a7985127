//! The inner stage: the first process of the new PID namespace. It gives up everything, runs the command, and when it
//! ends the kernel ends all that is left.

use std::path::Path;
use std::process::{Command, Stdio};

use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, WaitStatus, set_dumpable_behavior,
    set_parent_process_death_signal, setsid, wait,
};

use super::channel::{Channel, Message};
use super::plan::{BASE, OUTPUT, Plan, TEMPORARY, WORK};
use super::refusal::{OrRefuse, Refusal};
use super::{confine, root};
use crate::agent::DATA_FILE;

/// Where programs are looked for.
const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
/// What a shell says for a command that is not there.
const NOT_FOUND: u8 = 127;

/// Gives up, waits for the word, runs.
pub(super) fn run(plan: &str, channel: Channel) -> Result<u8, Refusal> {
    let plan: Plan = serde_json::from_str(plan).or_refuse("the plan cannot be read")?;
    set_parent_process_death_signal(Some(Signal::KILL)).or_refuse("prctl")?;
    // A session of its own has no terminal, so there is nothing to type into (TIOCSTI).
    setsid().or_refuse("no session of its own")?;
    root::enter(&plan.root)?;
    std::env::set_current_dir(WORK).or_refuse(WORK)?;
    // Neither this process's memory nor its descriptors are anybody's inside. (hidepid then hides it as well, but for
    // whoever is in group 0.)
    set_dumpable_behavior(DumpableBehavior::NotDumpable).or_refuse("prctl")?;
    confine::all(&plan)?;
    channel
        .send(&Message::Ready, &[])
        .or_refuse("the agent is gone")?;
    match channel.receive().or_refuse("the agent is gone")? {
        Some((Message::Go, _)) => {}
        _ => return Err(Refusal::new("the agent is gone")),
    }
    // When the agent ends it, or goes, also by kill -9, so does everything here. This thread is as confined as this one.
    std::thread::spawn(move || {
        let _ = channel.receive();
        std::process::exit(1);
    });
    Ok(command(&plan))
}

/// Runs the command with a clear environment. Its input is empty; its output are pipes that end in the output folder.
fn command(plan: &Plan) -> u8 {
    let Some((program, arguments)) = plan.command.split_first() else {
        return NOT_FOUND;
    };
    let started = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", SEARCH)
        .env("LANG", "C.UTF-8")
        .env("HOME", TEMPORARY)
        .env("TMPDIR", TEMPORARY)
        .env(
            "MEDSHARE_DATA",
            Path::new(BASE).join("data").join(DATA_FILE),
        )
        .env("MEDSHARE_OUTPUT", OUTPUT)
        .stdin(Stdio::null())
        .spawn();
    match started {
        Ok(child) => reap(child.id()),
        Err(error) => {
            // Goes where the command's own words go.
            eprintln!("medshare: cannot run {}: {error}", program.display());
            NOT_FOUND
        }
    }
}

/// Waits for the command, and on the way for all whose parents went before them.
fn reap(command: u32) -> u8 {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if is(ended, command) => return code(status),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return 255,
        }
    }
}

fn is(ended: Pid, command: u32) -> bool {
    u32::try_from(ended.as_raw_pid()) == Ok(command)
}

/// As a shell tells it: 128 and the signal where a signal ended it.
fn code(status: WaitStatus) -> u8 {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    let code = status.exit_status().or(signal);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}
