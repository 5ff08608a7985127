//! The plain form of a message between nodes: CBOR, an array of the kind and its fields.

use alloy_primitives::{Address, B256, Bytes};
use medshare_protocol::form::Step;
use medshare_protocol::typed::{AccessRequest, Selection, Usage};
use medshare_protocol::usage::UsageContract;
use medshare_protocol::wire::SignedRequest;
use minicbor::bytes::{ByteArray, ByteSlice};
use minicbor::{Decode, Decoder, Encode};

use super::{Content, ValidationRequest};

#[derive(Encode, Decode)]
enum Message<'a> {
    #[n(0)]
    Validation(#[b(0)] Box<Validation<'a>>),
    #[n(1)]
    Block(#[b(0)] &'a ByteSlice),
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Validation<'a> {
    #[n(0)]
    request: Request,
    #[b(1)]
    signature: &'a ByteSlice,
    #[b(2)]
    descriptor: &'a ByteSlice,
    #[n(3)]
    form: Vec<Step>,
    #[b(4)]
    payload: &'a ByteSlice,
    #[n(5)]
    payload_salt: ByteArray<32>,
    #[n(6)]
    usage: UsageFields,
    #[n(7)]
    release_version: ByteArray<32>,
}

/// `AccessRequest`, field by field.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Request {
    #[n(0)]
    requestor: ByteArray<20>,
    #[n(1)]
    custodian: ByteArray<20>,
    #[n(2)]
    dataset: ByteArray<32>,
    #[n(3)]
    purpose: ByteArray<32>,
    #[n(4)]
    fields: Vec<String>,
    #[n(5)]
    filter: String,
    #[n(6)]
    salt: ByteArray<32>,
    #[n(7)]
    deadline: u64,
}

/// `Usage`, field by field.
#[derive(Encode, Decode)]
#[cbor(map)]
struct UsageFields {
    #[n(0)]
    sensitivity: u8,
    #[n(1)]
    granted: u8,
    #[n(2)]
    exempt: u8,
    #[n(3)]
    environment: u8,
    #[n(4)]
    expiry: u64,
    #[n(5)]
    contract_key: ByteArray<32>,
}

pub(super) fn encode_validation(request: &ValidationRequest) -> Vec<u8> {
    let validation = Validation {
        request: Request::of(&request.signed_request.request),
        signature: request.signed_request.signature.as_ref().into(),
        descriptor: request.descriptor_bytes.as_slice().into(),
        form: request.form.clone(),
        payload: request.payload.as_slice().into(),
        payload_salt: ByteArray::from(request.payload_salt.0),
        usage: UsageFields::of(&request.usage.typed()),
        release_version: ByteArray::from(request.release_version.0),
    };
    minicbor::to_vec(Message::Validation(Box::new(validation)))
        .expect("writing to a vector cannot fail")
}

pub(super) fn encode_block(record: &[u8]) -> Vec<u8> {
    minicbor::to_vec(Message::Block(record.into())).expect("writing to a vector cannot fail")
}

pub(super) fn decode(plain: &[u8]) -> Result<Content, String> {
    let mut decoder = Decoder::new(plain);
    let message: Message<'_> = decoder.decode().map_err(|error| error.to_string())?;
    if decoder.position() != plain.len() {
        return Err("there are bytes behind the message".into());
    }
    match message {
        Message::Validation(validation) => {
            validation.content().map(Box::new).map(Content::Validation)
        }
        Message::Block(record) => Ok(Content::Block(record.to_vec())),
    }
}

impl Validation<'_> {
    fn content(self) -> Result<ValidationRequest, String> {
        let usage = UsageContract::from_typed(&self.usage.typed())
            .ok_or("the usage contract has values that nobody knows")?;
        Ok(ValidationRequest {
            signed_request: SignedRequest {
                request: self.request.typed(),
                signature: Bytes::copy_from_slice(self.signature),
            },
            descriptor_bytes: self.descriptor.to_vec(),
            form: self.form,
            payload: self.payload.to_vec(),
            payload_salt: B256::new(*self.payload_salt),
            usage,
            release_version: B256::new(*self.release_version),
        })
    }
}

impl Request {
    fn of(request: &AccessRequest) -> Self {
        Self {
            requestor: ByteArray::from(request.requestor.into_array()),
            custodian: ByteArray::from(request.custodian.into_array()),
            dataset: ByteArray::from(request.dataset.0),
            purpose: ByteArray::from(request.purpose.0),
            fields: request.selection.fields.clone(),
            filter: request.selection.filter.clone(),
            salt: ByteArray::from(request.salt.0),
            deadline: request.deadline,
        }
    }

    fn typed(self) -> AccessRequest {
        AccessRequest {
            requestor: Address::from(*self.requestor),
            custodian: Address::from(*self.custodian),
            dataset: B256::new(*self.dataset),
            purpose: B256::new(*self.purpose),
            selection: Selection {
                fields: self.fields,
                filter: self.filter,
            },
            salt: B256::new(*self.salt),
            deadline: self.deadline,
        }
    }
}

impl UsageFields {
    fn of(usage: &Usage) -> Self {
        Self {
            sensitivity: usage.sensitivity,
            granted: usage.granted,
            exempt: usage.exempt,
            environment: usage.environment,
            expiry: usage.expiry,
            contract_key: ByteArray::from(usage.contractKey.0),
        }
    }

    fn typed(&self) -> Usage {
        Usage {
            sensitivity: self.sensitivity,
            granted: self.granted,
            exempt: self.exempt,
            environment: self.environment,
            expiry: self.expiry,
            contractKey: B256::new(*self.contract_key),
        }
    }
}
