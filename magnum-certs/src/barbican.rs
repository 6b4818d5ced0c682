//! The `barbican` certificate store: each certificate is a container of secrets in the service user's project.

mod client;
mod reference;

use async_trait::async_trait;
use magnum_core::{CertManager, CertRef, CertificateBundle, Error, ErrorKind, Result, Secret};
use magnum_openstack::OpenStack;

use self::client::{Client, Container};
use self::reference::Kept;
use crate::blocking::blocking;
use crate::encrypted_key;
use crate::label::label;

const BACKEND: &str = "barbican";

/// The longest name that Barbican takes, in characters.
const LONGEST_NAME: usize = 255;

/// The secrets of a container of type `certificate`, by the names that Barbican has for them.
const CERTIFICATE: &str = "certificate";
const PRIVATE_KEY: &str = "private_key";
const INTERMEDIATES: &str = "intermediates";
const PASSPHRASE: &str = "private_key_passphrase";

/// Keeps certificates at Barbican: a container of type `certificate` for each, with a secret for each part of it, all
/// of them under the certificate's name. They are in the project of the host's service user, under whose identity
/// everything is done; it needs the role that lets it create secrets there. Only that user may read them, and who has
/// the role of an administrator in that project: a host that changes its user needs that role for what is there.
///
/// References are `containers/<uuid>`. URLs that end so, as the original Magnum stored them, are understood as well;
/// of a URL only the UUID counts, and the endpoint is always the catalog's. A private key that is encrypted with a
/// passphrase kept beside it, as the original stored them, is decrypted. What a failed `store` leaves are secrets in
/// no container; `find` names each as `secrets/<uuid>`, which `delete` takes and for which `fetch` finds nothing.
///
/// Barbican strips white space around what it keeps: PEM texts come back ended by one line feed. It takes 20000 bytes
/// for each of them unless its configuration says otherwise, and refuses more with `InvalidInput`.
///
/// # Example
/// ```
/// use magnum_certs::BarbicanCertManager;
/// use magnum_core::{CertManager, CertificateBundle};
/// use magnum_openstack::OpenStack;
///
/// async fn keep(openstack: &OpenStack, bundle: CertificateBundle) -> magnum_core::Result<()> {
///     let certificates = BarbicanCertManager::new(openstack);
///     let reference = certificates.store("magnum-c1-ca", bundle).await?;
///     assert!(reference.reference.starts_with("containers/"));
///     certificates.delete(&reference).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct BarbicanCertManager {
    client: Client,
}

impl BarbicanCertManager {
    /// A certificate store at this cloud's Barbican.
    #[must_use]
    pub fn new(openstack: &OpenStack) -> Self {
        Self {
            client: Client::new(openstack.clone()),
        }
    }
}

#[async_trait]
impl CertManager for BarbicanCertManager {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    async fn store(&self, name: &str, bundle: CertificateBundle) -> Result<CertRef> {
        let label = label(name, LONGEST_NAME);
        // Some of the stores behind Barbican keep only the first certificate of a secret that is called one.
        let intermediates = bundle
            .intermediates
            .as_deref()
            .filter(|text| !text.trim().is_empty())
            .map(|text| (INTERMEDIATES, "opaque", text));
        let parts = [
            (CERTIFICATE, "certificate", bundle.certificate.as_str()),
            (PRIVATE_KEY, "private", bundle.private_key.expose()),
        ];
        let readers = [self.client.own_user().await?];
        let mut made = Vec::new();
        for (part, kind, text) in parts.into_iter().chain(intermediates) {
            let url = self.client.create_secret(&label, kind, text).await?;
            self.client.restrict(&Client::named(&url)?, &readers).await?;
            made.push((part, url));
        }
        let container = self.client.create_container(&label, &made).await?;
        self.client.restrict(&container, &readers).await?;
        Ok(reference(&container))
    }

    async fn fetch(&self, reference: &CertRef) -> Result<CertificateBundle> {
        let kept @ Kept::Container(_) = own(reference)? else {
            return Err(gone(reference));
        };
        let container = self.client.container(&kept).await?;
        of_a_certificate(&container, reference)?;
        let certificate = self.part(&container, CERTIFICATE).await?;
        let private_key = self.part(&container, PRIVATE_KEY).await?;
        // What an interrupted deletion has left is no certificate any more.
        let (Some(certificate), Some(private_key)) = (certificate, private_key) else {
            return Err(gone(reference));
        };
        let intermediates = self.part(&container, INTERMEDIATES).await?;
        let passphrase = self.part(&container, PASSPHRASE).await?;
        let private_key = blocking("barbican.fetch", move || {
            encrypted_key::opened(Secret::new(pem(&private_key)), passphrase.as_ref())
        })
        .await?;
        Ok(CertificateBundle {
            certificate: pem(&certificate),
            private_key,
            intermediates: intermediates.as_ref().map(pem),
        })
    }

    async fn delete(&self, reference: &CertRef) -> Result<()> {
        let kept = own(reference)?;
        if let Kept::Container(_) = kept {
            let Some(container) = there(self.client.container(&kept).await)? else {
                return Ok(());
            };
            of_a_certificate(&container, reference)?;
            // The container goes last: until then it says what there is to remove. Its consumers go with it.
            for secret in container.secrets()? {
                there(self.client.remove(&secret).await)?;
            }
        }
        there(self.client.remove(&kept).await)?;
        Ok(())
    }

    async fn find(&self, name: &str) -> Result<Vec<CertRef>> {
        let label = label(name, LONGEST_NAME);
        // In this order: a secret whose container comes into being meanwhile is not taken for one without.
        let secrets = self.client.secrets(&label).await?;
        let containers = self.client.containers(&label).await?;
        let mut found = Vec::new();
        let mut held = Vec::new();
        for container in &containers {
            found.push(reference(&container.kept()?));
            held.extend(container.secrets()?);
        }
        let without = secrets.iter().filter(|secret| !held.contains(secret));
        found.extend(without.map(reference));
        Ok(found)
    }
}

impl BarbicanCertManager {
    /// The text of one part of a certificate, where it has that part.
    async fn part(&self, container: &Container, name: &str) -> Result<Option<Secret>> {
        match container.secret(name)? {
            Some(secret) => there(self.client.payload(&secret).await),
            None => Ok(None),
        }
    }
}

/// What is there, or `None` when Barbican says that it is not.
fn there<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Barbican strips the line feed at the end, which PEM texts that are put behind one another need.
fn pem(text: &Secret) -> String {
    format!("{}\n", text.expose().trim())
}

fn reference(kept: &Kept) -> CertRef {
    CertRef {
        backend: BACKEND.to_owned(),
        reference: kept.to_string(),
    }
}

/// What one of our references names.
fn own(reference: &CertRef) -> Result<Kept> {
    if reference.backend != BACKEND {
        return Err(foreign(&reference.backend, "a reference of barbican is needed"));
    }
    Kept::read(&reference.reference).ok_or_else(|| {
        foreign(
            &reference.reference,
            "containers/ and a UUID, or a URL that ends so, is needed",
        )
    })
}

/// Other containers are somebody else's, and their secrets stay.
fn of_a_certificate(container: &Container, reference: &CertRef) -> Result<()> {
    if container.is_of_a_certificate() {
        return Ok(());
    }
    Err(foreign(
        &reference.reference,
        "a container of type certificate is needed",
    ))
}

fn foreign(value: &str, message: &str) -> Error {
    Error::field("certificate reference", value, message).at("certs", BACKEND)
}

fn gone(reference: &CertRef) -> Error {
    Error::not_found("certificate", &reference.reference).at("certs", "barbican.fetch")
}
