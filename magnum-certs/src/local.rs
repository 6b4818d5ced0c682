//! The `local` certificate store: files in one directory of one host, keys sealed.

mod calls;
mod directory;
mod files;
mod parts;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Once};

use async_trait::async_trait;
use magnum_core::{
    CertManager, CertRef, CertificateBundle, Error, ErrorKind, IdSource, Result, Sealed, Sealer, Secret,
};
use uuid::Uuid;

use self::directory::Directory;
use self::files::{Content, Files};
use crate::blocking::blocking;
use crate::{encrypted_key, uuid_reference};

const BACKEND: &str = "local";

/// The longest file that is written or read, in bytes.
const LONGEST: usize = 64 * 1024;

/// Keeps certificates as files of one directory, for a library that runs on a single host: no other host reaches them,
/// and the directory is the only copy.
///
/// | File | Content |
/// | --- | --- |
/// | `<uuid>.crt` | the PEM certificate; with it a bundle is there, without it is none |
/// | `<uuid>.key.sealed` | the private key, sealed by the [`Sealer`] under the UUID |
/// | `<uuid>.int` | the PEM certificates above it, where there are some |
/// | `<uuid>.<name>.name` | nothing; it is made first and removed last, so that `find` sees what was begun |
///
/// References are that UUID, lower-case with hyphens; any other text is refused. A name that does not suit a file, or is
/// longer than 200 bytes, stands there as its SHA-256. Every file is flushed to the disk before the bundle is there, at
/// most 64 KiB long, and of mode 0600. The directory alone gives nobody a key.
///
/// Files of the original Magnum are read and deleted as well: beside `.crt` and `.int` a key in `<uuid>.key`, which may be
/// encrypted with the passphrase in `<uuid>.pass`. They have no names, so `find` does not know them.
///
/// A file that is a symbolic link, belongs to another user, or that its group or others may use, is refused with
/// `Configuration`, as is a directory that has come to be so. Keys that were sealed with a key that the sealer no longer
/// has are lost: `fetch` fails with `Configuration`.
///
/// # Example
/// ```
/// use std::path::Path;
/// use std::sync::Arc;
/// use magnum_certs::{AesSealer, LocalCertManager, SealingKey};
/// use magnum_core::{CertManager, CertificateBundle, SystemRandom};
///
/// async fn keep(key: SealingKey, bundle: CertificateBundle) -> magnum_core::Result<()> {
///     let directory = Path::new("/var/lib/magnum/certificates");
///     let sealer = Arc::new(AesSealer::new(key));
///     let certificates = LocalCertManager::open(directory, sealer, Arc::new(SystemRandom)).await?;
///     let reference = certificates.store("magnum-c1-ca", bundle.clone()).await?;
///     assert_eq!(certificates.fetch(&reference).await?, bundle);
///     certificates.delete(&reference).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct LocalCertManager {
    directory: Directory,
    sealer: Arc<dyn Sealer>,
    ids: Arc<dyn IdSource>,
}

impl LocalCertManager {
    /// A certificate store in `directory`, an absolute path. The directory is made, with mode 0700, where only itself is
    /// missing. The first store of the process warns in the log that it serves this host alone.
    ///
    /// # Errors
    /// `Configuration` when it is no directory, a symbolic link, of another user than this process', open to its group or
    /// to others, or when somebody else could replace it: each directory above it must belong to this user or to root, and
    /// be writable for nobody else unless it is sticky.
    pub async fn open(
        directory: impl AsRef<Path>,
        sealer: Arc<dyn Sealer>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        static WARNED: Once = Once::new();
        WARNED.call_once(|| {
            tracing::warn!("the certificate store `local` serves a single host: others do not see its files");
        });
        let path = directory.as_ref().to_owned();
        let directory = blocking("local.open", move || Directory::prepared(&path)).await?;
        Ok(Self {
            directory,
            sealer,
            ids,
        })
    }

    /// Runs `work` in the directory, which is looked at anew: somebody may have opened or replaced it since.
    async fn within<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Files) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let directory = self.directory.clone();
        blocking(operation, move || {
            let files = directory.enter().map_err(|detail| {
                Error::new(detail.kind(), "the directory of certificates cannot be used").with_source(detail)
            })?;
            work(&files)
        })
        .await
    }
}

#[async_trait]
impl CertManager for LocalCertManager {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    async fn store(&self, name: &str, bundle: CertificateBundle) -> Result<CertRef> {
        let id = self.ids.uuid();
        let key = self.sealer.seal(&bundle.private_key, &id.to_string())?;
        for (what, text) in [
            ("certificate", Some(&bundle.certificate)),
            ("private_key", Some(&key.0)),
            ("intermediates", bundle.intermediates.as_ref()),
        ] {
            let length = text.map_or(0, String::len);
            if length > LONGEST {
                let message = format!("{LONGEST} bytes are allowed");
                return Err(Error::field(what, format!("{length} bytes"), message).at("certs", "local.store"));
            }
        }
        let name = parts::name(id, name);
        self.within("local.store", move |files| store(files, id, &name, &bundle, &key))
            .await?;
        Ok(uuid_reference::of(BACKEND, id))
    }

    async fn fetch(&self, reference: &CertRef) -> Result<CertificateBundle> {
        let id = uuid_reference::own(BACKEND, reference)?;
        let sealer = self.sealer.clone();
        self.within("local.fetch", move |files| {
            fetch(files, id, &*sealer)?.ok_or_else(|| Error::not_found("certificate", id))
        })
        .await
    }

    async fn delete(&self, reference: &CertRef) -> Result<()> {
        let id = uuid_reference::own(BACKEND, reference)?;
        self.within("local.delete", move |files| delete(files, id)).await
    }

    async fn reseal(&self, reference: &CertRef) -> Result<()> {
        let id = uuid_reference::own(BACKEND, reference)?;
        let sealer = self.sealer.clone();
        self.within("local.reseal", move |files| reseal(files, id, &*sealer))
            .await
    }

    async fn find(&self, name: &str) -> Result<Vec<CertRef>> {
        let name = name.to_owned();
        let ids = self
            .within("local.find", move |files| {
                let all = files.list()?;
                Ok(all
                    .iter()
                    .filter_map(|file| parts::named(file, &name))
                    .collect::<Vec<_>>())
            })
            .await?;
        Ok(ids
            .into_iter()
            .map(|id| uuid_reference::of(BACKEND, id))
            .collect())
    }
}

/// The name first, the certificate last: what is seen of a bundle is either all or can be found and deleted.
fn store(files: &Files, id: Uuid, name: &str, bundle: &CertificateBundle, key: &Sealed) -> Result<()> {
    if files.list()?.iter().any(|file| parts::is_of(file, id)) {
        return Err(Error::internal("a UUID that was to be new is in use"));
    }
    files.create(name, b"")?;
    files.flush()?;
    if let Some(intermediates) = &bundle.intermediates {
        files.create(&parts::intermediates(id), intermediates.as_bytes())?;
    }
    files.create(&parts::sealed_key(id), key.0.as_bytes())?;
    files.create(&parts::new_certificate(id), bundle.certificate.as_bytes())?;
    files.flush()?;
    files.rename(&parts::new_certificate(id), &parts::certificate(id))?;
    files.flush()
}

/// `None` when there is no whole bundle. The key is read last and deleted first: nothing that a deletion has taken
/// meanwhile is missing from what is returned.
fn fetch(files: &Files, id: Uuid, sealer: &dyn Sealer) -> Result<Option<CertificateBundle>> {
    let Some(certificate) = files.read(&parts::certificate(id))? else {
        return Ok(None);
    };
    let intermediates = files.read(&parts::intermediates(id))?;
    let private_key = match files.read(&parts::sealed_key(id))? {
        Some(sealed) => sealer.open(&Sealed(text(&sealed)?), &id.to_string())?,
        None => match original_key(files, id)? {
            Some(key) => key,
            None => return Ok(None),
        },
    };
    Ok(Some(CertificateBundle {
        certificate: text(&certificate)?,
        private_key,
        intermediates: intermediates.as_ref().map(text).transpose()?,
    }))
}

/// A private key as the original Magnum kept it.
fn original_key(files: &Files, id: Uuid) -> Result<Option<Secret>> {
    let passphrase = files.read(&parts::passphrase(id))?;
    let Some(key) = files.read(&parts::key(id))? else {
        return Ok(None);
    };
    let passphrase = passphrase.as_ref().map(text).transpose()?.map(Secret::new);
    encrypted_key::opened(Secret::new(text(&key)?), passphrase.as_ref()).map(Some)
}

/// Written aside and moved into place; an original's key and passphrase go when it is there. What a deletion took
/// meanwhile does not come back.
fn reseal(files: &Files, id: Uuid, sealer: &dyn Sealer) -> Result<()> {
    let sealed = files.read(&parts::sealed_key(id))?;
    let sealed = sealed.as_ref().map(text).transpose()?.map(Sealed);
    if sealed.as_ref().is_some_and(|sealed| sealer.is_current(sealed)) {
        return Ok(());
    }
    let Some(bundle) = fetch(files, id, sealer)? else {
        return Ok(());
    };
    let anew = sealer.seal(&bundle.private_key, &id.to_string())?;
    files.remove(&parts::new_sealed_key(id))?;
    files.create(&parts::new_sealed_key(id), anew.0.as_bytes())?;
    files.flush()?;
    files.rename(&parts::new_sealed_key(id), &parts::sealed_key(id))?;
    files.flush()?;
    if files.read(&parts::certificate(id))?.is_none() {
        return delete(files, id);
    }
    files.remove(&parts::key(id))?;
    files.remove(&parts::passphrase(id))?;
    files.flush()
}

/// The certificate first and the names last, each of them for good before the next go.
fn delete(files: &Files, id: Uuid) -> Result<()> {
    let names = files
        .list()?
        .into_iter()
        .filter(|file| parts::is_name_of(file, id));
    for part in [
        vec![parts::certificate(id)],
        parts::hidden(id).to_vec(),
        names.collect(),
    ] {
        for file in part {
            files.remove(&file)?;
        }
        files.flush()?;
    }
    Ok(())
}

fn text(content: &Content) -> Result<String> {
    std::str::from_utf8(content).map(str::to_owned).map_err(|_| {
        Error::new(
            ErrorKind::Configuration,
            "a file of a certificate holds something else than text",
        )
    })
}
