//! Who was a node at each event, and how much work was asked: rebuilt from the events.

use std::collections::HashMap;

use medshare_chain::{Address, Event};
use medshare_protocol::header::CompactTarget;

/// Custodians, nodes and the work limit, as of the last event taken in.
#[derive(Debug)]
pub(super) struct Registry {
    custodians: HashMap<Address, Custodian>,
    nodes: HashMap<Address, Node>,
    work_limit: CompactTarget,
}

#[derive(Clone, Copy, Debug, Default)]
struct Custodian {
    admitted: bool,
    /// A custodian that is admitted again starts without nodes.
    admission: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    custodian: Address,
    admission: u32,
}

impl Registry {
    pub(super) fn new() -> Self {
        // No work can be too easy before the contract's constructor has said so: an impossible limit.
        let work_limit = CompactTarget(0);
        Self {
            custodians: HashMap::new(),
            nodes: HashMap::new(),
            work_limit,
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::CustodianAdmitted { custodian } => {
                let entry = self.custodians.entry(*custodian).or_default();
                entry.admitted = true;
                entry.admission += 1;
            }
            Event::CustodianRemoved { custodian } => {
                self.custodians.entry(*custodian).or_default().admitted = false;
            }
            Event::NodeRegistered {
                custodian, node, ..
            } => {
                let admission = self
                    .custodians
                    .get(custodian)
                    .map_or(0, |custodian| custodian.admission);
                self.nodes.insert(
                    *node,
                    Node {
                        custodian: *custodian,
                        admission,
                    },
                );
            }
            Event::NodeRemoved { node, .. } => {
                self.nodes.remove(node);
            }
            Event::WorkLimitSet { bits } => self.work_limit = CompactTarget(*bits),
            _ => {}
        }
    }

    /// The custodian of a node that is registered now.
    pub(super) fn custodian_of(&self, node: Address) -> Option<Address> {
        let node = self.nodes.get(&node)?;
        let custodian = self.custodians.get(&node.custodian)?;
        (custodian.admitted && custodian.admission == node.admission).then_some(node.custodian)
    }

    pub(super) fn custodian_count(&self) -> usize {
        self.custodians
            .values()
            .filter(|custodian| custodian.admitted)
            .count()
    }

    pub(super) const fn work_limit(&self) -> CompactTarget {
        self.work_limit
    }
}
