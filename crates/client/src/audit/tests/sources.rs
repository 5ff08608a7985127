//! Records from a node over HTTP, and sources that cannot be asked.

use std::path::PathBuf;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use medshare_chain::{Address, B256};
use medshare_protocol::block::{MAX_RECORD_BYTES, Place};
use medshare_protocol::id::{LeafHash, PackageId};
use medshare_protocol::wire::NodeInfo;

use super::world::World;
use crate::api::{ApiError, NodeApi};
use crate::audit::{AuditError, AuditProgress, BlockSource, Records, audit, audit_with};

/// A node that serves a folder of records and says that it is of this deployment.
async fn serve(folder: PathBuf, chain_id: u64, contract: Address) -> String {
    let info = NodeInfo {
        version: "0".into(),
        node: Address::ZERO,
        custodian: Address::ZERO,
        sealing_key: B256::ZERO,
        chain_id,
        contract,
        lease_seconds: 60,
    };
    let router = Router::new()
        .route("/v1/info", get(async move || axum::Json(info)))
        .route("/v1/blocks/{leaf}", get(block))
        .with_state(folder);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn block(
    State(folder): State<PathBuf>,
    Path(leaf): Path<LeafHash>,
) -> Result<Vec<u8>, StatusCode> {
    std::fs::read(folder.join(BlockSource::file_name(leaf))).map_err(|_| StatusCode::NOT_FOUND)
}

#[tokio::test]
async fn a_node_is_asked_for_every_record() {
    let world = super::lively().await;
    let chain = &world.governance;
    let url = serve(
        world.folder.path().into(),
        chain.chain_id(),
        chain.contract(),
    )
    .await;
    let seen = std::sync::Mutex::new(Vec::new());
    let report = audit(chain, &url, &|progress| seen.lock().unwrap().push(progress))
        .await
        .unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.source, url);
    let (evm_block, blocks) = (report.evm_block, report.parent_blocks + report.side_blocks);
    let expected = AuditProgress {
        evm_block,
        last_evm_block: evm_block,
        blocks,
    };
    assert_eq!(*seen.lock().unwrap(), [expected]);

    let package = world.told().await.1.packages.into_keys().next().unwrap();
    std::fs::remove_file(world.file(world.leaf(package))).unwrap();
    let report = audit(chain, &url, &|_| ()).await.unwrap();
    assert_eq!(report.bodies_missing, 1);
    assert_eq!(report.findings[0].served_by, Some(url));
}

#[tokio::test]
async fn of_a_record_that_does_not_end_no_more_is_held_than_it_takes_to_refuse_it() {
    let mut world = World::new().await;
    let package = world.issue(1).await;
    let leaf = world.leaf(package);
    let mut record = std::fs::read(world.file(leaf)).unwrap();
    record.resize(4 * 1024 * 1024, 0);
    std::fs::write(world.file(leaf), record).unwrap();
    let chain = &world.governance;
    let folder = world.folder.path().to_owned();
    let url = serve(folder, chain.chain_id(), chain.contract()).await;
    let served = NodeApi::new(&url)
        .unwrap()
        .block(leaf, Place::Parent(package))
        .await
        .unwrap();
    assert_eq!(served.unwrap().len(), MAX_RECORD_BYTES + 1);
    let report = audit(chain, &url, &|_| ()).await.unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].fault.kind(), "leaf");
}

#[tokio::test]
async fn a_node_of_another_deployment_is_not_asked() {
    let world = World::new().await;
    let url = serve(world.folder.path().into(), 1, Address::repeat_byte(7)).await;
    let error = audit(&world.governance, &url, &|_| ()).await.unwrap_err();
    assert!(
        matches!(error, AuditError::OtherDeployment { node_chain: 1, .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("check the node's address and the contract's")
    );
}

#[tokio::test]
async fn sources_that_cannot_be_asked_are_no_findings() {
    let world = World::new().await;
    let chain = &world.governance;
    let closed = audit(chain, "http://127.0.0.1:9", &|_| ())
        .await
        .unwrap_err();
    assert!(
        matches!(closed, AuditError::Node(ApiError::Unreachable { .. })),
        "{closed}"
    );
    let bad = audit(chain, "not an address", &|_| ()).await.unwrap_err();
    assert!(
        matches!(bad, AuditError::Node(ApiError::BadUrl(_))),
        "{bad}"
    );
    for path in [
        world.folder.path().join("missing"),
        file_in(world.folder.path()),
    ] {
        let source = BlockSource::Directory(path);
        let error = audit_with(chain, &source, &|_| ()).await.unwrap_err();
        assert!(matches!(error, AuditError::Folder { .. }), "{error}");
    }
}

fn file_in(folder: &std::path::Path) -> PathBuf {
    let file = folder.join("a file");
    std::fs::write(&file, "").unwrap();
    file
}

/// A pipe that is named like a record would never be read, and a folder cannot be: the other records are audited all the same.
#[tokio::test]
async fn what_is_no_file_is_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let leaf = LeafHash::default();
    let path = folder.path().join(BlockSource::file_name(leaf));
    let source = BlockSource::Directory(folder.path().to_owned());
    let fetched = || source.fetch(leaf, Place::Parent(PackageId::default()));
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert_eq!(fetched().await.unwrap(), None);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(fetched().await.unwrap(), None);
    std::fs::remove_dir(&path).unwrap();
    // To itself.
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert_eq!(fetched().await.unwrap(), None);
    std::fs::remove_file(&path).unwrap();
    // A file whose bytes cannot be read, as on a damaged disk.
    std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap();
    assert_eq!(fetched().await.unwrap(), None);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"a record").unwrap();
    assert_eq!(fetched().await.unwrap(), Some(b"a record".to_vec()));
}
