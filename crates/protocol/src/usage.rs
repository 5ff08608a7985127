//! The usage contract: the finite state machine that travels with the data (P6, P14, P18).
//!
//! The same rules run on chain (`Judge.sol`, `Packages.sol`); one vector file, `test/vectors/judge.json`, holds both
//! to the same answers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What can be done to data. The first six are the paper's; `Decrypt` opens it, `Tampering` is done to the reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Action {
    /// Reads the data.
    Read = 0,
    /// Changes the data.
    Write = 1,
    /// Deletes the data.
    Delete = 2,
    /// Makes a second one beside the data.
    Duplicate = 3,
    /// Moves the data elsewhere.
    Move = 4,
    /// Copies the data out.
    Copy = 5,
    /// Opens the package: always permitted, always reported (P17).
    Decrypt = 6,
    /// Contradicting or forged reports: always a violation.
    Tampering = 7,
}

impl Action {
    /// The paper's six, in the order of their bits.
    pub const SIX: [Self; 6] = [
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::Duplicate,
        Self::Move,
        Self::Copy,
    ];
    /// All eight, in the order of their bits.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::Duplicate,
        Self::Move,
        Self::Copy,
        Self::Decrypt,
        Self::Tampering,
    ];

    /// Its name in lower case, as the command line and JSON have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Duplicate => "duplicate",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Decrypt => "decrypt",
            Self::Tampering => "tampering",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the actions'.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no action; the actions are read, write, delete, duplicate, move and copy")]
pub struct UnknownAction(pub String);

impl FromStr for Action {
    type Err = UnknownAction;
    fn from_str(name: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .into_iter()
            .find(|action| action.name() == name)
            .ok_or_else(|| UnknownAction(name.to_owned()))
    }
}

/// A set of actions, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Actions(pub u8);

impl Actions {
    /// No action.
    pub const NONE: Self = Self(0);
    /// The paper's six: the bits that grants and exemptions may use.
    pub const SIX: Self = Self(0x3f);

    /// Whether `action` is in the set.
    #[must_use]
    pub const fn contains(self, action: Action) -> bool {
        self.0 >> (action as u8) & 1 == 1
    }

    /// The set with `action`.
    #[must_use]
    pub const fn with(self, action: Action) -> Self {
        Self(self.0 | 1 << (action as u8))
    }

    /// Its members, in the order of their bits.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL
            .into_iter()
            .filter(move |action| self.contains(*action))
    }

    /// How many members it has.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        actions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (position, action) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            f.write_str(action.name())?;
        }
        Ok(())
    }
}

impl Serialize for Actions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A vector has a length, which formats other than JSON want to know first.
        serializer.collect_seq(self.iter().collect::<Vec<_>>())
    }
}

impl<'de> Deserialize<'de> for Actions {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Action>::deserialize(deserializer).map(|actions| actions.into_iter().collect())
    }
}

/// How identifying a payload is (P12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Sensitivity {
    /// Exempted actions are ignored.
    Low = 0,
    /// Every action is reported; nothing is exempted.
    High = 1,
}

/// Where a package may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Environment {
    /// Anywhere.
    Any = 0,
    /// Only in the sandbox of `medshare run`.
    Sandbox = 1,
    /// Only there, and what a command writes is held back until the custodian releases it.
    SandboxHeld = 2,
}

impl Environment {
    /// Whether outputs are held back for the custodian's release.
    #[must_use]
    pub const fn holds_outputs(self) -> bool {
        matches!(self, Self::SandboxHeld)
    }
}

/// The usage contract's answer to an action (Algorithm 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Carried out and reported.
    Permitted,
    /// Carried out, not reported.
    Ignored,
    /// Refused, reported, access revoked.
    Violation,
}

/// Algorithm 1, as `docs/paper-map.md` reads it: low and exempted → ignored; granted → permitted; all else is a
/// violation. High sensitivity knows no exemptions.
#[must_use]
pub const fn judge(
    sensitivity: Sensitivity,
    granted: Actions,
    exempt: Actions,
    action: Action,
) -> Verdict {
    match (action, sensitivity) {
        (Action::Decrypt, _) => Verdict::Permitted,
        (Action::Tampering, _) => Verdict::Violation,
        (_, Sensitivity::Low) if exempt.contains(action) => Verdict::Ignored,
        _ if granted.contains(action) => Verdict::Permitted,
        _ => Verdict::Violation,
    }
}

/// The rules that travel with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageContract {
    /// How identifying the payload is.
    pub sensitivity: Sensitivity,
    /// Actions that are permitted.
    pub granted: Actions,
    /// Actions that are not reported when sensitivity is low.
    pub exempt: Actions,
    /// Where the package may be opened.
    pub environment: Environment,
    /// When it ends, ms since the Unix epoch.
    pub expiry: u64,
    /// X25519 public key that reports are sealed to (P10).
    pub contract_key: alloy_primitives::B256,
}

impl UsageContract {
    /// The answer to `action`.
    #[must_use]
    pub const fn judge(&self, action: Action) -> Verdict {
        judge(self.sensitivity, self.granted, self.exempt, action)
    }

    /// Which of `actions` are violations.
    #[must_use]
    pub fn violations(&self, actions: Actions) -> Actions {
        actions
            .iter()
            .filter(|action| self.judge(*action) == Verdict::Violation)
            .collect()
    }

    /// The parent block's action counter: how many of the six would be violations (P20).
    #[must_use]
    pub fn violation_count(&self) -> u32 {
        self.violations(Actions::SIX).count()
    }

    /// The form in which it is signed and registered on chain.
    #[must_use]
    pub fn typed(&self) -> crate::typed::Usage {
        crate::typed::Usage {
            sensitivity: self.sensitivity as u8,
            granted: self.granted.0,
            exempt: self.exempt.0,
            environment: self.environment as u8,
            expiry: self.expiry,
            contractKey: self.contract_key,
        }
    }

    /// Back from the signed form; nothing when a field has a value that the contract refuses.
    #[must_use]
    pub fn from_typed(usage: &crate::typed::Usage) -> Option<Self> {
        let sensitivity = match usage.sensitivity {
            0 => Sensitivity::Low,
            1 => Sensitivity::High,
            _ => return None,
        };
        let environment = match usage.environment {
            0 => Environment::Any,
            1 => Environment::Sandbox,
            2 => Environment::SandboxHeld,
            _ => return None,
        };
        if (usage.granted | usage.exempt) & !Actions::SIX.0 != 0 {
            return None;
        }
        Some(Self {
            sensitivity,
            granted: Actions(usage.granted),
            exempt: Actions(usage.exempt),
            environment,
            expiry: usage.expiry,
            contract_key: usage.contractKey,
        })
    }
}

/// State of a package (Figure 2). `Retrieved` and `Expired` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum State {
    /// The contract knows no such package.
    None = 0,
    /// Issued, not opened.
    Issued = 1,
    /// Opened.
    Active = 2,
    /// Access taken away, pending review.
    Revoked = 3,
    /// Taken back by the owner.
    Retrieved = 4,
    /// Its time is over.
    Expired = 5,
}

impl State {
    /// Whether data may be opened and used.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Issued | Self::Active)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        answers: String,
    }

    /// All 65,536 inputs, from the generator that shares no code with this crate.
    #[test]
    fn judge_answers_every_vector() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/vectors/judge.json");
        let vectors: Vectors =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let mut answers = vectors.answers.bytes();
        for sensitivity in [Sensitivity::Low, Sensitivity::High] {
            for granted in 0..64 {
                for exempt in 0..64 {
                    for action in Action::ALL {
                        let verdict = judge(sensitivity, Actions(granted), Actions(exempt), action);
                        let expected = match answers.next().unwrap() {
                            b'P' => Verdict::Permitted,
                            b'I' => Verdict::Ignored,
                            b'V' => Verdict::Violation,
                            other => panic!("vector has {other}"),
                        };
                        assert_eq!(
                            verdict, expected,
                            "{sensitivity:?} granted {granted} exempt {exempt} {action}"
                        );
                    }
                }
            }
        }
        assert_eq!(answers.next(), None);
    }

    #[test]
    fn actions_survive_json_and_their_names() {
        let actions: Actions = [Action::Read, Action::Copy].into_iter().collect();
        let json = serde_json::to_string(&actions).unwrap();
        assert_eq!(json, r#"["read","copy"]"#);
        assert_eq!(serde_json::from_str::<Actions>(&json).unwrap(), actions);
        assert_eq!("move".parse(), Ok(Action::Move));
        assert_eq!("fly".parse::<Action>(), Err(UnknownAction("fly".into())));
    }

    #[test]
    fn what_the_contract_refuses_is_no_usage_contract() {
        let good = crate::typed::Usage {
            sensitivity: 1,
            granted: 1,
            exempt: 0,
            environment: 0,
            expiry: 9,
            contractKey: alloy_primitives::B256::repeat_byte(1),
        };
        let contract = UsageContract::from_typed(&good).unwrap();
        assert_eq!(contract.typed(), good);
        assert_eq!(contract.violation_count(), 5);
        for bad in [
            crate::typed::Usage {
                sensitivity: 2,
                ..good.clone()
            },
            crate::typed::Usage {
                granted: 0x40,
                ..good.clone()
            },
            crate::typed::Usage {
                exempt: 0x80,
                ..good.clone()
            },
            crate::typed::Usage {
                environment: 3,
                ..good.clone()
            },
        ] {
            assert_eq!(UsageContract::from_typed(&bad), None);
        }
    }
}
