//! The address of the RPC endpoint: what is dialled and what may be shown of it.

use std::fmt;
use std::time::Duration;

use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use alloy::transports::Authorization;
use alloy::transports::http::reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use alloy::transports::http::reqwest::{Client, Url, redirect};

use crate::ChainError;

/// A checked HTTP address. Hosted endpoints carry keys in user, password, path and query: none of these is shown.
#[derive(Clone)]
pub(crate) struct Endpoint {
    url: Url,
    authorization: Option<HeaderValue>,
    shown: String,
}

impl Endpoint {
    /// Checks `text` and takes user and password out of it.
    pub(crate) fn parse(text: &str) -> Result<Self, ChainError> {
        let mut url =
            Url::parse(text).map_err(|error| ChainError::BadEndpoint(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ChainError::BadEndpoint(format!(
                "the scheme is {}",
                url.scheme()
            )));
        }
        let authorization = Authorization::extract_from_url(&url)
            .map(|basic| HeaderValue::from_str(&basic.to_string()))
            .transpose()
            .map_err(|_| ChainError::BadEndpoint("user or password cannot be sent".into()))?
            .map(|mut value| {
                value.set_sensitive(true);
                value
            });
        let stripped = url.set_username("").and_then(|()| url.set_password(None));
        stripped.map_err(|()| ChainError::BadEndpoint("it has no host".into()))?;
        let shown = url.origin().ascii_serialization();
        Ok(Self {
            url,
            authorization,
            shown,
        })
    }

    /// Whether it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        matches!(
            self.url.host_str(),
            Some("localhost" | "127.0.0.1" | "[::1]")
        )
    }

    /// A provider that asks here, without fillers: nonces and fees are decided in `send`.
    pub(crate) fn provider(&self, timeout: Duration) -> Result<RootProvider, ChainError> {
        let mut headers = HeaderMap::new();
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let mut client = Client::builder()
            .timeout(timeout)
            .default_headers(headers)
            // A redirect would send the calls, and the signed transactions, to somebody nobody named.
            .redirect(redirect::Policy::none());
        if self.is_local() {
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| ChainError::BadEndpoint(error.to_string()))?;
        let provider = ProviderBuilder::new()
            .disable_recommended_fillers()
            .connect_reqwest(client, self.url.clone());
        Ok(provider.root().clone())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_http_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("localhost:8545", "scheme is localhost"),
            ("ws://localhost:8545", "scheme is ws"),
            ("", "relative URL without a base"),
            ("http://", "empty host"),
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn user_and_password_leave_the_address_and_become_a_hidden_header() {
        let endpoint = Endpoint::parse("http://user:pass@localhost:8545/path").unwrap();
        assert_eq!(endpoint.url.as_str(), "http://localhost:8545/path");
        assert_eq!(endpoint.to_string(), "http://localhost:8545");
        let header = endpoint.authorization.clone().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic dXNlcjpwYXNz");
        assert!(!format!("{header:?} {endpoint:?}").contains("dXNlcjpwYXNz"));
    }
}
