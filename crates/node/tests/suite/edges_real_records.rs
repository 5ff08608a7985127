//! The edges on real records: 101,766 hospital encounters (Strack et al. 2014, doi 10.24432/C5230J).

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, Bytes};
use medshare_chain::{DatasetRecord, PrivateKeySigner};
use medshare_node::descriptor::Dataset;
use medshare_node::peer::ValidationRequest;
use medshare_node::release::Releases;
use medshare_node::verifier::{Facts, check};
use medshare_protocol::form::{self, Step};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::typed::{AccessRequest, Domain, Selection};
use medshare_protocol::usage::{Sensitivity, UsageContract};
use medshare_protocol::wire::SignedRequest;

const NOW: u64 = 1_700_000_000_000;

/// The committed descriptor with its files found beside the data.
fn dataset(folder: &Path, data: &Path) -> Dataset {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("examples/diabetes130/descriptor.toml")).unwrap();
    let beside = |key: &str, name: &str| {
        (
            format!("{key} = \"{name}"),
            format!("{key} = \"{}/{name}", data.display()),
        )
    };
    let mut placed = text;
    for (from, to) in [
        beside("file", "diabetic"),
        beside("hierarchy", "diabetes130"),
    ] {
        placed = placed.replace(&from, &to);
    }
    let path = folder.join("descriptor.toml");
    std::fs::write(&path, placed).unwrap();
    Dataset::load(&path).unwrap()
}

/// What a first node would send of the whole release.
fn work(
    dataset: &Dataset,
    payload: Vec<u8>,
    custodian: Address,
    sender: Address,
) -> ValidationRequest {
    let purpose: Purpose = "HRESCH".parse().unwrap();
    let requestor = Address::repeat_byte(3);
    let step = |action| Step::new(NOW, sender, action);
    ValidationRequest {
        signed_request: SignedRequest {
            request: AccessRequest {
                requestor,
                custodian,
                dataset: dataset.id.0,
                purpose: purpose.bytes(),
                selection: Selection::default(),
                salt: B256::ZERO,
                deadline: NOW,
            },
            signature: Bytes::new(),
        },
        descriptor_bytes: dataset.descriptor_bytes.clone(),
        form: vec![
            form::received(NOW, sender, requestor, purpose),
            step("authenticated"),
            form::retrieved(NOW, sender),
            step("ranked"),
            step("anonymised"),
            step("contract-generated"),
        ],
        payload,
        payload_salt: B256::ZERO,
        usage: UsageContract {
            sensitivity: Sensitivity::High,
            granted: dataset.usage.granted,
            exempt: dataset.usage.exempt,
            environment: dataset.usage.environment,
            expiry: NOW + 1,
            contract_key: B256::repeat_byte(1),
        },
        release_version: B256::ZERO,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_release_of_all_encounters_passes_the_second_node() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/diabetes130");
    if !data.exists() {
        println!("LEFT OUT: ../shared/data/diabetes130 is not there");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path(), &data.canonicalize().unwrap());
    let key = PrivateKeySigner::random();
    let kept = folder.path().join("releases");
    let release = Releases::new(kept.clone(), &key)
        .get(&dataset)
        .await
        .unwrap();
    assert_eq!(release.report.rows_in, 101_766);
    assert!(release.report.k_reached >= 5, "{:?}", release.report);
    assert_eq!(release.table.column_index("encounter_id"), None);
    let reopened = Releases::new(kept, &key).get(&dataset).await.unwrap();
    assert!(reopened.table == release.table && reopened.version == release.version);

    let (custodian, sender) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let request = work(&dataset, release.table.to_csv(), custodian, sender);
    let facts = Facts {
        domain: Domain::new(1, Address::ZERO),
        sender,
        sender_custodian: Some(custodian),
        published: Some(DatasetRecord {
            descriptor: dataset.descriptor_hash,
            purposes: Vec::new(),
            responses: Vec::new(),
        }),
        signature_holds: true,
        time: NOW,
    };
    let checked = check(&request, &facts).unwrap();
    assert_eq!(checked.measures.rows, release.report.rows_out);
    assert_eq!(checked.measures.k, release.report.k_reached);

    // One encounter left alone in its class, and the second node sees it.
    let mut thinned = request;
    let age = release.table.column_index("age").unwrap();
    let alone = release.table.value(0, age).to_owned();
    let keeps = |row| row == 0 || release.table.value(row, age) != alone;
    thinned.payload = release.table.filter_rows(keeps).to_csv();
    let refusal = check(&thinned, &facts).unwrap_err();
    assert!(
        refusal
            .reason
            .contains("the smallest class of the payload has 1 rows"),
        "{refusal}"
    );
}
