//! A package on its way, piece by piece.

use reqwest::{Response, StatusCode};

use super::error::{ApiError, printable};

/// The bytes of a container, from some byte on.
#[derive(Debug)]
pub struct ContainerStream {
    address: String,
    response: Response,
    from: u64,
    exhausted: bool,
}

impl ContainerStream {
    /// Of an answer to a question for the bytes from `from` on.
    pub(super) fn begin(address: String, response: Response, from: u64) -> Result<Self, ApiError> {
        let status = response.status();
        let malformed = |reason: &str| {
            Err(ApiError::Malformed {
                address: address.clone(),
                reason: reason.to_owned(),
            })
        };
        let (from, exhausted) = match status {
            // RFC 9110, 14.2: a server may answer a range with the whole.
            StatusCode::OK => (0, false),
            StatusCode::PARTIAL_CONTENT => match first_byte(&response) {
                Some(first) if first == from => (from, false),
                Some(_) => return malformed("it sent another range than was asked for"),
                None => return malformed("it sent a range without saying which"),
            },
            StatusCode::RANGE_NOT_SATISFIABLE => (from, true),
            other => return malformed(&printable(&format!("status {other} for a package"))),
        };
        Ok(Self {
            address,
            response,
            from,
            exhausted,
        })
    }

    /// The position of the first byte that comes: 0 when the node does not serve ranges.
    #[must_use]
    pub const fn from(&self) -> u64 {
        self.from
    }

    /// The next bytes; nothing at the end.
    ///
    /// # Errors
    /// [`ApiError`] when the connection breaks: what came is good for a later resumption.
    pub async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, ApiError> {
        if self.exhausted {
            return Ok(None);
        }
        let chunk = self.response.chunk().await;
        chunk.map_err(|error| ApiError::of_transport(self.address.clone(), &error))
    }
}

/// The first position of `Content-Range: bytes FIRST-LAST/LENGTH` (RFC 9110, 14.4).
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    range
        .strip_prefix("bytes ")?
        .split_once('-')?
        .0
        .parse()
        .ok()
}
