//! The costly part of an audit, apart from the auditor: it runs on every core, some events ahead.

use medshare_chain::Event;
use medshare_protocol::chain_verifier::{ChainName, Examined, examine};
use medshare_protocol::header::Entry;
use medshare_protocol::id::{LeafHash, Origin};
use medshare_protocol::origin::{side_origin, thread_origin};

use super::{Auditor, leaves};
use crate::audit::AuditError;

/// The records of one event, to be examined wherever there is a core.
#[derive(Debug)]
pub struct Unexamined {
    /// The chain and what its blocks are signed under; nothing for a package that was never issued.
    chain: Option<(ChainName, Origin)>,
    records: Vec<(LeafHash, Option<Vec<u8>>)>,
}

impl Auditor {
    /// Says what the records of the next event are to be examined for. Events are planned in order, and may be planned
    /// before those in front of them are taken.
    ///
    /// # Errors
    /// [`AuditError::Aside`].
    pub fn plan(
        &mut self,
        event: &Event,
        records: Vec<Option<Vec<u8>>>,
    ) -> Result<Unexamined, AuditError> {
        let records = records.into_iter().chain(std::iter::repeat(None));
        Ok(Unexamined {
            chain: self.chain_of(event)?,
            records: leaves(event).into_iter().zip(records).collect(),
        })
    }

    fn chain_of(&mut self, event: &Event) -> Result<Option<(ChainName, Origin)>, AuditError> {
        Ok(match event {
            Event::PackageIssued(issued) => {
                let requestor = issued.request.requestor;
                if !self.trails.has(&issued.package) {
                    let leaf = Entry::from_bytes(&issued.entry).leaf;
                    self.ahead.entry(issued.package).or_insert(leaf);
                }
                Some((ChainName::Thread(requestor), self.thread_origin(requestor)))
            }
            Event::ReportsAnchored { package, .. } => {
                let origin = match self.trails.read(package)? {
                    Some(trail) => Some(trail.side.origin()),
                    None => self.ahead.get(package).map(|parent| side_origin(*parent)),
                };
                origin.map(|origin| (ChainName::Side(*package), origin))
            }
            _ => None,
        })
    }

    pub(super) fn thread_origin(&self, requestor: medshare_chain::Address) -> Origin {
        thread_origin(self.domain.chain_id(), self.domain.contract(), requestor)
    }
}

impl Unexamined {
    /// Examines them. Pure, and by far the most of what an audit computes.
    #[must_use]
    pub fn examine(self) -> Vec<Examined> {
        let Some((chain, origin)) = self.chain else {
            return Vec::new();
        };
        let records = self.records.into_iter();
        records
            .map(|(leaf, record)| examine(chain, origin, leaf, record.as_deref()))
            .collect()
    }
}
