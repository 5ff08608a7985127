//! Events that change the state of a package, and what the contract holds of it in the end.

use medshare_chain::{Event, PackageStatus, ResponseKind};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::id::PackageId;
use medshare_protocol::usage::State;

use super::{Auditor, Clock};
use crate::audit::report::Subject;
use crate::audit::trail::{ConductKey, Epochs, Standing, Trail, conduct_key};
use crate::audit::violations::Accepted;
use crate::audit::{AuditError, AuditFault};

impl Auditor {
    /// Events that change the state of a package.
    pub(super) fn changed(&mut self, event: &Event, time: u64) -> Result<(), AuditError> {
        let package = match event {
            Event::ViolationAccepted { package, .. }
            | Event::PackageRevoked { package, .. }
            | Event::PackageRegranted { package, .. }
            | Event::PackageRetrieved { package, .. }
            | Event::ResponseTaken { package, .. } => *package,
            _ => return Ok(()),
        };
        let Some(mut trail) = self.trails.take(&package)? else {
            let fault = AuditFault::UnknownPackage {
                event: event.name(),
            };
            self.find(Subject::Package(package), None, fault);
            return Ok(());
        };
        let key = conduct_key(&trail);
        let epochs = self.epochs(key);
        let state = trail.state(epochs, time);
        if !may_happen(event, state) {
            let fault = AuditFault::Transition {
                event: event.name(),
                state,
            };
            self.find(Subject::Package(package), None, fault);
        }
        if let Some(fault) = trail.consequence(Some(event)) {
            self.find(Subject::Package(package), None, fault);
        }
        self.apply(event, &mut trail, key, epochs, time);
        self.trails.put(package, trail)
    }

    /// The change itself.
    fn apply(
        &mut self,
        event: &Event,
        trail: &mut Trail,
        key: ConductKey,
        epochs: Epochs,
        time: u64,
    ) {
        match event {
            Event::ViolationAccepted {
                number,
                actions,
                report,
                ..
            } => {
                let (number, actions, report) = (*number, *actions, *report);
                trail.settled = number;
                trail.violations.get_or_insert_default().accept(Accepted {
                    number,
                    actions,
                    report,
                    evm_time: time,
                });
                self.conducts.entry(key).or_default().0 += 1;
            }
            Event::PackageRevoked { .. } => trail.standing = Standing::Revoked,
            Event::PackageRegranted { .. } => {
                trail.standing = Standing::Granted;
                trail.last_regrant_time = time;
                trail.epochs = epochs;
            }
            Event::PackageRetrieved { .. } => trail.standing = Standing::Retrieved,
            Event::ResponseTaken {
                kind: ResponseKind::RevokeDataset,
                ..
            } => {
                self.conducts.entry(key).or_default().1 += 1;
            }
            Event::ResponseTaken {
                kind: ResponseKind::RevokeOwner,
                ..
            } => {
                *self.owner_epochs.entry((key.0, key.1)).or_default() += 1;
            }
            _ => {}
        }
    }

    pub(super) fn epochs(&self, key: ConductKey) -> Epochs {
        Epochs {
            dataset: self.conducts.get(&key).map_or(0, |(_, epoch)| *epoch),
            owner: self
                .owner_epochs
                .get(&(key.0, key.1))
                .copied()
                .unwrap_or_default(),
        }
    }

    /// The end of one package: state, head, violations. How many of these may still be on the way.
    pub(super) fn package(
        &mut self,
        package: PackageId,
        mut trail: Trail,
        held: Option<&PackageStatus>,
        clock: Clock,
    ) -> u64 {
        let Some(held) = held else {
            let (rebuilt, held) = ("known".to_owned(), "nothing".to_owned());
            let fault = AuditFault::State {
                field: "existence",
                rebuilt,
                held,
            };
            self.find(Subject::Package(package), None, fault);
            return 0;
        };
        let Clock { evm_time, now } = clock;
        self.counts.states += 1;
        let height = trail.side.height();
        let open = trail.violations.take().unwrap_or_default();
        self.counts.violations += open.compared(height);
        let key = conduct_key(&trail);
        let epochs = self.epochs(key);
        let violations = self.conducts.get(&key).map_or(0, |(count, _)| *count);
        for fault in trail.differences(held, epochs, violations, evm_time, now) {
            self.find(Subject::Package(package), None, fault);
        }
        if let Some(fault) = trail.consequence(None) {
            self.find(Subject::Package(package), None, fault);
        }
        let (faults, pending) = open.unmatched(height, evm_time);
        for fault in faults {
            self.find(Subject::Package(package), None, fault);
        }
        let chain = ChainName::Side(package);
        if trail.state(epochs, evm_time).is_usable() {
            let (settled, regrant) = (trail.settled, trail.last_regrant_time);
            for (height, at, fault) in open.unsettled(settled, regrant, evm_time) {
                self.find(Subject::Block { chain, height }, Some(at), fault);
            }
        }
        self.head(chain, trail.side, held.head);
        pending
    }
}

/// The contract's transition table: what can happen to a package in this state.
const fn may_happen(event: &Event, state: State) -> bool {
    match event {
        Event::ViolationAccepted { .. } | Event::PackageRevoked { .. } => state.is_usable(),
        Event::PackageRegranted { .. } => matches!(state, State::Revoked),
        Event::PackageRetrieved { .. } => !matches!(state, State::Retrieved | State::Expired),
        _ => true,
    }
}
