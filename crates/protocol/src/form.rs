//! The form (P11): what was done for a request, step by step, with times; its digest is in the parent block.
//!
//! The digest runs: d₀ = sha256d(`medshare/form/v1`), dᵢ = sha256d(dᵢ₋₁ ‖ CBOR of step i). So the second node signs
//! the form as it saw it, and everybody can check that the finished form only continued that one.

use alloy_primitives::Address;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::cbor;
use crate::digest::sha256d;
use crate::id::FormDigest;

/// At most so many steps a form.
pub const MAX_FORM_STEPS: usize = 64;

/// One entry of a form.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// When, ms since the Unix epoch.
    #[n(0)]
    pub time: u64,
    /// The node that did it, 20 bytes.
    #[cbor(n(1), with = "crate::form::address")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub node: Address,
    /// What, in one word: `received`, `authenticated`, `retrieved`, `ranked`, `anonymised`, `validated`,
    /// `contract-generated`, `sealed`, `issued`, `ready`, `delivered`, `refused`.
    #[n(2)]
    pub action: String,
    /// Particulars, name and value, in the order in which they were written.
    #[n(3)]
    pub details: Vec<Detail>,
}

/// A particular of a step.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Detail {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Its value.
    #[n(1)]
    pub value: String,
}

impl Step {
    /// A step without particulars.
    #[must_use]
    pub fn new(time: u64, node: Address, action: &str) -> Self {
        Self {
            time,
            node,
            action: action.to_owned(),
            details: Vec::new(),
        }
    }

    /// The step with one more particular.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.details.push(Detail {
            name: name.to_owned(),
            value: value.to_string(),
        });
        self
    }

    /// Its CBOR: deterministic (RFC 8949, 4.2); what the form's digest is made of.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads what [`Step::to_bytes`] writes; any other spelling is refused.
    ///
    /// # Errors
    /// [`MalformedStep`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedStep> {
        cbor::decode(bytes).map_err(|error| MalformedStep(error.to_string()))
    }
}

/// Bytes that are no step of a form.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the form's step is malformed: {0}")]
pub struct MalformedStep(String);

/// The first steps of every form (P11): hashes of the request's timestamp and of the requestor's id, and the purpose.
#[must_use]
pub fn received(
    time: u64,
    node: Address,
    requestor: Address,
    purpose: crate::purpose::Purpose,
) -> Step {
    Step::new(time, node, "received")
        .with("timestamp-hash", hash_of_time(time))
        .with("requestor-hash", sha256d(&[requestor.as_slice()]))
        .with("purpose", purpose)
}

/// The step of the retrieval (P11): the hash of its timestamp.
#[must_use]
pub fn retrieved(time: u64, node: Address) -> Step {
    Step::new(time, node, "retrieved").with("timestamp-hash", hash_of_time(time))
}

/// Whether each step `retrieved` begins with the hash of its time.
#[must_use]
pub fn retrievals_are_timed(steps: &[Step]) -> bool {
    steps.iter().all(|step| {
        let said = retrieved(step.time, step.node);
        step.action != said.action || step.details.starts_with(&said.details)
    })
}

/// The hashes by which steps `validated` name the second node's certificate (SPEC §6.1): of a sound form one.
pub fn certificates(steps: &[Step]) -> impl Iterator<Item = &str> {
    let validated = steps.iter().filter(|step| step.action == "validated");
    let details = validated.flat_map(|step| &step.details);
    details
        .filter(|detail| detail.name == "certificate")
        .map(|detail| detail.value.as_str())
}

fn hash_of_time(time: u64) -> alloy_primitives::B256 {
    sha256d(&[&time.to_le_bytes()])
}

/// Digest of the form that has `steps`.
#[must_use]
pub fn form_digest(steps: &[Step]) -> FormDigest {
    running_digests(steps).last().expect("one of no steps")
}

/// The digests of no step, of the first, of the first two, and so on.
pub fn running_digests(steps: &[Step]) -> impl Iterator<Item = FormDigest> {
    let mut digest = sha256d(&[b"medshare/form/v1"]);
    let first = std::iter::once(FormDigest(digest));
    first.chain(steps.iter().map(move |step| {
        let encoded = minicbor::to_vec(step).expect("writing to a vector cannot fail");
        digest = sha256d(&[digest.as_slice(), &encoded]);
        FormDigest(digest)
    }))
}

/// How many steps from the first on have this digest together; nothing when none have. The digest of no step is nobody's
/// word about a form.
#[must_use]
pub fn steps_until(steps: &[Step], digest: FormDigest) -> Option<usize> {
    let mut counted = (0..).zip(running_digests(steps)).skip(1);
    let (count, _) = counted.find(|(_, running)| *running == digest)?;
    Some(count)
}

/// An address as a CBOR byte string of 20 bytes.
pub(crate) mod address {
    use alloy_primitives::Address;
    use minicbor::decode::Error;
    use minicbor::encode::{self, Write};
    use minicbor::{Decoder, Encoder};

    pub(crate) fn encode<C, W: Write>(
        address: &Address,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.bytes(address.as_slice())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Address, Error> {
        Address::try_from(decoder.bytes()?).map_err(|_| Error::message("an address has 20 bytes"))
    }
}

/// 32 bytes as a CBOR byte string.
pub(crate) mod bytes32 {
    use alloy_primitives::B256;
    use minicbor::decode::Error;
    use minicbor::encode::{self, Write};
    use minicbor::{Decoder, Encoder};

    pub(crate) fn encode<C, W: Write>(
        bytes: &B256,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.bytes(bytes.as_slice())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<B256, Error> {
        B256::try_from(decoder.bytes()?).map_err(|_| Error::message("a hash has 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn steps() -> Vec<Step> {
        let node = Address::repeat_byte(2);
        let purpose = "HRESCH".parse().unwrap();
        vec![
            received(1_000, node, Address::repeat_byte(1), purpose),
            retrieved(1_005, node),
            Step::new(1_010, node, "ranked").with("sensitivity", "high"),
        ]
    }

    #[test]
    fn the_digest_covers_every_field_of_every_step_and_their_order() {
        let digest = form_digest(&steps());
        let changes: [fn(&mut Vec<Step>); 6] = [
            |steps| steps[0].time += 1,
            |steps| steps[1].node = Address::repeat_byte(9),
            |steps| steps[2].action.push('x'),
            |steps| steps[2].details[0].value.push('x'),
            |steps| steps.swap(1, 2),
            |steps| drop(steps.pop()),
        ];
        for (position, change) in changes.into_iter().enumerate() {
            let mut changed = steps();
            change(&mut changed);
            assert_ne!(form_digest(&changed), digest, "change {position}");
        }
    }

    #[test]
    fn a_retrieval_says_the_hash_of_its_own_time() {
        assert!(retrievals_are_timed(&steps()));
        let mut steps = steps();
        steps[1] = steps[1].clone().with("rows", 7);
        assert!(retrievals_are_timed(&steps), "others may follow");
        steps[1].time += 1;
        assert!(!retrievals_are_timed(&steps));
    }

    #[test]
    fn certificates_are_named_where_the_second_node_answered() {
        let mut steps = steps();
        steps[2] = steps[2].clone().with("certificate", "not here");
        let validated = Step::new(1_020, Address::repeat_byte(2), "validated");
        steps.push(validated.clone().with("certificate", "one"));
        steps.push(validated.with("certificate", "two").with("k", 5));
        assert!(certificates(&steps).eq(["one", "two"]));
    }

    #[test]
    fn the_form_says_who_asked_and_when_by_hash_only() {
        let step = &steps()[0];
        let expected = sha256d(&[&1_000_u64.to_le_bytes()]).to_string();
        assert_eq!(step.details[0].value, expected);
        assert!(
            !serde_json::to_string(step)
                .unwrap()
                .contains("0x0101010101")
        );
    }

    #[test]
    fn steps_survive_cbor() {
        for step in steps() {
            assert_eq!(Step::from_bytes(&step.to_bytes()), Ok(step));
        }
    }
}
