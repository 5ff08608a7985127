//! The bundle told to people who have never seen one.

use super::Evidence;

/// README.txt.
pub(super) fn text(evidence: &Evidence) -> String {
    let subject = evidence.subject;
    format!(
        "MeDShare evidence, format {}

What became of one request for medical data:
  package   {}
  contract  {}
  chain     EVM chain {}

To check it, with no network, no node and no key:  medshare verify BUNDLE.zip
It prints what is proven, from which part, and on what each proof rests. The one thing that you have to find out by
yourself is whether the EVM block that it names is real. SPEC.md, section 9, describes every part to the byte, so that
you need not trust this program either.

Parts
  evidence.json    what this is about
  request.json     what the requestor asked for, and signed
  usage.json       the rules that travel with the data
  form.json        what the custodian's node did for it, step by step
  validation.json  the second node's signature, and its certificate of what it measured on the output alone
  blocks.json      the ledger's blocks: the parent block, and a side-block for every report
  proofs.json      that each block is in its chain (RFC 6962)
  contract.json    what the contract held, with proofs against the state root of one EVM block (EIP-1186)
  wallet.json      what kind of account the requestor's wallet was, likewise
  code.hex         the contract's code
  reports.json     every report of the requestor's side, with the node's receipt
  deletion.json    the requestor's word that the data was deleted, if it was given
  prov.jsonld      the same told in W3C PROV-O
  fhir.json        the same told in FHIR R4: Provenance and AuditEvents

What it cannot show: the data itself, which is not in here; what somebody did with it where no program watched; and
whether those who signed had their keys to themselves.
",
        subject.evidence, subject.package, subject.contract, subject.chain_id
    )
}
