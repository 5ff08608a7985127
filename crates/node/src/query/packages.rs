//! A package: its download, its reports, its lease, its blocks, its end.

use std::io::SeekFrom;
use std::ops::Range;

use axum::Json;
use axum::body::Body as Answer;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use medshare_protocol::id::PackageId;
use medshare_protocol::wire::{
    self, DeletionSubmission, Dossier, LastReport, PackageBlocks, RenewalSubmission, ReportAnswer,
    ReportSubmission, SessionEndSubmission, SignedDisclosure,
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::input::{Body, Id};
use super::problem::Problem;
use super::range::{Wanted, wanted};
use crate::error::NodeError;
use crate::service::{ContainerFile, Node};

/// A file goes out in pieces of so many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// The sealed container. Byte ranges are served, so a broken download goes on (P16).
#[utoipa::path(get, path = "/v1/packages/{id}", tag = "packages", params(("id" = String, Path)), responses(
    (status = OK, description = "The container", content_type = "application/octet-stream"),
    (status = PARTIAL_CONTENT, description = "The bytes asked for", content_type = "application/octet-stream"),
    (status = NOT_MODIFIED, description = "The one whose `ETag` was given"),
    (status = RANGE_NOT_SATISFIABLE, body = wire::Problem, content_type = "application/problem+json"),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn download(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let container = node.container(id).await?;
    let tag = format!("\"{}\"", container.container_hash);
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if header(IF_NONE_MATCH).is_some_and(|tags| tags == "*" || tags.contains(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    // A range of an earlier file would be spliced into this one.
    let is_same = header(IF_RANGE).is_none_or(|expected| expected == tag);
    let range = header(RANGE).filter(|_| is_same);
    let length = container.length;
    let (status, part) = match wanted(range, length) {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::NotSatisfiable => {
            let behind = [(CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((behind, Problem::range_not_satisfiable(length)).into_response());
        }
    };
    let mut response = stream(node, id, &container, part.clone())
        .await?
        .into_response();
    *response.status_mut() = status;
    let mut set = |name: HeaderName, value: String| {
        let value = value
            .parse()
            .expect("digits, hexadecimal digits and plain ASCII");
        response.headers_mut().insert(name, value);
    };
    set(CONTENT_TYPE, "application/octet-stream".into());
    set(CONTENT_LENGTH, (part.end - part.start).to_string());
    set(ACCEPT_RANGES, "bytes".into());
    set(CACHE_CONTROL, "no-store".into());
    set(ETAG, tag);
    if status == StatusCode::PARTIAL_CONTENT {
        set(
            CONTENT_RANGE,
            format!("bytes {}-{}/{length}", part.start, part.end - 1),
        );
    }
    Ok(response)
}

/// Sends a part of the file from disk, piece by piece, and notes the delivery of a whole one.
async fn stream(
    node: Node,
    id: PackageId,
    container: &ContainerFile,
    part: Range<u64>,
) -> Result<Answer, Problem> {
    let unreadable = |error: std::io::Error| {
        NodeError::Internal(format!(
            "{} cannot be read: {error}",
            container.path.display()
        ))
    };
    let mut file = tokio::fs::File::open(&container.path)
        .await
        .map_err(unreadable)?;
    file.seek(SeekFrom::Start(part.start))
        .await
        .map_err(unreadable)?;
    let pieces = ReaderStream::with_capacity(file.take(part.end - part.start), PIECE_BYTES);
    // A range says nothing about the rest: what was pieced together is delivered when it is opened (P16).
    let is_whole = part == (0..container.length);
    let mut left = part.end - part.start;
    // With the file's last piece, because nobody asks for more once all the bytes that were announced are there.
    let pieces = pieces.then(move |piece| {
        left = left.saturating_sub(piece.as_ref().map_or(0, |bytes| bytes.len() as u64));
        let node = (is_whole && left == 0).then(|| node.clone());
        async move {
            if let Some(node) = node
                && let Err(error) = node.delivered(id).await
            {
                tracing::warn!(%id, %error, "the delivery could not be noted");
            }
            piece
        }
    });
    Ok(Answer::from_stream(pieces))
}

/// Takes a report of what was done to the data; answers with a receipt and a lease (P17, P18).
#[utoipa::path(post, path = "/v1/packages/{id}/reports", tag = "packages", params(("id" = String, Path)),
    request_body = ReportSubmission, responses(
    (status = OK, body = ReportAnswer),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
    (status = CONFLICT, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn report(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Body(submission): Body<ReportSubmission>,
) -> Result<Json<ReportAnswer>, Problem> {
    Ok(Json(node.report(id, submission).await?))
}

/// Where the report chain stands, for a client that opens again.
#[utoipa::path(get, path = "/v1/packages/{id}/reports/last", tag = "packages", params(("id" = String, Path)),
    responses(
    (status = OK, body = LastReport),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn last_report(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
) -> Result<Json<LastReport>, Problem> {
    Ok(Json(node.last_report(id).await?))
}

/// Makes a lease longer.
#[utoipa::path(post, path = "/v1/packages/{id}/lease", tag = "packages", params(("id" = String, Path)),
    request_body = RenewalSubmission, responses(
    (status = OK, body = ReportAnswer),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
    (status = CONFLICT, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn renew(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Body(submission): Body<RenewalSubmission>,
) -> Result<Json<ReportAnswer>, Problem> {
    Ok(Json(node.renew(id, submission).await?))
}

/// Ends a session, so that the next opening need not wait for its lease to run out.
#[utoipa::path(post, path = "/v1/packages/{id}/lease/end", tag = "packages", params(("id" = String, Path)),
    request_body = SessionEndSubmission, responses(
    (status = OK, body = ReportAnswer),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
    (status = CONFLICT, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn end_session(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Body(submission): Body<SessionEndSubmission>,
) -> Result<Json<ReportAnswer>, Problem> {
    Ok(Json(node.end_session(id, submission).await?))
}

/// Takes the requestor's word that the data is deleted (P19).
#[utoipa::path(post, path = "/v1/packages/{id}/deletion", tag = "packages", params(("id" = String, Path)),
    request_body = DeletionSubmission, responses(
    (status = NO_CONTENT, description = "Kept"),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn submit_deletion(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Body(submission): Body<DeletionSubmission>,
) -> Result<StatusCode, Problem> {
    node.deletion(id, submission).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The requestor's word that the data is deleted: what the custodian's `retrieve` needs.
#[utoipa::path(get, path = "/v1/packages/{id}/deletion", tag = "packages", params(("id" = String, Path)), responses(
    (status = OK, body = DeletionSubmission),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn deletion(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
) -> Result<Json<DeletionSubmission>, Problem> {
    let kept = node.deletion_of(id).await?;
    let missing = || {
        NodeError::NotFound(format!(
            "the requestor has not yet said that {id} is deleted"
        ))
    };
    Ok(Json(kept.ok_or_else(missing)?))
}

/// What the node holds about a package besides its blocks. For its requestor and its custodian, who sign the question.
#[utoipa::path(post, path = "/v1/packages/{id}/dossier", tag = "packages", params(("id" = String, Path)),
    request_body = SignedDisclosure, responses(
    (status = OK, body = Dossier),
    (status = FORBIDDEN, body = wire::Problem, content_type = "application/problem+json"),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
    (status = CONFLICT, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn dossier(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
    Body(asked): Body<SignedDisclosure>,
) -> Result<Json<Dossier>, Problem> {
    Ok(Json(node.dossier(id, asked).await?))
}

/// All blocks of a package in one query (P8).
#[utoipa::path(get, path = "/v1/packages/{id}/blocks", tag = "ledger", params(("id" = String, Path)), responses(
    (status = OK, body = PackageBlocks),
    (status = NOT_FOUND, body = wire::Problem, content_type = "application/problem+json"),
))]
pub(super) async fn blocks(
    State(node): State<Node>,
    Id(id): Id<PackageId>,
) -> Result<Json<PackageBlocks>, Problem> {
    Ok(Json(node.package_blocks(id).await?))
}
