//! Sealing with AES-256-GCM.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use magnum_core::{Entropy, Error, ErrorKind, Result, Sealed, Sealer, Secret, SystemRandom};
use openssl::error::ErrorStack;
use openssl::symm::{Cipher, Crypter, Mode};
use zeroize::{Zeroize, Zeroizing};

use crate::sealing_key::SealingKey;

const VERSION: &str = "v1";
const NONCE: usize = 12;
const TAG: usize = 16;

/// Seals secrets with AES-256-GCM.
///
/// A sealed text is `v1.<key id>.<base64>`; the base64 holds a random nonce of 96 bits, the cipher text and the tag
/// of 128 bits. The context is authenticated and is not in the text. Keep one key below 2³² sealings.
///
/// To change keys, seal with the new one and go on opening with the old ones until everything was sealed anew:
///
/// ```
/// use magnum_certs::{AesSealer, SealingKey};
/// use magnum_core::{Sealer, Secret, SystemRandom};
///
/// let old = SealingKey::generate(&SystemRandom)?;
/// let new = SealingKey::generate(&SystemRandom)?;
/// let sealed = AesSealer::new(old.clone()).seal(&Secret::new("s3cret"), "row 1")?;
///
/// let sealer = AesSealer::new(new).also_opens(old);
/// assert_eq!(sealer.open(&sealed, "row 1")?.expose(), "s3cret");
/// assert!(sealer.open(&sealed, "row 2").is_err());
/// assert!(!sealer.is_current(&sealed));
/// # Ok::<(), magnum_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AesSealer {
    current: SealingKey,
    former: Vec<SealingKey>,
    entropy: Arc<dyn Entropy>,
}

impl AesSealer {
    /// Seals and opens with `key`; nonces come from the system's randomness.
    #[must_use]
    pub fn new(key: SealingKey) -> Self {
        Self::with_entropy(key, Arc::new(SystemRandom))
    }

    /// Seals and opens with `key`; nonces come from `entropy`, which must never repeat itself under one key.
    #[must_use]
    pub fn with_entropy(key: SealingKey, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            current: key,
            former: Vec::new(),
            entropy,
        }
    }

    /// Also opens what was sealed with a former key.
    #[must_use]
    pub fn also_opens(mut self, key: SealingKey) -> Self {
        self.former.push(key);
        self
    }
}

impl Sealer for AesSealer {
    fn is_current(&self, sealed: &Sealed) -> bool {
        Parts::read(sealed).is_some_and(|parts| parts.key_id == self.current.id())
    }

    fn seal(&self, secret: &Secret, context: &str) -> Result<Sealed> {
        let mut nonce = [0; NONCE];
        self.entropy
            .fill(&mut nonce)
            .map_err(|error| error.at("certs", "sealer.seal"))?;
        let sealed =
            encrypt(&self.current, &nonce, secret.expose().as_bytes(), context).map_err(|stack| {
                Error::internal("sealing failed")
                    .at("certs", "sealer.seal")
                    .with_source(stack)
            })?;
        let id = self.current.id();
        Ok(Sealed(format!("{VERSION}.{id}.{}", STANDARD.encode(sealed))))
    }

    fn open(&self, sealed: &Sealed, context: &str) -> Result<Secret> {
        let cannot = |why: String| {
            Error::new(
                ErrorKind::Configuration,
                format!("a sealed secret cannot be opened: {why}"),
            )
            .at("certs", "sealer.open")
        };
        let parts = Parts::read(sealed).ok_or_else(|| cannot("it is not in the form v1".into()))?;
        let key = std::iter::once(&self.current)
            .chain(&self.former)
            .find(|key| key.id() == parts.key_id)
            .ok_or_else(|| {
                cannot(format!(
                    "the key {} is not configured",
                    magnum_core::shown(parts.key_id)
                ))
            })?;
        let changed = || cannot("it was changed, or belongs to another place".into());
        let text = decrypt(key, &parts, context).ok_or_else(changed)?;
        std::str::from_utf8(&text).map(Secret::new).map_err(|_| changed())
    }
}

struct Parts<'a> {
    key_id: &'a str,
    sealed: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn read(sealed: &'a Sealed) -> Option<Self> {
        let (version, rest) = sealed.0.split_once('.')?;
        let (key_id, base64) = rest.split_once('.')?;
        let sealed = STANDARD.decode(base64).ok()?;
        (version == VERSION && sealed.len() >= NONCE + TAG).then_some(Self { key_id, sealed })
    }
}

/// Nonce, cipher text, tag.
fn encrypt(key: &SealingKey, nonce: &[u8; NONCE], text: &[u8], context: &str) -> Result<Vec<u8>, ErrorStack> {
    let cipher = Cipher::aes_256_gcm();
    let mut crypter = Crypter::new(cipher, Mode::Encrypt, key.bytes(), Some(nonce))?;
    crypter.aad_update(context.as_bytes())?;
    let mut out = vec![0; text.len() + cipher.block_size()];
    let mut length = crypter.update(text, &mut out)?;
    length += crypter.finalize(out.get_mut(length..).unwrap_or_default())?;
    let mut tag = [0; TAG];
    crypter.get_tag(&mut tag)?;
    Ok([nonce, out.get(..length).unwrap_or_default(), &tag].concat())
}

/// The text, wiped when dropped; `None` when it is not authentic.
fn decrypt(key: &SealingKey, parts: &Parts<'_>, context: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = parts.sealed.split_at_checked(NONCE)?;
    let (sealed, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
    let cipher = Cipher::aes_256_gcm();
    let mut crypter = Crypter::new(cipher, Mode::Decrypt, key.bytes(), Some(nonce)).ok()?;
    crypter.aad_update(context.as_bytes()).ok()?;
    crypter.set_tag(tag).ok()?;
    let mut text = Zeroizing::new(vec![0; sealed.len() + cipher.block_size()]);
    let mut length = crypter.update(sealed, &mut text).ok()?;
    length += crypter.finalize(text.get_mut(length..)?).ok()?;
    text.get_mut(length..)?.zeroize();
    text.truncate(length);
    Some(text)
}
