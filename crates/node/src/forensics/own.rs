//! What only this node has, against what was signed and anchored: requests, packages, forms, containers, deletions. No
//! peer can give them back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolStruct;
use futures::future::{BoxFuture, FutureExt};
use medshare_protocol::block::{ParentBody, ParentTransaction};
use medshare_protocol::digest::Sha256d;
use medshare_protocol::form::{Step, certificates, steps_until};
use medshare_protocol::id::{ContainerHash, PackageId};
use medshare_protocol::package::SignedHeader;
use medshare_protocol::typed::{Validation, recover};
use medshare_protocol::wire::{AlertKind, Stage};

use super::{CHECKED_AT_ONCE, Fault, damage};
use crate::error::NodeError;
use crate::processing::RELEASE;
use crate::running::Inner;
use crate::secrets::Secret;
use crate::store::{ChainEntry, SealedPackage, StoredPackage, StoredRequest};

/// Bytes of a container that are read at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// What is wrong with something of one package.
pub(super) type Wrong = (AlertKind, String);

/// What the checks of one package are about.
pub(super) struct Own {
    pub id: PackageId,
    /// Its parent block's entry, when this node issued it.
    pub issued: Option<ChainEntry>,
}

impl Inner {
    pub(super) async fn check_own(self: &Arc<Self>, breath: Duration) -> Result<(), NodeError> {
        let mut after = Vec::new();
        loop {
            let page = self
                .store
                .own_ids(&after, self.address(), CHECKED_AT_ONCE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for id in page {
                match B256::try_from(&*id) {
                    Ok(id) => self.check_one(PackageId(id)).await?,
                    Err(_) => {
                        let detail =
                            format!("a request or a package has an id of {} bytes", id.len());
                        let wrong = (AlertKind::Unreadable, detail);
                        self.lost(PackageId::default(), wrong).await?;
                    }
                }
                if !breath.is_zero() {
                    tokio::time::sleep(breath).await;
                }
            }
        }
    }

    async fn check_one(self: &Arc<Self>, id: PackageId) -> Result<(), NodeError> {
        let entry = self.store.parent_entry(id).await?;
        let own = &Own {
            id,
            issued: entry.filter(|entry| entry.node == self.address()),
        };
        let checks: [BoxFuture<'_, Result<Vec<Wrong>, NodeError>>; 4] = [
            self.request_wrongs(own).boxed(),
            self.package_wrongs(own).boxed(),
            self.report_wrongs(own).boxed(),
            self.deletion_wrongs(own).boxed(),
        ];
        for check in checks {
            let wrongs = match check.await {
                Ok(wrongs) => wrongs,
                Err(error) => match damage(&error) {
                    Some(detail) => vec![(AlertKind::Unreadable, detail)],
                    None => return Err(error),
                },
            };
            for wrong in wrongs {
                self.lost(id, wrong).await?;
            }
        }
        Ok(())
    }

    async fn request_wrongs(&self, own: &Own) -> Result<Vec<Wrong>, NodeError> {
        let wrong = |detail: &str| Ok(vec![(AlertKind::Request, detail.to_owned())]);
        let Some(request) = self.store.stored_request(own.id).await? else {
            return wrong("the request is gone");
        };
        let signed = &request.signed;
        let digest = self.chain.domain().package_id(&signed.request);
        if digest != own.id {
            return wrong("the request is not the one that the package's id names");
        }
        let stage = request.stage;
        let was_checked = stage >= Stage::Authenticated && stage != Stage::Refused;
        let requestor = signed.request.requestor;
        if was_checked
            && !self
                .may_be_signed(requestor, digest.0, &signed.signature)
                .await?
        {
            return wrong("the signature over the request is not the requestor's");
        }
        if own.issued.is_some()
            && !matches!(stage, Stage::Issued | Stage::Ready | Stage::Delivered)
            // Unless the chain was reorganised just now.
            && self.store.parent_entry(own.id).await? == own.issued
        {
            return wrong("the package is issued, and its request is said not to be so far");
        }
        Ok(Vec::new())
    }

    /// Whether a wallet may have signed: what a contract wallet agreed to once it need not agree to any more.
    pub(super) async fn may_be_signed(
        &self,
        wallet: Address,
        digest: B256,
        signature: &[u8],
    ) -> Result<bool, NodeError> {
        Ok(recover(digest, signature) == Some(wallet) || self.chain.is_contract(wallet).await?)
    }

    async fn package_wrongs(&self, own: &Own) -> Result<Vec<Wrong>, NodeError> {
        let package = self.store.package(own.id).await?;
        let sealed = package.as_ref().and_then(|package| package.sealed.as_ref());
        let wrong = |kind, detail: &str| (kind, detail.to_owned());
        let (Some(package), Some(sealed)) = (&package, sealed) else {
            return Ok(match own.issued {
                None => Vec::new(),
                Some(_) => vec![wrong(AlertKind::Package, "the package is gone")],
            });
        };
        let leaf = own
            .issued
            .as_ref()
            .map_or(sealed.leaf, |issued| issued.leaf);
        let body = match ParentBody::from_bytes(&sealed.body) {
            Ok(body) if body.leaf() == leaf && sealed.leaf == leaf => body,
            _ => {
                let detail = "the body of the parent block is not the one that was signed";
                return Ok(vec![wrong(AlertKind::Body, detail)]);
            }
        };
        let block = body.transaction;
        let mut wrongs = Vec::new();
        if let Some(detail) = self.altered_package(own.id, package, sealed, &block) {
            wrongs.push(wrong(AlertKind::Package, detail));
        }
        let request = self.store.stored_request(own.id).await;
        match &request {
            Ok(Some(request)) if !is_answered(request, package, &block) => {
                let detail = "the request's times or requestor are not those in the parent block";
                wrongs.push(wrong(AlertKind::Request, detail));
            }
            // What else is wrong with it is told where requests are checked.
            _ => {}
        }
        let form = self.store.form(own.id).await.unwrap_or_default();
        if steps_until(&form, block.form_digest).is_none() {
            let detail = "the form is not the one whose digest stands in the parent block";
            wrongs.push(wrong(AlertKind::Form, detail));
        } else if let Some((answer, _)) = &package.validation
            && !certificates(&form).eq([answer.certificate.content().to_string().as_str()])
        {
            let detail = "the certificate is not the one that stands in the form";
            wrongs.push(wrong(AlertKind::Package, detail));
        } else if let Ok(Some(request)) = request
            && request.release.map(|version| version.to_string()) != released(&form)
        {
            let detail = "the request is not answered from the release that stands in the form";
            wrongs.push(wrong(AlertKind::Request, detail));
        }
        let (path, package, sealed) =
            (self.container_path(own.id), package.clone(), sealed.clone());
        let container =
            tokio::task::spawn_blocking(move || container_wrong(&path, &package, &sealed, &block));
        wrongs.extend(
            container
                .await?
                .map(|detail| (AlertKind::Container, detail)),
        );
        Ok(wrongs)
    }

    /// What is not as it was when the package was sealed.
    fn altered_package(
        &self,
        id: PackageId,
        package: &StoredPackage,
        sealed: &SealedPackage,
        block: &ParentTransaction,
    ) -> Option<&'static str> {
        let made = &package.processed;
        let Some((answer, verifier)) = &package.validation else {
            return Some("the second node's answer is gone");
        };
        let said = &answer.validation;
        let expected = Validation {
            package: id.0,
            payloadHash: block.payload_hash.0,
            formDigest: said.formDigest,
            sensitivity: block.sensitivity as u8,
            usage: made.usage.typed().eip712_hash_struct(),
            deadline: said.deadline,
        };
        let domain = self.chain.domain();
        let (hash, second) = (block.payload_hash, block.verifier);
        let opens = |secret, sealed: &[u8]| self.secrets.decrypt(secret, id, sealed).is_ok();
        let checks = [
            (
                made.payload_hash == hash && sealed.container_hash == block.container_hash,
                "a hash is not the one that stands in the parent block",
            ),
            (
                *verifier == second,
                "the second node is not the one that the parent block names",
            ),
            (
                *said == expected,
                "the usage contract is not the one that the second node signed for",
            ),
            (
                domain.is_signed_by(said, &answer.signature, second),
                "the second node's signature does not hold",
            ),
            (
                answer.certificate.open(domain, id, hash, second).is_ok(),
                "the certificate is not the one that the second node signed",
            ),
            (
                opens(Secret::Contract, &made.contract_secret),
                "the contract key does not open any more",
            ),
            (
                opens(Secret::Share, &sealed.custodian_share),
                "the custodian's share of the data key does not open any more",
            ),
        ];
        let failed = checks.into_iter().find(|(holds, _)| !holds);
        failed.map(|(_, what)| what)
    }

    async fn deletion_wrongs(&self, own: &Own) -> Result<Vec<Wrong>, NodeError> {
        let wrong = |detail: &str| Ok(vec![(AlertKind::Deletion, detail.to_owned())]);
        let Some(kept) = self.store.deletion(own.id).await? else {
            if own.issued.is_some() && self.store.is_retrieved(own.id).await? {
                return wrong(
                    "the package was taken back, and the requestor's word that the data is deleted is not here",
                );
            }
            return Ok(Vec::new());
        };
        let Some(request) = self.store.stored_request(own.id).await? else {
            return Ok(Vec::new());
        };
        let digest = self.chain.domain().digest(&kept.deletion);
        let requestor = request.signed.request.requestor;
        if kept.deletion.package == own.id.0
            && self
                .may_be_signed(requestor, digest, &kept.signature)
                .await?
        {
            return Ok(Vec::new());
        }
        wrong("the word that the data is deleted is not signed by the requestor")
    }

    async fn lost(&self, package: PackageId, (kind, detail): Wrong) -> Result<(), NodeError> {
        let fault = Fault {
            kind,
            chain: None,
            height: None,
            package,
            detail,
        };
        self.alert(fault, None).await
    }
}

/// Whether a parent block tells of this request and this package.
fn is_answered(
    request: &StoredRequest,
    package: &StoredPackage,
    block: &ParentTransaction,
) -> bool {
    let processing_ms = package.processed.processed.saturating_sub(request.received);
    request.signed.request.requestor == block.requestor
        && request.received == block.received
        && processing_ms == block.processing_ms
}

/// Version of the release that a form tells of.
fn released(form: &[Step]) -> Option<String> {
    let mut details = form.iter().flat_map(|step| &step.details);
    let release = details.find(|detail| detail.name == RELEASE);
    release.map(|detail| detail.value.clone())
}

/// What is wrong with a container, or with what is kept of it.
fn container_wrong(
    path: &Path,
    package: &StoredPackage,
    sealed: &SealedPackage,
    block: &ParentTransaction,
) -> Option<String> {
    let (found, length) = match container_hash(path, sealed.container_length) {
        Ok(found) => found,
        Err(error) => return Some(format!("the container cannot be read: {error}")),
    };
    let anchored = block.container_hash;
    if found != anchored {
        return Some(format!(
            "the container's hash is {found}, and {anchored} stands in the parent block"
        ));
    }
    let made = &package.processed;
    let header = std::fs::File::open(path)
        .ok()
        .and_then(|mut file| SignedHeader::read(&mut file).ok())?
        .header;
    let kept = (
        made.payload_salt,
        made.payload_length,
        sealed.container_length,
    );
    if (header.payload_salt, header.payload_length, length) == kept {
        return None;
    }
    Some("salt or lengths are not those of the container".into())
}

/// Hash and length of a file, of which no more is read than shows that it is longer than it should be: what lies there instead may
/// be a pipe, or have no end.
fn container_hash(path: &Path, expected: u64) -> std::io::Result<(ContainerHash, u64)> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut file = std::io::Read::take(std::fs::File::open(path)?, expected + 1);
    let mut hasher = Sha256d::default();
    let mut piece = vec![0; PIECE_BYTES];
    let mut length = 0;
    loop {
        let count = std::io::Read::read(&mut file, &mut piece)?;
        if count == 0 {
            return Ok((ContainerHash(hasher.finish()), length));
        }
        hasher.update(&piece[..count]);
        length += count as u64;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use medshare_protocol::digest::sha256d;

    use super::container_hash;

    /// A check that never ends finds nothing any more.
    #[test]
    fn what_is_no_container_is_not_read_for_ever() {
        let error = container_hash("/dev/zero".as_ref(), 10).unwrap_err();
        assert_eq!(error.to_string(), "it is no file");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sparse.mds");
        let sparse = std::fs::File::create(&file).unwrap();
        sparse.set_len(1 << 40).unwrap();
        let (found, length) = container_hash(&file, 10).unwrap();
        assert_eq!((found.0, length), (sha256d(&[&[0; 11]]), 11));
    }
}
