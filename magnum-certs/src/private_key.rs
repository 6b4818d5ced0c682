//! Private keys in and out of their text form.

use magnum_core::{Error, ErrorKind, Result, Secret};
use openssl::pkey::{PKey, Private};
use zeroize::Zeroize;

use crate::blocking::openssl_fault;
use crate::pem::single_block;

/// Reads a PEM PKCS#8 key that is not encrypted.
///
/// # Errors
/// `Configuration`: keys come from the host's stores and key sources, never from tenants.
pub(crate) fn read(pem: &Secret) -> Result<PKey<Private>> {
    let wrong = |why: &str| {
        Error::new(
            ErrorKind::Configuration,
            format!("a private key {why}; PKCS#8 in PEM, not encrypted, is needed"),
        )
    };
    let der = single_block(pem.expose(), &["PRIVATE KEY"]).map_err(wrong)?;
    PKey::private_key_from_pkcs8(&der).map_err(|_| wrong("cannot be read"))
}

/// Writes a key as PEM PKCS#8, not encrypted.
pub(crate) fn write(key: &PKey<Private>) -> Result<Secret> {
    let pem = key
        .private_key_to_pem_pkcs8()
        .map_err(openssl_fault("write a private key"))?;
    String::from_utf8(pem).map(Secret::new).map_err(|error| {
        error.into_bytes().zeroize();
        Error::internal("OpenSSL wrote a private key that is not text")
    })
}
