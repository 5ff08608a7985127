//! Keyed pseudonyms: the same value under the same key is the same person, and without the key
//! nobody can try values.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::table::Column;

const DOMAIN: &[u8] = b"medshare/pseudonym/v1";
/// Bytes of the HMAC that a pseudonym shows, in hexadecimal: 128 bits, so that no two of even
/// 2^40 persons collide by chance.
pub(crate) const PSEUDONYM_BYTES: usize = 16;

/// Replaces each value by the first 16 bytes, in hexadecimal, of
/// `HMAC-SHA256(key, "medshare/pseudonym/v1" ‖ length of the column's name as u32 BE ‖ name ‖ value)`
/// (RFC 2104). The length keeps column `ab` with value `c` apart from column `a` with `bc`. An
/// empty cell stays empty: persons whose number is missing are not one person.
pub(crate) fn pseudonymise(column: &Column, key: &[u8; 32]) -> Column {
    let mut keyed = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    keyed.update(DOMAIN);
    keyed.update(&(column.name().len() as u32).to_be_bytes());
    keyed.update(column.name().as_bytes());
    let values: Vec<Arc<str>> = column
        .values()
        .iter()
        .map(|value| {
            if value.is_empty() {
                return Arc::clone(value);
            }
            let digest = keyed.clone().chain_update(value.as_bytes()).finalize();
            hex::encode(&digest.into_bytes()[..PSEUDONYM_BYTES]).into()
        })
        .collect();
    Column::recoded(
        Arc::clone(column.name()),
        column.codes().iter().copied(),
        &values,
    )
}

/// Whether a cell looks like what [`pseudonymise`] writes.
pub(crate) fn is_pseudonym(cell: &str) -> bool {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    cell.is_empty() || (cell.len() == 2 * PSEUDONYM_BYTES && cell.bytes().all(hexadecimal))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::Table;

    fn pseudonyms(csv: &str, key: u8) -> Vec<String> {
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
        let column = pseudonymise(&table.columns()[0], &[key; 32]);
        column
            .values()
            .iter()
            .map(|value| value.to_string())
            .collect()
    }

    #[test]
    fn a_pseudonym_is_the_documented_hmac() {
        // Python: hmac.new(bytes([7])*32, b"medshare/pseudonym/v1" + (3).to_bytes(4, "big") + b"mrn" + b"A-17", "sha256").hexdigest()[:32]
        assert_eq!(
            pseudonyms("mrn\nA-17\n", 7),
            ["4c3fb2fec31e54db77ff5933b290fd87"]
        );
    }

    #[test]
    fn equal_values_stay_equal_and_columns_and_keys_differ() {
        let twice = pseudonyms("mrn\n1\n2\n1\n", 7);
        assert_eq!(twice.len(), 2);
        assert_ne!(twice[0], pseudonyms("mrn\n1\n", 8)[0]);
        assert_ne!(pseudonyms("ab\nc\n", 7), pseudonyms("a\nbc\n", 7));
        assert!(twice.iter().all(|value| is_pseudonym(value)));
        assert!(!is_pseudonym("4711") && !is_pseudonym(&"G".repeat(32)));
    }

    #[test]
    fn a_missing_value_stays_missing() {
        assert_eq!(pseudonyms("mrn,x\n,1\n", 7), [""]);
    }
}
