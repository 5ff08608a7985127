//! What the inner stage gives up, for itself and all that it starts: resources, capabilities, paths, system calls.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

use super::plan::{BASE, Limits, OUTPUT, Plan, TEMPORARY, WORK};
use super::refusal::{OrRefuse, Refusal};
use super::{calls, root};

/// Landlock with scopes for signals and abstract sockets (Linux 6.12). Below it nothing is run.
const LANDLOCK: ABI = ABI::V6;

/// In this order: what comes later is allowed to take away what comes before, never the other way round.
pub(super) fn all(plan: &Plan) -> Result<(), Refusal> {
    resources(&plan.limits).or_refuse("the resource limits cannot be set")?;
    capabilities().or_refuse("the capabilities cannot be dropped")?;
    paths(&plan.show).or_refuse(
        "this kernel does not confine programs as needed (Landlock 6: Linux 6.12 or newer, with landlock among the LSMs that it was started with)",
    )?;
    calls::deny().or_refuse("the system calls cannot be filtered (seccomp)")
}

fn resources(limits: &Limits) -> Result<(), Errno> {
    for (resource, limit) in [
        (Resource::As, limits.memory),
        (Resource::Cpu, limits.seconds),
        (Resource::Nproc, limits.processes),
        (Resource::Nofile, limits.files),
        (Resource::Fsize, limits.file_size),
        // A core dump would be written to whatever folder the kernel is told of.
        (Resource::Core, 0),
        // POSIX message queues and locked memory: nothing needs them here.
        (Resource::Msgqueue, 0),
    ] {
        let limit = Some(limit);
        setrlimit(
            resource,
            Rlimit {
                current: limit,
                maximum: limit,
            },
        )?;
    }
    Ok(())
}

/// All of them, and for good: with no_new_privs no program file gives one back, not even to the id 0.
fn capabilities() -> Result<(), Errno> {
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        match remove_capability_from_bounding_set(one) {
            // This kernel knows no such capability.
            Err(Errno::INVAL) => {}
            dropped => dropped?,
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    set_no_new_privs(true)
}

/// By path, whatever the modes say: writing in the output and among the temporary files only. No TCP, and neither
/// signals nor abstract sockets to the outside. Of rules that the kernel lacks, all are required.
fn paths(show: &[PathBuf]) -> Result<(), RulesetError> {
    let all = AccessFs::from_all(LANDLOCK);
    let read = AccessFs::from_read(LANDLOCK);
    let kinds = AccessFs::MakeChar
        | AccessFs::MakeBlock
        | AccessFs::MakeFifo
        | AccessFs::MakeSock
        | AccessFs::MakeSym
        | AccessFs::IoctlDev;
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(all)?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(root::shown(), read))?
        .add_rules(path_beneath_rules([BASE, WORK, "/proc"], read))?
        .add_rules(path_beneath_rules(show, read))?
        .add_rules(path_beneath_rules([OUTPUT, TEMPORARY], all & !kinds))?
        .add_rules(path_beneath_rules(root::DEVICES, device))?
        .restrict_self()
        .map(drop)
}
