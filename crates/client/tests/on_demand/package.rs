//! Packages of any length, made as a node makes them: as a stream.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use alloy_primitives::{Address, B256};
use alloy_signer_local::PrivateKeySigner;
use medshare_client::content::Content;
use medshare_client::spool::overlay_of;
use medshare_protocol::digest::Sha256d;
use medshare_protocol::package::{PackageHeader, SignedHeader, write_container};
use medshare_protocol::seal::{DataKey, Share};

/// A text that stands in every payload, and in this program never but turned: so that finding it means something.
pub mod marker {
    const TURNED: [u8; 24] = *b"`|ww:wjt{usxn:qt:nrsi:x{";
    const TURN: u8 = 0x1a;

    pub fn write(into: &mut [u8]) {
        for (byte, turned) in into.iter_mut().zip(TURNED) {
            *byte = turned ^ TURN;
        }
    }

    pub const LENGTH: usize = TURNED.len();

    pub fn is_in(bytes: &[u8]) -> bool {
        let first = TURNED[0] ^ TURN;
        bytes.windows(LENGTH).any(|window| {
            window[0] == first
                && window
                    .iter()
                    .zip(TURNED)
                    .all(|(byte, turned)| byte ^ TURN == turned)
        })
    }
}

/// Byte `at` and those behind it.
pub fn fill(at: u64, into: &mut [u8]) {
    const LINE: u64 = 64;
    let mut done = 0;
    while done < into.len() {
        let position = at + done as u64;
        let mut line = [b','; LINE as usize];
        marker::write(&mut line);
        let number = (position / LINE).to_le_bytes().map(|byte| byte | 0x20);
        line[marker::LENGTH..marker::LENGTH + 8].copy_from_slice(&number);
        line[LINE as usize - 1] = b'\n';
        let rest = &line[usize::try_from(position % LINE).unwrap()..];
        let count = rest.len().min(into.len() - done);
        into[done..done + count].copy_from_slice(&rest[..count]);
        done += count;
        // No copy stays on the stack, where it would be found.
        std::hint::black_box(&mut line).fill(0);
    }
}

struct Payload {
    at: u64,
    length: u64,
}

impl Read for Payload {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.length - self.at).unwrap();
        let count = rest.min(into.len());
        fill(self.at, &mut into[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

fn shares() -> [Share; 2] {
    [[1; 32], [2; 32]].map(|bytes| Share::from_slice(&bytes).unwrap())
}

pub fn write_package(path: &Path, length: u64) {
    let signer = PrivateKeySigner::random();
    let mut hash = Sha256d::default();
    hash.update(B256::ZERO.as_slice());
    let mut payload = Payload { at: 0, length };
    let mut piece = vec![0; 1 << 20];
    loop {
        let count = payload.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        hash.update(&piece[..count]);
    }
    let header = PackageHeader {
        dataset: B256::ZERO,
        package: B256::ZERO,
        node: signer.address(),
        owner: Address::ZERO,
        requestor: Address::ZERO,
        payload_hash: hash.finish(),
        payload_salt: B256::ZERO,
        payload_length: length,
        media_type: "text/csv".into(),
        verifier: Address::ZERO,
        processed: 0,
        chain_id: 1,
        contract: Address::ZERO,
        sensitivity: 1,
        granted: 1,
        exempt: 0,
        environment: 0,
        expiry: 0,
        contract_key: B256::ZERO,
        sealed_share: vec![0; 80],
    };
    let header = header.sign(&signer).unwrap();
    let [requestor, custodian] = shares();
    let key = DataKey::derive(&header.bytes, &requestor, &custodian);
    let mut file = File::create(path).unwrap();
    let mut payload = Payload { at: 0, length };
    write_container(&header, &key, &mut payload, &mut file).unwrap();
}

pub fn open(path: &Path) -> (SignedHeader, Content) {
    let file = File::open(path).unwrap();
    let header = SignedHeader::read(&mut BufReader::with_capacity(512, &file)).unwrap();
    let [requestor, custodian] = shares();
    let key = DataKey::derive(&header.bytes, &requestor, &custodian);
    let content = Content::open(file, &header, &key, overlay_of(path)).unwrap();
    (header, content)
}
