//! What people and nodes signed before the package was issued: request, usage contract, form, second node's word.

use alloy_sol_types::SolStruct;
use medshare_protocol::form::{
    MAX_FORM_STEPS, Step, form_digest, received, retrievals_are_timed, steps_until,
};
use medshare_protocol::id::FormDigest;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::Environment;

use super::Assumption::{Algorithms, Clocks, Contract, EvmBlock, Keys};
use super::{Examination, Held, Parent, counted};

const REQUEST: &str = "request.json";
const USAGE: &str = "usage.json";
const FORM: &str = "form.json";
const VALIDATION: &str = "validation.json";

impl Examination<'_> {
    /// The requestor asked for just this.
    pub(super) fn request(&mut self, held: &Held) {
        let (signed, status) = (&self.evidence.dossier.request, &held.status);
        let request = &signed.request;
        let id = self.domain.package_id(request);
        if !self.same(
            REQUEST,
            "the request's digest",
            id,
            self.evidence.subject.package,
        ) {
            return;
        }
        self.same(
            REQUEST,
            "the requestor",
            request.requestor,
            status.requestor,
        );
        self.same(
            REQUEST,
            "the custodian",
            request.custodian,
            status.custodian,
        );
        self.same(REQUEST, "the dataset", request.dataset, status.dataset.0);
        // The contract issued nothing without the agreement of a wallet with code.
        let signed = self.signed_by_requestor(held, id.0, &signed.signature, Contract);
        let Some(basis) = signed else {
            self.flaw(REQUEST, "the requestor's signature does not hold");
            return;
        };
        let purpose = Purpose::try_from(request.purpose).map_or_else(
            |_| request.purpose.to_string(),
            |purpose| purpose.to_string(),
        );
        let columns = match request.selection.fields.len() {
            0 => "all columns".to_owned(),
            count => counted(count, "column"),
        };
        self.shows(
            REQUEST,
            match basis {
                Contract => &[EvmBlock, Contract, Algorithms],
                _ => &[Algorithms, Keys],
            },
            format!(
                "the requestor {} {} the request for {columns} of the dataset {}, for the purpose {purpose}",
                request.requestor,
                match basis {
                    Contract => "(a contract) agreed to",
                    _ => "signed",
                },
                status.dataset
            ),
        );
    }

    /// The rules are those that the contract held.
    pub(super) fn usage(&mut self, held: &Held) {
        let usage = self.evidence.dossier.usage;
        if self.same(USAGE, "the usage contract", Some(usage), held.status.usage) {
            let names = |actions: medshare_protocol::usage::Actions| {
                let names: Vec<_> = actions.iter().map(|action| action.name()).collect();
                if names.is_empty() {
                    "nothing".to_owned()
                } else {
                    names.join(", ")
                }
            };
            self.shows(
                USAGE,
                &[EvmBlock, Contract, Algorithms],
                format!(
                    "the usage contract grants {}, exempts {} from reports, for data of {:?} sensitivity {}, until {}",
                    names(usage.granted),
                    names(usage.exempt),
                    usage.sensitivity,
                    match usage.environment {
                        Environment::Any => "in any environment",
                        Environment::Sandbox => "in the sandbox only",
                        Environment::SandboxHeld => "in the sandbox only, outputs held back",
                    },
                    crate::times::rfc3339(usage.expiry)
                ),
            );
        }
    }

    /// The form is the one whose digest the parent block has.
    pub(super) fn form(&mut self, parent: &Parent) {
        let form = &self.evidence.dossier.form;
        let block = &parent.body.transaction;
        if !self.at_most(FORM, "steps", form.len(), MAX_FORM_STEPS)
            || !self.same(
                FORM,
                "the form's digest",
                form_digest(form),
                block.form_digest,
            )
        {
            return;
        }
        self.first_step(form, parent);
        let closed = form.last().map(|step| step.time);
        self.same(
            FORM,
            "the time of the form's last step",
            closed,
            Some(parent.body.locktime),
        );
        let actions: Vec<_> = form.iter().map(|step| step.action.as_str()).collect();
        self.shows(
            FORM,
            &[Algorithms, Keys, Clocks],
            format!(
                "the node {} put down {} before the package was issued: {}",
                block.node,
                counted(form.len(), "step"),
                actions.join(", "),
            ),
        );
    }

    fn first_step(&mut self, form: &[Step], parent: &Parent) {
        let block = &parent.body.transaction;
        let first = form.first();
        let expected =
            first.map(|step| received(step.time, step.node, block.requestor, block.purpose));
        let begins = first.zip(expected).is_some_and(|(step, expected)| {
            step.action == expected.action && step.details.starts_with(&expected.details)
        });
        self.hold(
            begins,
            FORM,
            "the form does not begin with the hashes of this request's time and requestor",
        );
        self.hold(
            retrievals_are_timed(form),
            FORM,
            "a step `retrieved` does not have the hash of its time",
        );
        let time = first.map(|step| step.time);
        self.same(
            FORM,
            "the time of the form's first step",
            time,
            Some(block.received),
        );
    }

    /// The second node looked at this very work, and what it measured.
    pub(super) fn validation(&mut self, parent: &Parent) {
        let dossier = &self.evidence.dossier;
        let (answer, second, form) = (&dossier.validation, dossier.verifier, &dossier.form);
        let (said, block) = (&answer.validation, &parent.body.transaction);
        let usage = dossier.usage.typed().eip712_hash_struct();
        self.same(
            VALIDATION,
            "the package",
            said.package,
            self.evidence.subject.package.0,
        );
        self.same(
            VALIDATION,
            "the payload hash",
            said.payloadHash,
            block.payload_hash.0,
        );
        self.same(VALIDATION, "the usage contract's hash", said.usage, usage);
        self.same(
            VALIDATION,
            "the sensitivity",
            said.sensitivity,
            block.sensitivity as u8,
        );
        let seen = steps_until(form, FormDigest(said.formDigest));
        let signed = self.domain.is_signed_by(said, &answer.signature, second);
        if !self.hold(
            signed,
            VALIDATION,
            format_args!("it is not signed by the second node {second}"),
        ) || !self.hold(seen.is_some(), VALIDATION, "it is about another form")
        {
            return;
        }
        self.shows(
            VALIDATION,
            &[Algorithms, Keys],
            format!(
                "the second node {second} signed for the payload {}, the usage contract and the first {} of the form",
                block.payload_hash,
                counted(seen.unwrap_or_default(), "step"),
            ),
        );
        self.certificate(parent);
    }
}
