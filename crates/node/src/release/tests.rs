#![allow(clippy::unwrap_used)]

use super::*;
use std::path::Path;

fn signer(byte: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap()
}

/// The example dataset in a folder that a test may change.
fn dataset(folder: &Path) -> Dataset {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for file in ["dataset.toml", "age.csv", "encounters.csv"] {
        std::fs::copy(examples.join(file), folder.join(file)).unwrap();
    }
    Dataset::load(&folder.join("dataset.toml")).unwrap()
}

fn release_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_release_is_anonymised_ranked_and_holds_no_identifier() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let release = Releases::new(folder.path().join("releases"), &signer(1))
        .get(&dataset)
        .await
        .unwrap();
    let names: Vec<&str> = release.table.column_names().collect();
    assert_eq!(names, ["patient_id", "age", "sex", "diagnosis", "weight"]);
    let csv = String::from_utf8(release.table.to_csv()).unwrap();
    assert!(!csv.contains("Ada") && !csv.contains("P-0001"), "{csv}");
    assert!(release.report.k_reached >= 2 && release.report.rows_out == release.table.rows());
    assert_eq!(
        release.ranking.sensitivity,
        medshare_anonymiser::Sensitivity::High
    );
}

#[tokio::test]
async fn a_release_stays_the_same_until_the_custodian_makes_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let kept = folder.path().join("releases");
    let releases = Releases::new(kept.clone(), &signer(1));
    let first = releases.get(&dataset).await.unwrap();
    let mut text = std::fs::read_to_string(dataset.source.file()).unwrap();
    text.push_str("Ida Imhof,P-0009,38,m,J45,80.0\n");
    std::fs::write(dataset.source.file(), text).unwrap();
    assert!(Arc::ptr_eq(&first, &releases.get(&dataset).await.unwrap()));
    // The next process reads the files, not the source.
    let reopened = Releases::new(kept.clone(), &signer(1))
        .get(&dataset)
        .await
        .unwrap();
    assert_eq!(
        (reopened.version, &reopened.table),
        (first.version, &first.table)
    );
    assert_eq!(
        (&reopened.report, &reopened.ranking),
        (&first.report, &first.ranking)
    );
    std::fs::remove_file(dataset.source.file()).unwrap();
    Releases::new(kept.clone(), &signer(1))
        .get(&dataset)
        .await
        .unwrap();
    // A new one needs the source; while that is missing the old one stays.
    assert!(matches!(
        releases.renew(&dataset).await,
        Err(ReleaseError::Source(_))
    ));
    assert!(Arc::ptr_eq(&first, &releases.get(&dataset).await.unwrap()));
}

#[tokio::test]
async fn renewing_takes_the_source_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let releases = Releases::new(folder.path().join("releases"), &signer(1));
    let first = releases.get(&dataset).await.unwrap();
    let text = std::fs::read_to_string(dataset.source.file()).unwrap();
    std::fs::write(dataset.source.file(), text.replace("61.5", "62.5")).unwrap();
    let second = releases.renew(&dataset).await.unwrap();
    assert_ne!(second.version, first.version);
    assert!(
        String::from_utf8(second.table.to_csv())
            .unwrap()
            .contains("62.5")
    );
    assert!(Arc::ptr_eq(&second, &releases.get(&dataset).await.unwrap()));
    assert_eq!(release_files(&folder.path().join("releases")).len(), 3);
}

#[tokio::test]
async fn pseudonyms_follow_from_the_nodes_key_and_the_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let pseudonym = async |byte: u8, dataset: &Dataset| {
        let kept = tempfile::tempdir().unwrap();
        let release = Releases::new(kept.path().into(), &signer(byte))
            .get(dataset)
            .await
            .unwrap();
        release.table.value(0, 0).to_owned()
    };
    let one = pseudonym(1, &dataset).await;
    assert_eq!(one, pseudonym(1, &dataset).await);
    assert_ne!(one, pseudonym(2, &dataset).await);
    let mut other = dataset.clone();
    other.id = DatasetId::of_name("other");
    assert_ne!(one, pseudonym(1, &other).await);
}

#[tokio::test]
async fn changed_files_are_named_and_never_served() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let kept = folder.path().join("releases");
    Releases::new(kept.clone(), &signer(1))
        .get(&dataset)
        .await
        .unwrap();
    let files = release_files(&kept);
    assert_eq!(files.len(), 3);
    for file in &files {
        let original = std::fs::read(file).unwrap();
        let mut changed = original.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(file, &changed).unwrap();
        let result = Releases::new(kept.clone(), &signer(1)).get(&dataset).await;
        let Err(error @ ReleaseError::Changed { .. }) = result else {
            panic!("{result:?}")
        };
        // A changed hash cannot be told from a changed file: both are named.
        assert!(
            error.to_string().contains(&file.display().to_string()),
            "{error}"
        );
        std::fs::write(file, &original).unwrap();
    }
    // Half-written: without the hashes there is no release, and it is made again.
    std::fs::remove_file(&files[2]).unwrap();
    Releases::new(kept.clone(), &signer(1))
        .get(&dataset)
        .await
        .unwrap();
    assert_eq!(release_files(&kept), files);
}

#[tokio::test]
async fn misfits_between_descriptor_and_data_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let original = std::fs::read_to_string(dataset.source.file()).unwrap();
    for (from, to, fragment) in [
        (
            "weight",
            "mass",
            "column `mass` of the table is not declared",
        ),
        (
            "Ada Ahrens,P-0001,31",
            "Ada Ahrens,P-0001,99",
            "column `age` of the table: 1 distinct values have no entry in the hierarchy, the first in row 1",
        ),
        (
            "Ada Ahrens,",
            "",
            "line 2 has 5 cells where the header has 6",
        ),
    ] {
        std::fs::write(dataset.source.file(), original.replacen(from, to, 1)).unwrap();
        let kept = tempfile::tempdir().unwrap();
        let error = Releases::new(kept.path().into(), &signer(1))
            .get(&dataset)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(fragment), "{error}");
        assert!(
            release_files(kept.path()).is_empty(),
            "nothing half-written stays"
        );
    }
    std::fs::write(dataset.source.file(), original.lines().next().unwrap()).unwrap();
    let kept = tempfile::tempdir().unwrap();
    let error = Releases::new(kept.path().into(), &signer(1))
        .get(&dataset)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("has no records"), "{error}");
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_computation() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let releases = Releases::new(folder.path().join("releases"), &signer(1));
    let all = futures::future::join_all((0..16).map(|_| releases.get(&dataset))).await;
    let first = all[0].as_ref().unwrap();
    assert!(
        all.iter()
            .all(|release| Arc::ptr_eq(first, release.as_ref().unwrap()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_folder_read_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let kept = folder.path().join("releases");
    for _ in 0..20 {
        let [going, coming] = [signer(1), signer(1)].map(|key| Releases::new(kept.clone(), &key));
        let (renewed, read) = tokio::join!(going.renew(&dataset), coming.get(&dataset));
        assert_eq!(renewed.unwrap().table, read.unwrap().table);
    }
}

#[tokio::test]
async fn memory_holds_a_bounded_number_of_releases() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(folder.path());
    let releases = Releases::new(folder.path().join("releases"), &signer(1));
    for number in 0..MAX_RELEASES_IN_MEMORY * 2 {
        let mut one = dataset.clone();
        one.id = DatasetId::of_name(&number.to_string());
        releases.get(&one).await.unwrap();
    }
    assert!(releases.inner.slots.lock().unwrap().len() <= MAX_RELEASES_IN_MEMORY + 1);
}
