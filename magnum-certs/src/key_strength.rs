//! Which keys are good enough to be certified.

use magnum_core::{Error, ErrorKind};
use openssl::bn::BigNumRef;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKeyRef};

/// Smallest RSA modulus in bits.
const RSA_MIN: u32 = 2048;
/// Largest RSA modulus in bits: beyond it a check costs more than a stranger's request is worth.
const RSA_MAX: u32 = 8192;

/// A key that is not good enough: what it is, and what is allowed.
#[derive(Debug)]
pub(crate) struct WeakKey {
    /// The key, for example `RSA 1024`.
    pub(crate) key: String,
    /// What is wrong with it and what is allowed.
    pub(crate) message: &'static str,
}

/// Accepts RSA of 2048 to 8192 bits, P-256, P-384 and Ed25519.
///
/// # Errors
/// [`WeakKey`] for everything else.
pub(crate) fn check<T: HasPublic>(key: &PKeyRef<T>) -> Result<(), WeakKey> {
    let weak = |key: String, message| Err(WeakKey { key, message });
    match key.id() {
        Id::RSA => {
            let Ok(rsa) = key.rsa() else {
                return weak("RSA".into(), "the key cannot be read");
            };
            let bits = rsa.n().num_bits().unsigned_abs();
            if !(RSA_MIN..=RSA_MAX).contains(&bits) {
                return weak(format!("RSA {bits}"), "RSA keys of 2048 to 8192 bits are allowed");
            }
            if !sound_exponent(rsa.e()) || !rsa.n().is_bit_set(0) {
                return weak(
                    format!("RSA {bits}"),
                    "an odd modulus and an odd public exponent above 1 of at most 64 bits are needed",
                );
            }
            Ok(())
        }
        Id::EC => match key.ec_key() {
            Ok(ec) => match ec.group().curve_name() {
                Some(Nid::X9_62_PRIME256V1 | Nid::SECP384R1) => match ec.check_key() {
                    Ok(()) => Ok(()),
                    Err(_) => weak("EC".into(), "the public point is not on its curve"),
                },
                curve => weak(
                    curve
                        .and_then(|nid| nid.short_name().ok())
                        .unwrap_or("EC")
                        .to_owned(),
                    "of the elliptic curves P-256 and P-384 are allowed",
                ),
            },
            Err(_) => weak("EC".into(), "the key cannot be read"),
        },
        Id::ED25519 => Ok(()),
        _ => weak(
            "key".into(),
            "RSA, ECDSA (P-256, P-384) and Ed25519 keys are allowed",
        ),
    }
}

/// [`check`] for a key of our own.
///
/// # Errors
/// `Configuration`: the host's key source gives unfit keys.
pub(crate) fn check_own<T: HasPublic>(key: &PKeyRef<T>) -> Result<(), Error> {
    check(key).map_err(|weak| {
        Error::new(
            ErrorKind::Configuration,
            format!("the key source gave {}: {}", weak.key, weak.message),
        )
    })
}

fn sound_exponent(exponent: &BigNumRef) -> bool {
    exponent.is_bit_set(0) && (2..=64).contains(&exponent.num_bits())
}
