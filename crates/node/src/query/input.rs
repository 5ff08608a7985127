//! What handlers take in: axum's extractors, with problems for what they refuse.

use std::str::FromStr;
use std::time::Duration;

use alloy_primitives::Address;
use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use medshare_protocol::block::Place;
use medshare_protocol::id::{LeafHash, PackageId};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// A client has so long to send a JSON body, seconds.
pub const JSON_BODY_SECONDS: u64 = 10;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_json(request, state, JSON_BODY_SECONDS).await.map(Self)
    }
}

/// A slow sender holds one of the node's places for so long at most.
async fn read_json<T: DeserializeOwned, S: Send + Sync>(
    request: Request,
    state: &S,
    seconds: u64,
) -> Result<T, Problem> {
    let read = Json::<T>::from_request(request, state);
    match tokio::time::timeout(Duration::from_secs(seconds), read).await {
        Ok(Ok(Json(body))) => Ok(body),
        Ok(Err(rejection)) => Err(Problem::rejected(rejection.status(), rejection.body_text())),
        Err(_) => Err(Problem::timed_out(seconds)),
    }
}

/// The bytes of a body.
pub(super) struct RawBody(pub(super) axum::body::Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::body::Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) => Err(Problem::rejected(rejection.status(), rejection.body_text())),
        }
    }
}

/// The query of an address.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Problem::bad_request(rejection.body_text())),
        }
    }
}

/// The place of a block, if one is asked for.
pub(super) fn place(
    package: Option<PackageId>,
    height: Option<u64>,
) -> Result<Option<Place>, Problem> {
    match (package, height) {
        (None, Some(_)) => Err(Problem::bad_request("height needs the package")),
        (package, height) => Ok(package.map(|package| Place::new(package, height))),
    }
}

/// An id in a path.
pub(super) struct Id<T>(pub(super) T);

/// What an id in a path is called in a problem, and how long it is.
pub(super) trait Named: FromStr {
    const NAME: &'static str;
    const DIGITS: usize = 64;
}

impl Named for PackageId {
    const NAME: &'static str = "package id";
}

impl Named for LeafHash {
    const NAME: &'static str = "leaf hash";
}

impl Named for Address {
    const NAME: &'static str = "requestor's address";
    const DIGITS: usize = 40;
}

impl<T: Named, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => id(&text).map(Self),
            Err(rejection) => Err(Problem::bad_request(rejection.body_text())),
        }
    }
}

fn id<T: Named>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| {
        Problem::bad_request(format!(
            "a {} has {} hexadecimal digits, with or without 0x",
            T::NAME,
            T::DIGITS
        ))
    })
}

/// A package's id, and the number of one of its reports.
pub(super) struct Numbered(pub(super) PackageId, pub(super) u32);

impl<S: Send + Sync> FromRequestParts<S> for Numbered {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (package, number) =
            match Path::<(String, String)>::from_request_parts(parts, state).await {
                Ok(Path(both)) => both,
                Err(rejection) => return Err(Problem::bad_request(rejection.body_text())),
            };
        let number = number.parse().map_err(|_| {
            Problem::bad_request("a report's number is a whole number from 1 to 4294967295")
        })?;
        Ok(Self(id(&package)?, number))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::response::IntoResponse;

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let silent = futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
        let request = Request::builder()
            .header("content-type", "application/json")
            .body(axum::body::Body::from_stream(silent))
            .unwrap();
        let Err(problem) = read_json::<u8, _>(request, &(), 0).await else {
            panic!("a body that never came was read");
        };
        let status = problem.into_response().status();
        assert_eq!(status, axum::http::StatusCode::REQUEST_TIMEOUT);
    }
}
