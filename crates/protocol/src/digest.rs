//! SHA-256 and its double, as Bitcoin has it.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

/// sha256 of the parts, one behind the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> B256 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    B256::new(hasher.finalize().into())
}

/// sha256(sha256(parts)), in internal byte order.
#[must_use]
pub fn sha256d(parts: &[&[u8]]) -> B256 {
    sha256(&[sha256(parts).as_slice()])
}

/// Streaming sha256, for files.
#[derive(Clone, Default, Debug)]
pub struct Sha256Stream(Sha256);

impl Sha256Stream {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken in.
    #[must_use]
    pub fn finish(self) -> B256 {
        B256::new(self.0.finalize().into())
    }
}

/// Streaming sha256d, for files.
#[derive(Clone, Default, Debug)]
pub struct Sha256d(Sha256);

impl Sha256d {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken in.
    #[must_use]
    pub fn finish(self) -> B256 {
        let once: [u8; 32] = self.0.finalize().into();
        sha256(&[&once])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    #[test]
    fn double_sha256_of_hello_is_the_published_one() {
        // The example of Bitcoin's protocol documentation.
        assert_eq!(
            sha256d(&[b"hello"]),
            b256!("9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50")
        );
    }

    #[test]
    fn streaming_equals_at_once() {
        let mut stream = Sha256d::default();
        stream.update(b"he");
        stream.update(b"llo");
        assert_eq!(stream.finish(), sha256d(&[b"hello"]));
        let mut stream = Sha256Stream::default();
        stream.update(b"he");
        stream.update(b"llo");
        assert_eq!(stream.finish(), sha256(&[b"hello"]));
    }
}
