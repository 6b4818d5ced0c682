//! Where private keys come from.

use async_trait::async_trait;
use magnum_core::{Error, KeySource, Result, Secret};
use openssl::ec::{Asn1Flag, EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;

use crate::blocking::{blocking, openssl_fault};
use crate::private_key;

/// The size of an RSA key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RsaBits {
    /// 2048 bits, the default: about 0.3 s to make.
    #[default]
    Bits2048,
    /// 3072 bits: about 1 s to make.
    Bits3072,
    /// 4096 bits: several seconds to make.
    Bits4096,
}

impl RsaBits {
    /// The size in bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits2048 => 2048,
            Self::Bits3072 => 3072,
            Self::Bits4096 => 4096,
        }
    }
}

impl TryFrom<u32> for RsaBits {
    type Error = Error;

    /// # Errors
    /// `InvalidInput` with field `rsa_key_size` for any number but 2048, 3072 and 4096.
    fn try_from(bits: u32) -> Result<Self> {
        match bits {
            2048 => Ok(Self::Bits2048),
            3072 => Ok(Self::Bits3072),
            4096 => Ok(Self::Bits4096),
            _ => Err(Error::field(
                "rsa_key_size",
                bits,
                "2048, 3072 and 4096 are allowed",
            )),
        }
    }
}

/// RSA keys with exponent 65537, made by OpenSSL from the system's randomness.
///
/// ```
/// use magnum_certs::{RsaBits, RsaKeys};
/// assert_eq!(RsaKeys::default().bits.bits(), 2048);
/// let configured = RsaKeys { bits: RsaBits::try_from(4096)? };
/// # assert_eq!(configured.bits, RsaBits::Bits4096);
/// # Ok::<(), magnum_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RsaKeys {
    /// Their size; 2048 bits by default.
    pub bits: RsaBits,
}

#[async_trait]
impl KeySource for RsaKeys {
    async fn generate(&self) -> Result<Secret> {
        let bits = self.bits.bits();
        blocking("keys.generate", move || {
            let key = Rsa::generate(bits)
                .and_then(PKey::from_rsa)
                .map_err(openssl_fault("make an RSA key"))?;
            private_key::write(&key)
        })
        .await
    }
}

/// ECDSA keys on the curve P-256, made by OpenSSL from the system's randomness; under a millisecond each.
///
/// ```
/// use magnum_certs::EcKeys;
/// use magnum_core::KeySource;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> magnum_core::Result<()> {
/// let key = EcKeys.generate().await?;
/// assert!(key.expose().starts_with("-----BEGIN PRIVATE KEY-----"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct EcKeys;

#[async_trait]
impl KeySource for EcKeys {
    async fn generate(&self) -> Result<Secret> {
        blocking("keys.generate", || {
            let key = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)
                .and_then(|mut group| {
                    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
                    EcKey::generate(&group)
                })
                .and_then(PKey::from_ec_key)
                .map_err(openssl_fault("make an EC key"))?;
            private_key::write(&key)
        })
        .await
    }
}
