//! The JSON of a keystore file, and how it gets onto the disk.

use std::io::{self, Write};
use std::path::Path;

use alloy::hex;
use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

/// The one version there is.
const VERSION: u8 = 3;
/// The one cipher that is in use.
const CIPHER: &str = "aes-128-ctr";
/// Most memory that deriving a key may take, bytes (128 · n · r). geth's files take 256 MiB.
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
/// Most passes that deriving a key may take.
const MAX_SCRYPT_PARALLEL: u32 = 16;

/// A checked keystore.
pub(super) struct Keystore {
    pub(super) address: Option<Address>,
    pub(super) crypto: Crypto,
}

/// What is needed to open it. `Scrypt` is within the limits.
pub(super) struct Crypto {
    pub(super) iv: [u8; 16],
    pub(super) ciphertext: [u8; 32],
    pub(super) scrypt: Scrypt,
    pub(super) salt: Vec<u8>,
    pub(super) mac: B256,
}

/// Cost of deriving the key (RFC 7914).
#[derive(Clone, Copy)]
pub(super) struct Scrypt {
    pub(super) log_n: u8,
    pub(super) r: u32,
    pub(super) p: u32,
}

#[derive(Serialize, Deserialize)]
struct Json {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(alias = "Crypto")]
    crypto: CryptoJson,
    #[serde(default)]
    id: String,
    version: u8,
}

#[derive(Serialize, Deserialize)]
struct CryptoJson {
    cipher: String,
    cipherparams: CipherJson,
    ciphertext: String,
    kdf: String,
    kdfparams: serde_json::Value,
    mac: String,
}

#[derive(Serialize, Deserialize)]
struct CipherJson {
    iv: String,
}

#[derive(Serialize, Deserialize)]
struct ScryptJson {
    dklen: u32,
    n: u64,
    p: u32,
    r: u32,
    salt: String,
}

impl Keystore {
    /// Reads and checks a file's text. The error says what is wrong and repeats nothing of the content.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if json.version != VERSION {
            return Err(format!("its version is {}", json.version));
        }
        if json.crypto.cipher != CIPHER {
            return Err(format!("its cipher is not {CIPHER}"));
        }
        if json.crypto.kdf != "scrypt" {
            return Err(
                "its key derivation is not scrypt: make it anew with `cast wallet import`".into(),
            );
        }
        let derivation: ScryptJson =
            serde_json::from_value(json.crypto.kdfparams).map_err(|error| error.to_string())?;
        let address = json.address.filter(|text| !text.is_empty());
        let address = address.map(|text| fixed::<20>(&text, "address").map(Address::new));
        Ok(Self {
            address: address.transpose()?,
            crypto: Crypto {
                iv: fixed(&json.crypto.cipherparams.iv, "iv")?,
                ciphertext: fixed(&json.crypto.ciphertext, "ciphertext")?,
                scrypt: derivation.checked()?,
                salt: hex::decode(&derivation.salt).map_err(|_| "its salt is not hexadecimal")?,
                mac: B256::new(fixed(&json.crypto.mac, "mac")?),
            },
        })
    }

    /// The text of a new file. `id` becomes a random UUID (RFC 9562, version 4).
    pub(super) fn text(crypto: Crypto, address: Option<Address>, id: &[u8; 16]) -> String {
        let derivation = ScryptJson {
            dklen: 32,
            n: 1 << crypto.scrypt.log_n,
            p: crypto.scrypt.p,
            r: crypto.scrypt.r,
            salt: hex::encode(crypto.salt),
        };
        let json = Json {
            address: address.map(hex::encode),
            crypto: CryptoJson {
                cipher: CIPHER.into(),
                cipherparams: CipherJson {
                    iv: hex::encode(crypto.iv),
                },
                ciphertext: hex::encode(crypto.ciphertext),
                kdf: "scrypt".into(),
                kdfparams: serde_json::to_value(derivation).expect("strings and numbers"),
                mac: hex::encode(crypto.mac),
            },
            id: uuid(*id),
            version: VERSION,
        };
        serde_json::to_string(&json).expect("strings and numbers")
    }
}

impl ScryptJson {
    /// A hostile file could ask for all the memory there is.
    fn checked(&self) -> Result<Scrypt, String> {
        if self.dklen != 32 {
            return Err(format!("its derived key has {} bytes, not 32", self.dklen));
        }
        let memory = self
            .n
            .checked_mul(128)
            .and_then(|bytes| bytes.checked_mul(self.r.into()));
        let affordable = memory.is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES);
        let out_of_range = || {
            let Self { n, r, p, .. } = self;
            format!("its scrypt cost n={n} r={r} p={p} is out of range")
        };
        let sound = self.n.is_power_of_two() && self.n > 1 && self.r > 0 && self.p > 0;
        if !sound || !affordable || self.p > MAX_SCRYPT_PARALLEL {
            return Err(out_of_range());
        }
        let log_n = u8::try_from(self.n.trailing_zeros()).expect("a u64 has 64 bits");
        let (r, p) = (self.r, self.p);
        scrypt::Params::new(log_n, r, p).map_err(|_| out_of_range())?;
        Ok(Scrypt { log_n, r, p })
    }
}

fn fixed<const N: usize>(text: &str, name: &str) -> Result<[u8; N], String> {
    let bytes: Bytes = text
        .parse()
        .map_err(|_| format!("its {name} is not hexadecimal"))?;
    let length = bytes.len();
    bytes
        .as_ref()
        .try_into()
        .map_err(|_| format!("its {name} has {length} bytes, not {N}"))
}

fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    let groups = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    groups.join("-")
}

/// Puts a new file in its place: whole, durable, readable by its owner alone, and never over another one.
pub(super) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // `tempfile` creates with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}
