//! What can go wrong between us and a node.

use std::error::Error;

use medshare_protocol::id::PackageId;
use medshare_protocol::wire::Problem;
use reqwest::{Response, StatusCode};

/// At most so many characters of a foreign text are shown.
const MAX_SHOWN_CHARS: usize = 600;

/// Why a call to a node failed. Addresses are shown as scheme, host and port only.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The configured address is unusable.
    #[error("the node's address is not usable ({0}): give one such as http://127.0.0.1:8080")]
    BadUrl(String),
    /// Nobody answers there, or the connection broke.
    #[error("cannot reach the node {address} ({reason}): is it running, and is the address right?")]
    Unreachable {
        /// Scheme, host and port.
        address: String,
        /// What the network said.
        reason: String,
    },
    /// A request went out, again and again, and no answer came: it may be recorded.
    #[error(
        "no answer to the request came; it may have been recorded all the same, and `medshare status {id}` tells: {error}"
    )]
    Unconfirmed {
        /// The request.
        id: PackageId,
        /// What became of the last attempt.
        error: Box<ApiError>,
    },
    /// It took too long.
    #[error("the node {address} did not answer in time: try again later")]
    TimedOut {
        /// Scheme, host and port.
        address: String,
    },
    /// The node refused, with its reason.
    #[error("{detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The last word of the problem's type (RFC 9457).
        kind: String,
        /// What happened and what to do, in the node's words.
        detail: String,
        /// After how many seconds another try makes sense, as the node says.
        retry_after_seconds: Option<u64>,
    },
    /// It points elsewhere; that is not followed.
    #[error("the node {address} redirects elsewhere; give the address of the node itself")]
    Redirected {
        /// Scheme, host and port.
        address: String,
    },
    /// The answer is too long.
    #[error("the node {address} answered with more than {limit} bytes; nothing of it was used")]
    TooLong {
        /// Scheme, host and port.
        address: String,
        /// How many are taken.
        limit: usize,
    },
    /// The answer is not what was asked for.
    #[error(
        "the node {address} answered something unreadable ({reason}): is it a MeDShare node of this version?"
    )]
    Malformed {
        /// Scheme, host and port.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ApiError {
    /// Whether the same call may succeed later: the network or the node's load was the trouble, not the call.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Unconfirmed { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    pub(crate) fn of_transport(address: String, error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut { address }
        } else {
            Self::Unreachable {
                address,
                reason: root_cause(error),
            }
        }
    }

    pub(crate) fn of_answer(
        address: String,
        status: StatusCode,
        retry_after_seconds: Option<u64>,
        body: &[u8],
    ) -> Self {
        let (kind, detail) = match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => {
                let kind = problem.kind.rsplit('/').next().unwrap_or_default();
                (printable(kind), printable(&problem.detail))
            }
            Err(_) => (
                String::new(),
                format!("the node {address} answered with status {status}"),
            ),
        };
        Self::Refused {
            status: status.as_u16(),
            kind,
            detail,
            retry_after_seconds,
        }
    }
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3); its date form is not used between our own programs.
pub(crate) fn retry_after(response: &Response) -> Option<u64> {
    response
        .headers()
        .get("retry-after")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The innermost error: the outer ones show the whole address.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<reqwest::Error>() {
        Some(_) => "the connection failed".into(),
        None => printable(&innermost.to_string()),
    }
}

/// A foreign text, shortened and without characters that would move the cursor of a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(MAX_SHOWN_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> ApiError {
        let status = StatusCode::from_u16(status).expect("a status");
        ApiError::of_answer("http://node".into(), status, None, body.as_bytes())
    }

    #[test]
    fn the_node_s_own_words_are_passed_on() {
        let refused = answer(
            403,
            r#"{"type":"https://medshare.invalid/problems/refused","title":"Refused","status":403,"detail":"the request's signature does not hold"}"#,
        );
        assert_eq!(refused.to_string(), "the request's signature does not hold");
        assert!(
            matches!(refused, ApiError::Refused { status: 403, ref kind, .. } if kind == "refused")
        );
        assert!(!refused.may_pass());
        assert!(answer(503, "").may_pass());
        assert_eq!(
            answer(502, "<html>").to_string(),
            "the node http://node answered with status 502 Bad Gateway"
        );
    }

    #[test]
    fn foreign_texts_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a [2Jb c");
        assert_eq!(printable(&"x".repeat(9_999)).len(), MAX_SHOWN_CHARS);
    }
}
