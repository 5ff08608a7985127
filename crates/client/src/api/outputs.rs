//! Outputs that are held back (SPEC §5.3).

use std::time::Duration;

use alloy_primitives::bytes::Bytes;
use medshare_protocol::id::PackageId;
use medshare_protocol::output::MAX_SEALED_OUTPUT_BYTES;
use medshare_protocol::wire::HeldOutput;
use reqwest::header::CONTENT_TYPE;

use super::{ApiError, NodeApi};

/// Longest wait until an output is sent or fetched: 64 MiB in it are 5 Mbit/s.
pub const OUTPUT_TIMEOUT: Duration = Duration::from_secs(120);

impl NodeApi {
    /// `PUT /v1/packages/{id}/outputs/{number}`: gives an output away.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn put_output(
        &self,
        id: PackageId,
        number: u32,
        sealed: Vec<u8>,
    ) -> Result<(), ApiError> {
        let url = self.url(&["packages", &id.to_string(), "outputs", &number.to_string()]);
        // Clones of it are the same bytes.
        let sealed = Bytes::from(sealed);
        let call = || {
            self.client
                .put(url.clone())
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(sealed.clone())
                .timeout(OUTPUT_TIMEOUT)
        };
        self.send(call).await.map(drop)
    }

    /// `GET /v1/packages/{id}/outputs`: what is held back, and what was decided.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn outputs(&self, id: PackageId) -> Result<Vec<HeldOutput>, ApiError> {
        self.get(&["packages", &id.to_string(), "outputs"]).await
    }

    /// `GET /v1/packages/{id}/outputs/{number}`: a released output, sealed to the requestor.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn output(&self, id: PackageId, number: u32) -> Result<Vec<u8>, ApiError> {
        let url = self.url(&["packages", &id.to_string(), "outputs", &number.to_string()]);
        let call = || self.client.get(url.clone()).timeout(OUTPUT_TIMEOUT);
        let answer = self.send(call).await?;
        let sealed = self.beginning(answer, MAX_SEALED_OUTPUT_BYTES + 1).await?;
        match sealed.len() {
            length if length > MAX_SEALED_OUTPUT_BYTES => Err(ApiError::TooLong {
                address: self.address(),
                limit: MAX_SEALED_OUTPUT_BYTES,
            }),
            _ => Ok(sealed),
        }
    }
}
