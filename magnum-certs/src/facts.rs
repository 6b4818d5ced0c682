//! What is written in a certificate.

use jiff::Timestamp;
use magnum_core::{CertificateFacts, Error, ErrorKind, Result};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

use crate::pem::single_block;

/// Reads one PEM certificate.
///
/// # Errors
/// `Configuration` when it is none.
pub(crate) fn of(pem: &str) -> Result<CertificateFacts> {
    let unreadable = |why: &str| Error::new(ErrorKind::Configuration, format!("the certificate {why}"));
    let der = single_block(pem, &["CERTIFICATE"]).map_err(unreadable)?;
    let certificate = Certificate::from_der(&der).map_err(|_| unreadable("cannot be read"))?;
    let written = certificate.tbs_certificate();
    let serial = written.serial_number().as_bytes();
    Ok(CertificateFacts {
        subject: written.subject().to_string(),
        issuer: written.issuer().to_string(),
        serial: serial.iter().map(|byte| format!("{byte:02x}")).collect(),
        not_before: instant(&written.validity().not_before)?,
        not_after: instant(&written.validity().not_after)?,
    })
}

fn instant(time: &Time) -> Result<Timestamp> {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "the certificate's times are out of range",
            )
        })
}
