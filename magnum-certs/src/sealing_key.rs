//! The host's keys for secrets at rest.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use magnum_core::{Entropy, Error, ErrorKind, Result, Secret};
use zeroize::Zeroizing;

use crate::fingerprint::fingerprint;

const LENGTH: usize = 32;

/// A 256-bit key, wiped from memory when dropped.
///
/// It comes from the host: 32 bytes, their base64 text, or a file with either.
///
/// ```
/// use magnum_certs::SealingKey;
/// use magnum_core::SystemRandom;
///
/// // Once, to be kept where the host keeps its secrets; `openssl rand -base64 32` does the same.
/// let text = SealingKey::generate(&SystemRandom)?.to_base64();
/// // At every start.
/// let key = SealingKey::from_base64(&text)?;
/// assert_eq!(key.id().len(), 16);
/// # Ok::<(), magnum_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SealingKey {
    bytes: Zeroizing<[u8; LENGTH]>,
    id: String,
}

impl SealingKey {
    /// A key of 32 bytes. Bytes that are all the same are refused.
    ///
    /// # Errors
    /// `Configuration` when there are not 32, or they are no key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bytes: Zeroizing<[u8; LENGTH]> = bytes
            .try_into()
            .map(Zeroizing::new)
            .map_err(|_| unfit(format!("has {} bytes, and 32 are needed", bytes.len())))?;
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(unfit("is the same byte throughout"));
        }
        let mut named = Zeroizing::new(b"magnum sealing key v1:".to_vec());
        named.extend_from_slice(bytes.as_slice());
        let id = fingerprint(&named).chars().take(16).collect();
        Ok(Self { bytes, id })
    }

    /// A key as base64 with padding; white space around it is ignored.
    ///
    /// # Errors
    /// `Configuration` when it is not the base64 of 32 bytes.
    pub fn from_base64(text: &Secret) -> Result<Self> {
        let bytes = STANDARD
            .decode(text.expose().trim())
            .map(Zeroizing::new)
            .map_err(|_| unfit("is not base64"))?;
        Self::from_bytes(&bytes)
    }

    /// A key from a file that holds 32 bytes or their base64. Reads the file at once, so call it at start.
    ///
    /// # Errors
    /// `Configuration` when the file cannot be read, can be read by its group or by others (its mode must be
    /// 0600 or stricter), or holds no key.
    pub fn from_file(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(
                ErrorKind::Configuration,
                format!("the sealing key cannot be read from {}: {error}", path.display()),
            )
        };
        // A look before opening, since opening a pipe would wait; then again at what was opened.
        check_private(&fs::metadata(path).map_err(failed)?, path)?;
        let file = File::open(path).map_err(failed)?;
        check_private(&file.metadata().map_err(failed)?, path)?;

        let mut content = Zeroizing::new(Vec::with_capacity(1024));
        file.take(1024).read_to_end(&mut content).map_err(failed)?;
        if content.len() == LENGTH {
            return Self::from_bytes(&content);
        }
        let text =
            std::str::from_utf8(&content).map_err(|_| unfit("is neither 32 bytes nor their base64"))?;
        Self::from_base64(&Secret::new(text))
    }

    /// A new key.
    ///
    /// # Errors
    /// What the source of randomness fails with.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        entropy.fill(bytes.as_mut_slice())?;
        Self::from_bytes(bytes.as_slice())
    }

    /// The key as base64, for the host to keep.
    #[must_use]
    pub fn to_base64(&self) -> Secret {
        Secret::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// What names the key in sealed texts: 16 hexadecimal digits of a SHA-256 over it, no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn unfit(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Configuration, format!("the sealing key {why}"))
}

fn check_private(metadata: &fs::Metadata, path: &Path) -> Result<()> {
    if !metadata.is_file() {
        return Err(unfit(format_args!("{} is not a file", path.display())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(unfit(format_args!(
                "file {} has mode {mode:04o}; only its owner may have rights on it, for example 0600",
                path.display()
            )));
        }
    }
    Ok(())
}
