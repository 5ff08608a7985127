//! The sealed and signed form of a message between nodes.
//!
//! A CBOR map: 0 sender, 1 recipient, 2 deadline (ms since the Unix epoch), 3 the sender's signature over the EIP-712
//! `PeerMessage(sender, recipient, sha256d(sealed), deadline)`, 4 the message, sealed by HPKE to the recipient's
//! registered key with sender ‖ recipient as context.

use alloy_primitives::{Address, B256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use medshare_protocol::digest::sha256d;
use medshare_protocol::seal::{self, SealError, SealedFor, SealingSecret};
use medshare_protocol::typed::{Domain, PeerMessage};
use minicbor::bytes::{ByteArray, ByteSlice};
use minicbor::{Decode, Decoder, Encode};

use super::{Content, MAX_ENVELOPE_BYTES, MAX_MESSAGE_LIFETIME_MS, message};

/// Why an envelope is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// Larger than any message needs to be.
    #[error("the message has {0} bytes; at most {MAX_ENVELOPE_BYTES} are taken")]
    TooLarge(usize),
    /// Not the CBOR of an envelope.
    #[error("the envelope is malformed: {0}")]
    Malformed(String),
    /// For somebody else.
    #[error("the message is for the node {actual}, and this is {expected}")]
    OtherRecipient {
        /// This node.
        expected: Address,
        /// Whom it names.
        actual: Address,
    },
    /// Too old, or good for too long.
    #[error(
        "the message is good until {deadline} and it is {time} here (ms since the Unix epoch); check the clocks of both nodes"
    )]
    Deadline {
        /// Its deadline.
        deadline: u64,
        /// Now.
        time: u64,
    },
    /// Not signed by the sender.
    #[error("the message is not signed by the node {0} that it names as its sender")]
    BadSignature(Address),
    /// Cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The sender's own key cannot sign.
    #[error("the node's key cannot sign: {0}")]
    Signing(String),
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire<'a> {
    #[n(0)]
    sender: ByteArray<20>,
    #[n(1)]
    recipient: ByteArray<20>,
    #[n(2)]
    deadline: u64,
    #[n(3)]
    signature: ByteArray<65>,
    #[b(4)]
    sealed: &'a ByteSlice,
}

/// An envelope, taken apart and not yet trusted.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Who says it sent this.
    pub sender: Address,
    /// Whom it is for.
    pub recipient: Address,
    /// Until when it may be read, ms since the Unix epoch.
    pub deadline: u64,
    signature: [u8; 65],
    sealed: &'a [u8],
}

/// Seals `plain` for `recipient` (address and X25519 public key) and signs it.
///
/// # Errors
/// When the recipient's key is unusable, or the message too large.
pub fn seal(
    domain: &Domain,
    signer: &PrivateKeySigner,
    recipient: (Address, B256),
    deadline: u64,
    plain: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
    let (recipient, key) = recipient;
    let sender = signer.address();
    let sealed = seal::seal(key, SealedFor::Peer, &context(sender, recipient), plain)?;
    let digest = domain.digest(&statement(sender, recipient, deadline, &sealed));
    let signature = signer
        .sign_hash_sync(&digest)
        .map_err(|error| EnvelopeError::Signing(error.to_string()))?;
    let wire = Wire {
        sender: ByteArray::from(sender.into_array()),
        recipient: ByteArray::from(recipient.into_array()),
        deadline,
        signature: ByteArray::from(signature.as_bytes()),
        sealed: sealed.as_slice().into(),
    };
    let envelope = minicbor::to_vec(&wire).expect("writing to a vector cannot fail");
    if envelope.len() > MAX_ENVELOPE_BYTES {
        return Err(EnvelopeError::TooLarge(envelope.len()));
    }
    Ok(envelope)
}

impl<'a> Parts<'a> {
    /// Takes an envelope apart without copying what is sealed in it.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`], [`EnvelopeError::Malformed`].
    pub fn read(envelope: &'a [u8]) -> Result<Self, EnvelopeError> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(EnvelopeError::TooLarge(envelope.len()));
        }
        let malformed = |reason: String| EnvelopeError::Malformed(reason);
        let mut decoder = Decoder::new(envelope);
        let wire: Wire<'a> = decoder
            .decode()
            .map_err(|error| malformed(error.to_string()))?;
        if decoder.position() != envelope.len() {
            return Err(malformed("there are bytes behind its end".into()));
        }
        Ok(Self {
            sender: Address::from(*wire.sender),
            recipient: Address::from(*wire.recipient),
            deadline: wire.deadline,
            signature: *wire.signature,
            sealed: wire.sealed,
        })
    }

    /// Whether it is for `recipient`, in time, and signed by its sender.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(
        &self,
        domain: &Domain,
        recipient: Address,
        time: u64,
    ) -> Result<(), EnvelopeError> {
        if self.recipient != recipient {
            return Err(EnvelopeError::OtherRecipient {
                expected: recipient,
                actual: self.recipient,
            });
        }
        if self.deadline < time || self.deadline - time > MAX_MESSAGE_LIFETIME_MS {
            return Err(EnvelopeError::Deadline {
                deadline: self.deadline,
                time,
            });
        }
        let statement = statement(self.sender, self.recipient, self.deadline, self.sealed);
        if !domain.is_signed_by(&statement, &self.signature, self.sender) {
            return Err(EnvelopeError::BadSignature(self.sender));
        }
        Ok(())
    }

    /// Opens what is sealed in it.
    ///
    /// # Errors
    /// When it was not sealed to `secret`, or is no known message.
    pub fn open(&self, secret: &SealingSecret) -> Result<Content, EnvelopeError> {
        let context = context(self.sender, self.recipient);
        let plain = seal::open(secret, SealedFor::Peer, &context, self.sealed)?;
        message::decode(&plain).map_err(EnvelopeError::Malformed)
    }
}

fn context(sender: Address, recipient: Address) -> [u8; 40] {
    let mut context = [0; 40];
    context[..20].copy_from_slice(sender.as_slice());
    context[20..].copy_from_slice(recipient.as_slice());
    context
}

fn statement(sender: Address, recipient: Address, deadline: u64, sealed: &[u8]) -> PeerMessage {
    PeerMessage {
        sender,
        recipient,
        content: sha256d(&[sealed]),
        deadline,
    }
}

#[cfg(test)]
mod tests;
