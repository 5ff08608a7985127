//! Evidence as the committed bundle's, of a requestor whose keys are known here.

use alloy_primitives::{B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolStruct;
use medshare_protocol::block::{
    DATA_VERSION_TABULAR, ParentBlock, ParentBody, SideBlock, SideBody, SideTransaction,
};
use medshare_protocol::certificate::{Certificate, SignedCertificate, certification};
use medshare_protocol::chain_verifier::ChainName;
use medshare_protocol::digest::sha256d;
use medshare_protocol::form::{form_digest, received};
use medshare_protocol::id::LeafHash;
use medshare_protocol::origin::{side_origin, thread_origin};
use medshare_protocol::typed::{Domain, Report, Validation};
use medshare_protocol::usage::Actions;

use super::chain::Chain;
use super::{Changes, Evidence, Held, OTHER, SOUND, bundle, keys};

struct Maker<'a> {
    changes: &'a Changes,
    domain: Domain,
    evidence: Evidence,
    held: Held,
}

pub(super) fn make(changes: &Changes) -> (Evidence, Held) {
    let (evidence, held) = bundle();
    let mut maker = Maker {
        changes,
        domain: evidence.subject.domain(),
        evidence,
        held,
    };
    maker.request();
    let mut body = maker.parent_body();
    maker.certificate(&body);
    maker.form(&body);
    maker.validation(&body);
    body.transaction.form_digest = form_digest(&maker.evidence.dossier.form);
    let parent = maker.parent(body);
    let sides = maker.reports();
    maker.sides(&parent, sides);
    maker.deletion();
    let (mut evidence, mut held) = (maker.evidence, maker.held);
    (changes.evidence)(&mut evidence);
    (changes.held)(&mut held);
    (evidence, held)
}

impl Changes {
    fn signer(&self, name: &str, key: PrivateKeySigner) -> PrivateKeySigner {
        match self.forged.contains(&name) {
            true => keys::stranger(),
            false => key,
        }
    }

    fn sign<T: SolStruct>(&self, domain: &Domain, message: &T, key: PrivateKeySigner) -> Bytes {
        let signature = domain.sign(message, &self.signer(T::NAME, key));
        signature.unwrap().to_vec().into()
    }

    /// The changes to what belongs to the report with this number.
    fn to(&self, number: u32) -> &Self {
        if number == self.of { self } else { &SOUND }
    }
}

impl Maker<'_> {
    fn request(&mut self) {
        let (changes, domain) = (self.changes, &self.domain);
        let signed = &mut self.evidence.dossier.request;
        let requestor = keys::wallet().address();
        signed.request.requestor = requestor;
        (changes.request)(&mut signed.request);
        signed.signature = changes.sign(domain, &signed.request, keys::wallet());
        self.evidence.subject.package = domain.package_id(&signed.request);
        self.held.status.requestor = requestor;
    }

    /// What is said of the package elsewhere follows the parent block, so that what is changed there is told there alone.
    fn parent_body(&self) -> ParentBody {
        let block = ParentBlock::from_bytes(&self.evidence.blocks.parent).unwrap();
        let mut body = block.body;
        body.transaction.requestor = keys::wallet().address();
        body.transaction.package = self.evidence.subject.package;
        (self.changes.parent)(&mut body);
        body
    }

    fn certificate(&mut self, body: &ParentBody) {
        let signed = &mut self.evidence.dossier.validation.certificate;
        let mut certificate = Certificate::from_text(&signed.text).unwrap();
        certificate.package = self.evidence.subject.package;
        certificate.payload_hash = body.transaction.payload_hash;
        (self.changes.certificate)(&mut certificate);
        let text = certificate.to_text();
        let content = sha256d(&[text.as_bytes()]);
        let message = certification(certificate.package, certificate.payload_hash, content);
        let signature = self.changes.sign(&self.domain, &message, keys::second());
        *signed = SignedCertificate { text, signature };
    }

    fn form(&mut self, body: &ParentBody) {
        let (dossier, block) = (&mut self.evidence.dossier, &body.transaction);
        let (steps, certificate) = (&mut dossier.form, &dossier.validation.certificate);
        steps[0] = received(steps[0].time, steps[0].node, block.requestor, block.purpose);
        let mut details = steps.iter_mut().flat_map(|step| &mut step.details);
        let named = details.find(|detail| detail.name == "certificate").unwrap();
        named.value = certificate.content().to_string();
        (self.changes.form)(steps);
    }

    fn validation(&mut self, body: &ParentBody) {
        let (changes, dossier) = (self.changes, &mut self.evidence.dossier);
        let mut steps = dossier.form.iter();
        let answered = steps.position(|step| step.action == "validated");
        let seen = &dossier.form[..answered.unwrap_or(dossier.form.len())];
        let answer = &mut dossier.validation;
        answer.validation = Validation {
            package: self.evidence.subject.package.0,
            payloadHash: body.transaction.payload_hash.0,
            formDigest: form_digest(seen).0,
            sensitivity: body.transaction.sensitivity as u8,
            usage: dossier.usage.typed().eip712_hash_struct(),
            deadline: answer.validation.deadline,
        };
        (changes.validation)(&mut answer.validation);
        answer.signature = changes.sign(&self.domain, &answer.validation, keys::second());
    }

    /// The parent block, signed, between two others of its thread.
    fn parent(&mut self, body: ParentBody) -> ParentBlock {
        let (changes, requestor) = (self.changes, self.held.status.requestor);
        let origin = thread_origin(self.domain.chain_id(), self.domain.contract(), requestor);
        let key = changes.signer("Parent", keys::of(body.transaction.node));
        let body = body.sign(origin, &key).unwrap();
        let mut thread = Chain::new(ChainName::Thread(requestor), origin.0);
        thread.push(LeafHash(OTHER), DATA_VERSION_TABULAR);
        let mut header = thread.push(body.leaf(), DATA_VERSION_TABULAR);
        thread.push(LeafHash(OTHER), DATA_VERSION_TABULAR);
        (changes.header)(&mut header);
        let parent = ParentBlock { header, body };
        self.evidence.blocks.parent = parent.to_bytes().into();
        self.evidence.proofs.parent = thread.proof(1);
        self.held.thread = Some(thread.head);
        parent
    }

    /// The bundle's reports, in a chain and receipted, and their side-blocks' bodies, which nobody has signed yet.
    fn reports(&mut self) -> Vec<SideBody> {
        let package = self.evidence.subject.package.0;
        let mut previous = B256::ZERO;
        let mut bodies = Vec::new();
        for (number, recorded) in (1..).zip(&mut self.evidence.dossier.reports) {
            let changes = self.changes.to(number);
            let (submission, receipt) = (&mut recorded.submission, &mut recorded.receipt);
            let (report, session) = (&mut submission.report, &mut submission.session);
            (report.package, report.previous) = (package, previous);
            (changes.report)(report);
            previous = self.domain.digest(report);
            (session.package, session.key) = (package, keys::session().address());
            (changes.session)(session);
            (receipt.package, receipt.number) = (report.package, report.number);
            receipt.report = previous;
            (changes.receipt)(receipt);
            submission.signature = changes.sign(&self.domain, report, keys::session());
            submission.session_signature = changes.sign(&self.domain, session, keys::wallet());
            recorded.receipt_signature = changes.sign(&self.domain, receipt, keys::node());
            bodies.push((number, report.clone()));
        }
        let bodies = bodies.into_iter().take(self.changes.anchored);
        bodies
            .map(|(number, report)| self.side(number, &report))
            .collect()
    }

    fn side(&self, number: u32, report: &Report) -> SideBody {
        let (status, reported) = (&self.held.status, Actions(report.actions));
        let mut body = SideBody {
            action_counter: 0,
            transaction: SideTransaction {
                time: report.time,
                owner: status.custodian,
                requestor: status.requestor,
                reported,
                violated: self.evidence.dossier.usage.violations(reported),
                package: self.evidence.subject.package,
                number,
                report: self.domain.report_digest(report),
                sealed_report: report.body,
                node: keys::node().address(),
                signature: Default::default(),
            },
            locktime: report.time,
        };
        (self.changes.to(number).side)(&mut body);
        body.action_counter = body.transaction.violated.count();
        body
    }

    fn sides(&mut self, parent: &ParentBlock, bodies: Vec<SideBody>) {
        let origin = side_origin(parent.body.leaf());
        let package = self.evidence.subject.package;
        let mut chain = Chain::new(ChainName::Side(package), origin.0);
        self.evidence.blocks.sides.clear();
        for (number, body) in (1..).zip(bodies) {
            let key = keys::of(body.transaction.node);
            let key = self.changes.to(number).signer("Side", key);
            let body = body.sign(origin, &key).unwrap();
            let header = chain.push(body.leaf(), body.transaction.number);
            let record = SideBlock::new(parent.id(), header, body).to_bytes();
            self.evidence.blocks.sides.push(record.into());
        }
        self.evidence.proofs.sides = chain.proofs();
        self.held.status.head = chain.head;
    }

    fn deletion(&mut self) {
        let changes = self.changes;
        let submission = self.evidence.dossier.deletion.as_mut().unwrap();
        let deletion = &mut submission.deletion;
        deletion.package = self.evidence.subject.package.0;
        (changes.deletion)(deletion);
        submission.signature = changes.sign(&self.domain, deletion, keys::wallet());
    }
}
