//! Containers, forms and sealed report bodies against the blocks that commit to them.

use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use medshare_chain::{B256, Event};
use medshare_protocol::chain_verifier::{Blame, ChainName};
use medshare_protocol::form::{self, Step, form_digest};
use medshare_protocol::id::{ContainerHash, PackageId};
use medshare_protocol::package::{PackageHeader, SignedHeader, write_container};
use medshare_protocol::report::body_hash;
use medshare_protocol::seal::{DataKey, Share};
use medshare_protocol::usage::Action;
use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;

use super::world::{SEALING_KEY, World};
use crate::audit::report::Subject;
use crate::audit::{AuditFinding, Auditor, BlockSource, Files, audit_with_files};

const SEALED_BODY: &[u8] = b"what a report says in private, sealed";

/// A package with its files, and a world whose blocks commit to them.
struct Deposit {
    world: World,
    package: PackageId,
    folder: TempDir,
}

impl Deposit {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With a container whose header says something else than its block.
    async fn with(change: fn(&mut PackageHeader)) -> Self {
        let mut world = World::new().await;
        let package = world.package_id(1);
        let folder = TempDir::new().unwrap();
        let at = |ending: &str| folder.path().join(format!("{package}{ending}"));

        let (container, hash) = container(&world, package, change);
        std::fs::write(at(".mds"), container).unwrap();
        world.committed.container = hash;

        let steps = steps(&world);
        std::fs::write(at(".form.json"), serde_json::to_vec(&steps).unwrap()).unwrap();
        world.committed.form = form_digest(&steps);
        world.committed.validated_form = form_digest(&steps[..2]);

        std::fs::write(at("-1.report"), SEALED_BODY).unwrap();
        world.committed.sealed_report = body_hash(SEALED_BODY);

        assert_eq!(world.issue(1).await, package);
        world.report(package, &[Action::Decrypt]).await;
        Self {
            world,
            package,
            folder,
        }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("{}{ending}", self.package))
    }

    /// There is one finding: of this path, for this reason.
    async fn only_odd(&self, path: &Path, reason: &str) {
        let findings = self.findings().await;
        let [finding] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!(finding.subject, Subject::File);
        assert_eq!(finding.served_by, Some(path.display().to_string()));
        assert!(finding.to_string().contains(reason), "{finding}");
    }

    fn files(&self) -> Files {
        Files::in_folder(self.folder.path()).unwrap()
    }

    /// An auditor that was told everything and has read no file yet.
    async fn auditor(&self) -> Auditor {
        let domain = self.world.governance.domain().clone();
        let mut auditor = Auditor::new(domain, "a folder".into()).with_files(self.files());
        for (event, records) in self.world.told().await.0 {
            auditor.take(&event, records).unwrap();
        }
        auditor
    }

    /// What it finds in the files as they are now.
    async fn findings(&self) -> Vec<AuditFinding> {
        checked(&self.auditor().await)
    }

    fn thread(&self) -> Subject {
        let chain = ChainName::Thread(self.world.wallet.address());
        Subject::Block { chain, height: 0 }
    }

    fn side(&self) -> Subject {
        let chain = ChainName::Side(self.package);
        Subject::Block { chain, height: 0 }
    }
}

fn checked(auditor: &Auditor) -> Vec<AuditFinding> {
    let mut auditor = auditor.clone();
    auditor.check_files().unwrap();
    auditor.findings().to_vec()
}

fn container(
    world: &World,
    package: PackageId,
    change: fn(&mut PackageHeader),
) -> (Vec<u8>, ContainerHash) {
    let payload = b"age,sex\n50-59,F\n";
    let usage = world.usage().typed();
    let mut header = PackageHeader {
        dataset: world.dataset.0,
        package: package.0,
        node: world.nodes[0].sender().unwrap(),
        owner: world.custodian(),
        requestor: world.wallet.address(),
        payload_hash: SEALING_KEY,
        payload_salt: SEALING_KEY,
        payload_length: payload.len() as u64,
        media_type: "text/csv".into(),
        verifier: world.nodes[1].sender().unwrap(),
        processed: world.now_ms,
        chain_id: world.governance.chain_id(),
        contract: world.governance.contract(),
        sensitivity: usage.sensitivity,
        granted: usage.granted,
        exempt: usage.exempt,
        environment: usage.environment,
        expiry: usage.expiry,
        contract_key: usage.contractKey,
        sealed_share: vec![7; 80],
    };
    change(&mut header);
    let signed: SignedHeader = header.sign(&world.node_key()).unwrap();
    let share = Share::from_slice(&[1; 32]).unwrap();
    let key = DataKey::derive(&signed.bytes, &share, &share);
    let mut bytes = Vec::new();
    let hash = write_container(&signed, &key, &mut Cursor::new(payload), &mut bytes).unwrap();
    (bytes, hash)
}

fn steps(world: &World) -> Vec<Step> {
    let (time, node) = (world.now_ms, world.nodes[0].sender().unwrap());
    let purpose = "HRESCH".parse().unwrap();
    vec![
        form::received(time, node, world.wallet.address(), purpose),
        form::retrieved(time, node),
        Step::new(time, node, "sealed").with("container", "ünïcode \"quoted\""),
    ]
}

/// Flips every byte of a file, one at a time, and requires each to be found and named.
async fn flip(deposit: &Deposit, ending: &str, kind: &str, subject: Subject) {
    let path = deposit.file(ending);
    let auditor = deposit.auditor().await;
    assert_eq!(checked(&auditor), []);
    let sound = std::fs::read(&path).unwrap();
    for position in 0..sound.len() {
        for bit in [0, 5, 7] {
            let mut damaged = sound.clone();
            damaged[position] ^= 1 << bit;
            std::fs::write(&path, &damaged).unwrap();
            let findings = checked(&auditor);
            let [finding] = &findings[..] else {
                panic!("byte {position}, bit {bit}: {findings:?}")
            };
            assert_eq!(finding.fault.kind(), kind);
            assert_eq!(finding.fault.blame(), Blame::Server);
            assert_eq!(finding.subject, subject);
            assert_eq!(finding.served_by, Some(path.display().to_string()));
            assert!(finding.anchored.is_some());
        }
    }
    for damaged in [
        &sound[1..],
        &sound[..sound.len() - 1],
        &[],
        &[&sound[..], b"\n"].concat(),
    ] {
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(checked(&auditor)[0].fault.kind(), kind);
    }
    let mut reordered = sound.clone();
    reordered.rotate_left(1);
    std::fs::write(&path, reordered).unwrap();
    assert_eq!(checked(&auditor)[0].fault.kind(), kind);
}

#[tokio::test]
async fn every_flipped_byte_of_a_container_is_found_and_named() {
    let deposit = Deposit::new().await;
    flip(&deposit, ".mds", "container", deposit.thread()).await;
}

#[tokio::test]
async fn every_flipped_byte_of_a_form_is_found_and_named() {
    let deposit = Deposit::new().await;
    flip(&deposit, ".form.json", "form", deposit.thread()).await;
}

#[tokio::test]
async fn every_flipped_byte_of_a_sealed_report_is_found_and_named() {
    let deposit = Deposit::new().await;
    flip(&deposit, "-1.report", "report-body", deposit.side()).await;
}

#[tokio::test]
async fn an_audit_checks_a_folder_of_files_and_says_so() {
    let deposit = Deposit::new().await;
    let source = BlockSource::Directory(deposit.world.folder.path().to_owned());
    let chain = &deposit.world.governance;
    let audit = || audit_with_files(chain, &source, deposit.files(), &|_| ());
    let report = audit().await.unwrap();
    assert_eq!(report.findings, []);
    let check = report.checks.last().unwrap();
    assert_eq!(
        (check.what, check.count),
        ("files against the hashes in their blocks", 3)
    );

    std::fs::write(deposit.file("-1.report"), b"something else").unwrap();
    let report = audit().await.unwrap();
    let [finding] = &report.findings[..] else {
        panic!("{report:?}")
    };
    let sentence = finding.to_string();
    let path = deposit.file("-1.report");
    assert!(
        sentence.starts_with(&format!(
            "side-chain of package {}, block 0: ",
            deposit.package
        )) && sentence.ends_with(&format!("served by {})", path.display())),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_file_that_no_readable_block_commits_to_is_found() {
    let deposit = Deposit::new().await;
    std::fs::rename(deposit.file("-1.report"), deposit.file("-2.report")).unwrap();
    std::fs::remove_file(deposit.world.file(deposit.world.leaf(deposit.package))).unwrap();
    let findings = deposit.findings().await;
    let of_files: Vec<_> = findings[1..]
        .iter()
        .map(|finding| {
            assert_eq!(finding.subject, Subject::Package(deposit.package));
            assert!(finding.to_string().contains("(served by "), "{finding}");
            finding.fault.kind()
        })
        .collect();
    assert_eq!(findings[0].fault.kind(), "body-missing");
    assert_eq!(of_files, ["container", "form", "report-body"]);
}

#[tokio::test]
async fn a_container_that_contradicts_its_block_is_its_authors() {
    let changes: [fn(&mut PackageHeader); 9] = [
        |header| header.package = B256::ZERO,
        |header| header.dataset = B256::ZERO,
        |header| header.owner = [9; 20].into(),
        |header| header.requestor = [9; 20].into(),
        |header| header.payload_hash = B256::ZERO,
        |header| header.verifier = [9; 20].into(),
        |header| header.chain_id += 1,
        |header| header.granted = 3,
        // Then the node's signature is not that of the node that it names.
        |header| header.node = [9; 20].into(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let deposit = Deposit::with(change).await;
        let findings = deposit.findings().await;
        let [finding] = &findings[..] else {
            panic!("change {number}: {findings:?}")
        };
        assert_eq!(finding.fault.kind(), "container");
        assert_eq!(
            (finding.fault.blame(), finding.subject),
            (Blame::Author, deposit.thread())
        );
    }
}

#[tokio::test]
async fn a_form_that_does_not_continue_the_validated_one_is_its_authors() {
    let deposit = Deposit::new().await;
    let mut auditor = Auditor::new(deposit.world.governance.domain().clone(), String::new())
        .with_files(deposit.files());
    for (mut event, records) in deposit.world.told().await.0 {
        if let Event::PackageIssued(issued) = &mut event.event {
            issued.form_digest.0 = B256::ZERO;
        }
        auditor.take(&event, records).unwrap();
    }
    let findings = checked(&auditor);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].fault.kind(), findings[0].fault.blame()),
        ("form", Blame::Author)
    );
}

#[test]
fn files_are_named_by_themselves_or_by_their_folder() {
    let folder = TempDir::new().unwrap();
    let package = PackageId(B256::repeat_byte(7));
    let below = folder.path().join("packages").join(package.to_string());
    std::fs::create_dir_all(&below).unwrap();
    let put = |path: &Path| std::fs::write(path, b"").unwrap();
    for name in ["package.mds", "form.form.json", "3.report", "receipts.json"] {
        put(&below.join(name));
    }
    put(&folder.path().join(format!("{package}-12.report")));
    assert_eq!(Files::in_folder(folder.path()).unwrap().count(), 4);
}

/// Each is a fault of its own, and what is beside it is checked.
#[tokio::test]
async fn what_cannot_be_checked_is_told_and_the_rest_is_checked() {
    let deposit = Deposit::new().await;
    let (package, folder) = (deposit.package, deposit.folder.path());
    let spellings = ["-01", "-+1", "-", "--1"].map(|number| format!("{package}{number}.report"));
    let names = ["some.mds", "x-1.report", "x.form.json", "one.report"].map(String::from);
    for name in names.into_iter().chain(spellings) {
        let path = folder.join(name);
        std::fs::write(&path, b"").unwrap();
        deposit.only_odd(&path, "names no package").await;
        std::fs::remove_file(path).unwrap();
    }
    // Reading from a pipe would wait for ever.
    let path = folder.join(format!("{package}-7.report"));
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    deposit.only_odd(&path, "it is no file").await;
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(folder.join("nowhere"), &path).unwrap();
    deposit.only_odd(&path, "No such file").await;
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    deposit.only_odd(&path, "it is no file").await;
    std::fs::remove_dir(&path).unwrap();
    let path = folder.join(std::ffi::OsStr::from_bytes(b"bad\xff.mds"));
    std::fs::write(&path, b"").unwrap();
    deposit.only_odd(&path, "names no package").await;
    std::fs::remove_file(&path).unwrap();
    // Beside a file that was altered both are told.
    let odd = folder.join("some.mds");
    std::fs::write(&odd, b"").unwrap();
    std::fs::write(deposit.file(".mds"), b"altered").unwrap();
    let files = deposit.files();
    assert_eq!((files.comparable(), files.count()), (3, 4));
    let findings = deposit.findings().await;
    let told = findings
        .iter()
        .map(|found| (found.fault.kind(), found.fault.field()));
    let expected = [("container", Some("container hash")), ("file", None)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

/// A folder that cannot be read, and one that lies too deep: what is in them is said not to have been compared, and the rest is.
#[tokio::test]
async fn folders_that_cannot_be_looked_into_are_told() {
    let deposit = Deposit::new().await;
    let mut path = deposit.folder.path().to_owned();
    path.extend(std::iter::repeat_n("a", 64));
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("some.mds"), b"").unwrap();
    deposit
        .only_odd(&path.join("some.mds"), "names no package")
        .await;
    std::fs::remove_file(path.join("some.mds")).unwrap();
    let deep = path.join("a");
    std::fs::create_dir(&deep).unwrap();
    deposit.only_odd(&deep, "too many folders deep").await;
    std::fs::remove_dir_all(deposit.folder.path().join("a")).unwrap();
    // Its path is longer than any that can be opened, whoever asks.
    let name = "b".repeat(255);
    let mut path = deposit.folder.path().to_owned();
    let mut folder = std::fs::File::open(&path).unwrap();
    while path.as_os_str().len() < 4_096 {
        rustix::fs::mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = rustix::fs::openat(&folder, &name, OFlags::RDONLY, Mode::empty())
            .unwrap()
            .into();
        path.push(&name);
    }
    deposit.only_odd(&path, "File name too long").await;
}

/// What is told when all files should be there: of each that is not, what it is and where.
async fn missed(deposit: &Deposit) -> Vec<(&'static str, Subject)> {
    let source = BlockSource::Directory(deposit.world.folder.path().to_owned());
    let (chain, files) = (&deposit.world.governance, deposit.files().complete());
    let report = audit_with_files(chain, &source, files, &|_| ())
        .await
        .unwrap();
    let folder = deposit.folder.path().display().to_string();
    let findings = report.findings.iter();
    findings
        .map(|finding| {
            assert!(finding.to_string().contains("is not there"), "{finding}");
            assert_eq!(finding.fault.blame(), Blame::Server);
            assert_eq!(finding.served_by.as_ref(), Some(&folder));
            (finding.fault.kind(), finding.subject)
        })
        .collect()
}

#[tokio::test]
async fn of_a_complete_folder_missing_files_are_told() {
    let deposit = Deposit::new().await;
    assert_eq!(missed(&deposit).await, []);
    let package = Subject::Package(deposit.package);
    let empty = TempDir::new().unwrap();
    let none = Files::in_folder(empty.path()).unwrap().complete();
    let source = BlockSource::Directory(deposit.world.folder.path().to_owned());
    let report = audit_with_files(&deposit.world.governance, &source, none, &|_| ());
    assert_eq!(report.await.unwrap().findings.len(), 3);
    let each = [
        (".mds", "container", package),
        (".form.json", "form", package),
        ("-1.report", "report-body", deposit.side()),
    ];
    for (ending, kind, subject) in each {
        let aside = deposit.folder.path().join("aside");
        std::fs::rename(deposit.file(ending), &aside).unwrap();
        assert_eq!(missed(&deposit).await, [(kind, subject)]);
        assert_eq!(deposit.findings().await, [], "nobody asked");
        std::fs::rename(aside, deposit.file(ending)).unwrap();
    }
}

#[tokio::test]
async fn a_container_that_was_taken_back_is_not_missed() {
    let deposit = Deposit::new().await;
    std::fs::remove_file(deposit.file(".mds")).unwrap();
    deposit.world.retrieve(deposit.package).await;
    assert_eq!(missed(&deposit).await, []);
}

/// A second copy elsewhere in the folder is checked as well.
#[tokio::test]
async fn every_copy_is_checked() {
    let deposit = Deposit::new().await;
    let below = deposit.folder.path().join(deposit.package.to_string());
    std::fs::create_dir(&below).unwrap();
    std::fs::copy(deposit.file(".mds"), below.join("copy.mds")).unwrap();
    assert_eq!(deposit.findings().await, []);
    std::fs::write(below.join("copy.mds"), b"another").unwrap();
    let findings = deposit.findings().await;
    let [finding] = &findings[..] else {
        panic!("{findings:?}")
    };
    let path = below.join("copy.mds").display().to_string();
    assert_eq!(finding.served_by, Some(path));
}

/// It was there when the audit began, and cannot be read when it is its turn.
#[tokio::test]
async fn a_file_that_cannot_be_read_is_a_finding_and_stops_nobody() {
    let deposit = Deposit::new().await;
    let auditor = deposit.auditor().await;
    for ending in [".mds", ".form.json", "-1.report"] {
        std::fs::remove_file(deposit.file(ending)).unwrap();
    }
    let findings = checked(&auditor);
    let kinds: Vec<_> = findings.iter().map(|found| found.fault.kind()).collect();
    assert_eq!(kinds, ["container", "form", "report-body"]);
    for finding in findings {
        assert!(
            finding.to_string().contains("cannot be read: No such file"),
            "{finding}"
        );
        assert!(finding.anchored.is_some());
    }
}
