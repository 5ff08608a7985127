//! What a contract gave as its reason, in the errors of different endpoints.

use alloy::primitives::Bytes;
use serde_json::Value;

/// The data that a call or an estimate reverted with; empty when the contract gave no reason, nothing when it is not the
/// contract that refused. `data`: the error's, as JSON.
pub(super) fn revert_data(message: &str, data: Option<&str>) -> Option<Bytes> {
    // geth, reth, Besu, anvil and Hardhat all say "revert"; there is no code that they share.
    message
        .contains("revert")
        .then(|| data.and_then(given_reason).unwrap_or_default())
}

/// At Hardhat it is a field of the error's data, which may stand beside the hash of a transaction.
fn given_reason(data: &str) -> Option<Bytes> {
    let data: Value = serde_json::from_str(data).ok()?;
    data.get("data").unwrap_or(&data).as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARDHAT: &str = "Error: VM Exception while processing transaction: reverted with an unrecognized custom error (return data: 0x2a7c6b6e)";

    #[test]
    fn the_reason_is_found_where_each_endpoint_puts_it() {
        let reason = Bytes::from_static(&[0x2a, 0x7c, 0x6b, 0x6e]);
        for (message, data) in [
            ("execution reverted", r#""0x2a7c6b6e""#),
            ("Execution reverted", r#""0x2a7c6b6e""#),
            (HARDHAT, r#"{"message":"Error: …","data":"0x2a7c6b6e"}"#),
            (
                HARDHAT,
                r#"{"a":"0x","txHash":"0x4be1","data":"0x2a7c6b6e"}"#,
            ),
        ] {
            assert_eq!(
                revert_data(message, Some(data)),
                Some(reason.clone()),
                "{data}"
            );
        }
    }

    #[test]
    fn no_reason_is_told_from_no_revert() {
        for data in [
            None,
            Some(r#""0x""#),
            Some(r#"{"data":"0x"}"#),
            Some(r#"["?"]"#),
            Some("{"),
        ] {
            assert_eq!(
                revert_data("execution reverted", data),
                Some(Bytes::new()),
                "{data:?}"
            );
        }
        let out_of_gas = revert_data("Transaction ran out of gas", Some(r#"{"data":"0x"}"#));
        assert_eq!(out_of_gas, None);
    }
}
