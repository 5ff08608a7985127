//! Who was a node at each event, and how much work was asked: rebuilt from the events.

use std::collections::{HashMap, HashSet};

use medshare_chain::{Address, Event};
use medshare_protocol::header::CompactTarget;

/// Custodians, nodes and the work limit, as of the last event taken in.
#[derive(Clone, Debug)]
pub(super) struct Registry {
    custodians: HashSet<Address>,
    /// The custodian of each node. A custodian that is removed takes its nodes with it, each by an event of its own.
    nodes: HashMap<Address, Address>,
    work_limit: CompactTarget,
}

impl Registry {
    pub(super) fn new() -> Self {
        // No work can be too easy before the contract's constructor has said so: an impossible limit.
        let work_limit = CompactTarget(0);
        Self {
            custodians: HashSet::new(),
            nodes: HashMap::new(),
            work_limit,
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::CustodianAdmitted { custodian } => {
                self.custodians.insert(*custodian);
            }
            Event::CustodianRemoved { custodian } => {
                self.custodians.remove(custodian);
            }
            Event::NodeRegistered {
                custodian, node, ..
            } => {
                self.nodes.insert(*node, *custodian);
            }
            Event::NodeRemoved { node, .. } => {
                self.nodes.remove(node);
            }
            Event::WorkLimitSet { bits } => self.work_limit = CompactTarget(*bits),
            _ => {}
        }
    }

    /// The custodian of a node that is registered now; nothing, too, when the events never admitted the custodian: the
    /// contract does not take a node then.
    pub(super) fn custodian_of(&self, node: Address) -> Option<Address> {
        let custodian = self.nodes.get(&node)?;
        self.custodians.get(custodian).copied()
    }

    pub(super) fn custodian_count(&self) -> usize {
        self.custodians.len()
    }

    pub(super) const fn work_limit(&self) -> CompactTarget {
        self.work_limit
    }
}
