//! Names of subjects: what fits into a certificate.

use magnum_core::Result;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::{X509Name, X509NameBuilder};

use crate::blocking::openssl_fault;
use crate::fingerprint::fingerprint;

/// The longest common name or organization in characters (RFC 5280, `ub-common-name`).
const LIMIT: usize = 64;

/// The subject of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// `CN`.
    pub(crate) common_name: String,
    /// `O`, one attribute each.
    pub(crate) organizations: Vec<String>,
}

impl Subject {
    /// The distinguished name: `CN`, then each `O`.
    pub(crate) fn distinguished_name(&self) -> Result<X509Name> {
        let build = || -> Result<X509Name, ErrorStack> {
            let mut name = X509NameBuilder::new()?;
            name.append_entry_by_nid(Nid::COMMONNAME, &self.common_name)?;
            for organization in &self.organizations {
                name.append_entry_by_nid(Nid::ORGANIZATIONNAME, organization)?;
            }
            Ok(name.build())
        };
        build().map_err(openssl_fault("make a distinguished name"))
    }
}

/// Whether a text can be a common name or an organization as it is.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(text: &str) -> Result<(), &'static str> {
    if text.chars().any(char::is_control) {
        return Err("control characters are not allowed");
    }
    if text.trim().is_empty() || text.chars().count() > LIMIT {
        return Err("1 to 64 characters are allowed");
    }
    Ok(())
}

/// A text of any length as a common name: a long one keeps its beginning and gets eight digits of its
/// SHA-256, so that two long names stay two.
///
/// # Errors
/// What is wrong with it, if not its length.
pub(crate) fn shortened(text: &str) -> Result<String, &'static str> {
    if text.chars().count() <= LIMIT {
        return check(text).map(|()| text.to_owned());
    }
    let hash = fingerprint(text.as_bytes());
    let short: String = text
        .chars()
        .take(LIMIT - 9)
        .chain(std::iter::once('~'))
        .chain(hash.chars().take(8))
        .collect();
    check(&short).map(|()| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_shortened_and_stay_different() {
        let long = "ü".repeat(65);
        let other = format!("{long}x");
        let short = shortened(&long).unwrap();
        assert_eq!(short.chars().count(), 64);
        assert!(short.starts_with("üü"));
        assert_ne!(short, shortened(&other).unwrap());
        assert_eq!(shortened(&"ü".repeat(64)).unwrap(), "ü".repeat(64));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "  ", "a\nb", "a\0b", "\u{85}"] {
            assert!(check(text).is_err(), "{text:?}");
            assert!(shortened(text).is_err(), "{text:?}");
        }
        assert!(shortened(&format!("{}\n", "a".repeat(10)).repeat(9)).is_err());
    }
}
