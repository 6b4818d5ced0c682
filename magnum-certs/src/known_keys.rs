//! Keys that the whole world knows. They are refused in every build, not only in those that can make them.

use magnum_core::Result;
use openssl::pkey::{HasPublic, PKeyRef};

use crate::blocking::openssl_fault;
use crate::fingerprint::fingerprint;

/// SHA-256 of the public keys (SubjectPublicKeyInfo, DER) of `fixtures/key-*.pem`.
const FIXTURES: [&str; 8] = [
    "c94f2acc1be510b2f29419c40f48ead5321d5cf4d8f6634a78187576a4774bf4",
    "4bb07f407bd7ea4c712adcf6e1922e13fa1176f79c5a013b19ad2c9e061193e5",
    "e6c178f808d02aadd135303fb64b8709b306f71139a7246aa8cb16da407aa6d2",
    "7474055ef6b7cc591745674f17cf7e1ce821e5180d02ffa723145755faa32c74",
    "8795fd2f34b776e34045cac29b8f2d349b0782cd75b4c6030463fc4e6e115c93",
    "66bb73c3b4bd6e10e66d716d9c4f7f2def5bb0c3537e8dda31aae9f46eb71106",
    "31c0ba46ccebc424a8cff242daf35727d90c3c37a21998a788ba07309e35db0f",
    "9f001bae19b0d29806f86b2ddac8c93f70567e34877ce4b0f3d6925d73924dda",
];

/// Whether this is one of the checked-in test keys.
pub(crate) fn is_known<T: HasPublic>(key: &PKeyRef<T>) -> Result<bool> {
    let der = key
        .public_key_to_der()
        .map_err(openssl_fault("write a public key"))?;
    Ok(FIXTURES.contains(&fingerprint(&der).as_str()))
}
