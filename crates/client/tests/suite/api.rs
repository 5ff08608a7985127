//! P2: what comes over the network is bounded, checked, and asked for again only where that is safe.

use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use medshare_client::api::{ApiError, MAX_ANSWER_BYTES, NodeApi};
use serde_json::json;

use crate::stage::Stage;

/// A node that answers `/v1/info` with `route` and nothing else.
async fn answering(route: axum::routing::MethodRouter) -> NodeApi {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/v1/info", route);
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    NodeApi::new(&url).unwrap()
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let node = answering(get(|| async { vec![b' '; MAX_ANSWER_BYTES + 1] })).await;
    assert!(matches!(node.info().await, Err(ApiError::TooLong { .. })));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let node = answering(get(|| async {
        Redirect::temporary("http://elsewhere.invalid/")
    }))
    .await;
    let refused = node.info().await.unwrap_err();
    assert!(matches!(refused, ApiError::Redirected { .. }), "{refused}");
}

#[tokio::test]
async fn what_is_no_answer_of_a_node_is_named_so() {
    for body in ["", "<html>", "{\"version\":1}", "[[[[["] {
        let node = answering(get(move || async move { body })).await;
        let refused = node.info().await.unwrap_err();
        assert!(
            matches!(refused, ApiError::Malformed { .. }),
            "{body}: {refused}"
        );
        assert!(!refused.to_string().contains('\n'), "one sentence");
    }
    let node = answering(get(|| async { (StatusCode::NOT_FOUND, "nothing") })).await;
    assert!(matches!(
        node.info().await,
        Err(ApiError::Refused { status: 404, .. })
    ));
}

#[tokio::test]
async fn the_wait_that_a_node_asks_for_is_passed_on() {
    let answer = || async {
        let problem = json!({"type": "x/problems/conflict", "title": "Conflict", "status": 409, "detail": "later"});
        (StatusCode::CONFLICT, [("retry-after", "7")], Json(problem))
    };
    let refused = answering(get(answer)).await.info().await.unwrap_err();
    assert!(
        matches!(&refused, ApiError::Refused { status: 409, kind, retry_after_seconds: Some(7), .. } if kind == "conflict"),
        "{refused:?}"
    );
    assert_eq!(refused.to_string(), "later");
}

#[tokio::test]
async fn a_node_that_is_not_there_is_named_without_secrets() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let node = NodeApi::new(&format!("http://user:s3cret@127.0.0.1:{port}/path")).unwrap();
    let refused = node.info().await.unwrap_err();
    assert!(matches!(refused, ApiError::Unreachable { .. }), "{refused}");
    let text = refused.to_string();
    assert!(text.contains(&format!("http://127.0.0.1:{port}")), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("path"), "{text}");
}

#[test]
fn unusable_addresses_are_refused_before_anything_is_sent() {
    for url in [
        "",
        "127.0.0.1:8080",
        "ftp://host/",
        "http://",
        "http://host/?a=b",
        "file:///x",
    ] {
        assert!(
            matches!(NodeApi::new(url), Err(ApiError::BadUrl(_))),
            "{url}"
        );
    }
    NodeApi::new("http://host:1/behind/a/proxy/").unwrap();
}

#[tokio::test]
async fn a_busy_node_is_asked_again_and_a_refusing_one_is_not() {
    let stage = Stage::granting(&[]).await;
    let id = stage.header.package_id();
    stage.node.script().busy = 2;
    stage.requestor.node.last_report(id).await.unwrap();
    assert_eq!(stage.node.seen().calls, 3);
    stage.node.script().refuse = Some((StatusCode::FORBIDDEN, "no"));
    stage.requestor.node.last_report(id).await.unwrap_err();
    assert_eq!(stage.node.seen().calls, 4);
}
