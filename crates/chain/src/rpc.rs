//! One question to the endpoint: bounded in time, asked again only where that changes nothing.

mod revert_data;

use std::future::IntoFuture;
use std::time::Duration;

use alloy::primitives::{Address, Bytes};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types::{BlockId, TransactionRequest};
use alloy::sol_types::SolCall;
use alloy::transports::{RpcError, TransportError, TransportErrorKind, TransportResult};

use crate::ChainError;
use crate::config::ChainConfig;
use crate::endpoint::Endpoint;
use crate::revert::ContractError;
use revert_data::revert_data;

/// How often a read is asked in all before it fails.
const READ_ATTEMPTS: u32 = 3;
/// Pause before the second attempt; doubled before the third, ms.
const RETRY_PAUSE_MS: u64 = 100;
/// Longest text of an endpoint's error that is passed on, in characters.
const MAX_ERROR_CHARS: usize = 300;

#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    pub(crate) provider: RootProvider,
    endpoint: Endpoint,
    timeout: Duration,
    pub(crate) poll: Duration,
    pub(crate) receipt_timeout: Duration,
    pub(crate) log_chunk_blocks: u64,
}

/// An answer that went wrong, with what a revert carried.
pub(crate) struct Failure {
    pub(crate) error: ChainError,
    pub(crate) revert: Option<Bytes>,
}

impl Failure {
    /// As an error of the contract's `function` where the contract refused.
    pub(crate) fn of(self, function: &'static str) -> ChainError {
        match self.revert {
            Some(data) => ChainError::Reverted {
                function,
                error: Box::new(ContractError::decode(&data)),
            },
            None => self.error,
        }
    }
}

impl Rpc {
    pub(crate) fn open(config: &ChainConfig) -> Result<Self, ChainError> {
        let endpoint = Endpoint::parse(&config.rpc_url)?;
        let timeout = Duration::from_millis(config.rpc_timeout_ms);
        Ok(Self {
            provider: endpoint.provider(timeout)?,
            endpoint,
            timeout,
            poll: Duration::from_millis(config.poll_ms.max(1)),
            receipt_timeout: Duration::from_millis(config.receipt_timeout_ms),
            log_chunk_blocks: config.log_chunk_blocks.max(1),
        })
    }

    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    /// Asks once.
    pub(crate) async fn once<T>(
        &self,
        method: &'static str,
        question: impl IntoFuture<Output = TransportResult<T>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.timeout, question).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failure(method, &error)),
            Err(_) => Err(self.timed_out(method)),
        }
    }

    /// Asks up to three times while the endpoint, not the question, is the trouble. For what changes nothing.
    pub(crate) async fn read<T, Q>(
        &self,
        method: &'static str,
        question: impl Fn() -> Q,
    ) -> Result<T, Failure>
    where
        Q: IntoFuture<Output = TransportResult<T>>,
    {
        let mut pause = Duration::from_millis(RETRY_PAUSE_MS);
        for _ in 1..READ_ATTEMPTS {
            match self.once(method, question()).await {
                Err(failure) if failure.error.is_transient() => tokio::time::sleep(pause).await,
                answer => return answer,
            }
            pause *= 2;
        }
        self.once(method, question()).await
    }

    /// Calls a view of the contract at `to`.
    pub(crate) async fn view<C: SolCall>(
        &self,
        to: Address,
        call: &C,
        block: BlockId,
    ) -> Result<C::Return, ChainError> {
        let request = TransactionRequest::default()
            .to(to)
            .input(call.abi_encode().into());
        let answer = self
            .read("eth_call", || {
                self.provider.call(request.clone()).block(block)
            })
            .await
            .map_err(|failure| failure.of(function_name::<C>()))?;
        C::abi_decode_returns(&answer).map_err(|error| ChainError::Malformed {
            what: function_name::<C>(),
            reason: error.to_string(),
        })
    }

    fn timed_out(&self, method: &'static str) -> Failure {
        let waited_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        Failure {
            error: ChainError::TimedOut {
                endpoint: self.endpoint(),
                method,
                waited_ms,
            },
            revert: None,
        }
    }

    fn failure(&self, method: &'static str, error: &TransportError) -> Failure {
        let endpoint = self.endpoint();
        match error {
            RpcError::ErrorResp(payload) => Failure {
                revert: revert_data(
                    &payload.message,
                    payload.data.as_ref().map(|data| data.get()),
                ),
                error: ChainError::Rpc {
                    endpoint,
                    method,
                    code: payload.code,
                    message: shorten(&payload.message),
                },
            },
            RpcError::Transport(TransportErrorKind::HttpError(http)) => Failure {
                error: ChainError::Rpc {
                    endpoint,
                    method,
                    code: i64::from(http.status),
                    message: format!("HTTP status {}", http.status),
                },
                revert: None,
            },
            RpcError::Transport(TransportErrorKind::HttpErrorWithRetryAfter { error, .. }) => {
                Failure {
                    error: ChainError::Rpc {
                        endpoint,
                        method,
                        code: i64::from(error.status),
                        message: format!("HTTP status {}", error.status),
                    },
                    revert: None,
                }
            }
            RpcError::Transport(TransportErrorKind::Custom(error)) if is_timeout(&**error) => {
                self.timed_out(method)
            }
            RpcError::Transport(kind) => Failure {
                error: ChainError::Unreachable {
                    endpoint,
                    reason: root_cause(kind),
                },
                revert: None,
            },
            RpcError::UnsupportedFeature(feature) => Failure {
                error: ChainError::Malformed {
                    what: method,
                    reason: format!("the chain does not support {feature}, which is needed"),
                },
                revert: None,
            },
            RpcError::NullResp => self.unreadable(method, "it is null"),
            other => self.unreadable(method, &shorten(&other.to_string())),
        }
    }

    fn unreadable(&self, method: &'static str, reason: &str) -> Failure {
        let reason = format!(
            "{} is no JSON-RPC endpoint of a chain? {reason}",
            self.endpoint
        );
        Failure {
            error: ChainError::Malformed {
                what: method,
                reason,
            },
            revert: None,
        }
    }
}

/// Name of a contract's function, without its types.
pub(crate) fn function_name<C: SolCall>() -> &'static str {
    C::SIGNATURE.split('(').next().unwrap_or(C::SIGNATURE)
}

fn is_timeout(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error
        .downcast_ref::<alloy::transports::http::reqwest::Error>()
        .is_some_and(alloy::transports::http::reqwest::Error::is_timeout)
}

/// The innermost error: outer ones show the whole address, and with it the keys it may carry.
fn root_cause(kind: &TransportErrorKind) -> String {
    let mut error: &dyn std::error::Error = kind;
    while let Some(source) = error.source() {
        error = source;
    }
    match error.downcast_ref::<alloy::transports::http::reqwest::Error>() {
        Some(_) => "the connection failed".into(),
        None => shorten(&error.to_string()),
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(MAX_ERROR_CHARS).collect()
}
