//! A certificate authority made ready to sign.

use magnum_core::{CertificateBundle, Error, ErrorKind, Result};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use crate::pem::single_block;
use crate::private_key;

/// A certificate authority with its key.
pub(crate) struct Issuer {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

impl Issuer {
    /// Reads and checks an authority's bundle.
    ///
    /// # Errors
    /// `Configuration` when it cannot be read, is no authority, or key and certificate do not belong together.
    pub(crate) fn read(bundle: &CertificateBundle) -> Result<Self> {
        let der = single_block(&bundle.certificate, &["CERTIFICATE"]).map_err(wrong)?;
        let certificate = X509::from_der(&der).map_err(|_| wrong("cannot be read"))?;
        if !may_sign(&der) {
            return Err(wrong("is not that of an authority"));
        }
        let key = private_key::read(&bundle.private_key)?;
        if !certificate
            .public_key()
            .is_ok_and(|public| public.public_eq(&key))
        {
            return Err(wrong("does not belong to its private key"));
        }
        Ok(Self { certificate, key })
    }

    /// The certificates between a leaf and its root: none under a root.
    pub(crate) fn chain_for_leaf(&self, bundle: &CertificateBundle) -> Option<String> {
        let (subject, issuer) = (self.certificate.subject_name(), self.certificate.issuer_name());
        if subject.try_cmp(issuer).is_ok_and(std::cmp::Ordering::is_eq) {
            return None;
        }
        let above = bundle.intermediates.as_deref().unwrap_or_default();
        Some(format!("{}\n{above}", bundle.certificate.trim_end()))
    }
}

fn wrong(why: &str) -> Error {
    Error::new(
        ErrorKind::Configuration,
        format!("the certificate authority's certificate {why}"),
    )
}

/// Basic constraints say CA, and key usages, where there are any, allow signing.
fn may_sign(der: &[u8]) -> bool {
    let Ok(certificate) = Certificate::from_der(der) else {
        return false;
    };
    let tbs = certificate.tbs_certificate();
    let authority =
        matches!(tbs.get_extension::<BasicConstraints>(), Ok(Some((_, constraints))) if constraints.ca);
    let signs = match tbs.get_extension::<KeyUsage>() {
        Ok(usage) => usage.is_none_or(|(_, usage)| usage.key_cert_sign()),
        Err(_) => false,
    };
    authority && signs
}
