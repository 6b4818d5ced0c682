//! Private keys that another program kept, which may be encrypted.

use magnum_core::{Error, ErrorKind, Result, Secret};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;

use crate::pem::single_block;
use crate::private_key;

/// The key as PEM PKCS#8 that is not encrypted. OpenSSL gets `passphrase` where it asks for one, and never asks anybody
/// else.
///
/// # Errors
/// `Configuration` when it is no private key, or the passphrase is not its own.
pub(crate) fn opened(pem: Secret, passphrase: Option<&Secret>) -> Result<Secret> {
    if single_block(pem.expose(), &["PRIVATE KEY"]).is_ok() {
        return Ok(pem);
    }
    let given = passphrase.map(Secret::expose).unwrap_or_default().as_bytes();
    let answer = |asked: &mut [u8]| match asked.get_mut(..given.len()) {
        Some(place) => {
            place.copy_from_slice(given);
            Ok(given.len())
        }
        None => Err(ErrorStack::get()),
    };
    let key = PKey::private_key_from_pem_callback(pem.expose().as_bytes(), answer).map_err(|_| {
        let message = "a private key in the store cannot be read, or not with the passphrase beside it";
        Error::new(ErrorKind::Configuration, message)
    })?;
    private_key::write(&key)
}

#[cfg(test)]
mod tests {
    use openssl::rsa::Rsa;
    use openssl::symm::Cipher;

    use super::*;

    const PLAIN: &str = include_str!("../fixtures/key-0.pem");

    fn secret(pem: Vec<u8>) -> Secret {
        Secret::new(String::from_utf8(pem).unwrap())
    }

    #[test]
    fn keys_are_opened_with_their_own_passphrase_only() {
        let key = PKey::private_key_from_pem(PLAIN.as_bytes()).unwrap();
        let rsa: Rsa<_> = key.rsa().unwrap();
        let cipher = Cipher::aes_256_cbc();
        let long = "p".repeat(1024);
        for word in ["pass", "with \u{0} in it", "é", &long] {
            let word = Secret::new(word);
            let bytes = word.expose().as_bytes();
            for pem in [
                key.private_key_to_pem_pkcs8_passphrase(cipher, bytes).unwrap(),
                rsa.private_key_to_pem_passphrase(cipher, bytes).unwrap(),
            ] {
                let pem = secret(pem);
                assert_eq!(opened(pem.clone(), Some(&word)).unwrap().expose(), PLAIN);
                let longest = Secret::new("x".repeat(100_000));
                for wrong in [
                    None,
                    Some(Secret::new("")),
                    Some(Secret::new("Pass")),
                    Some(longest),
                ] {
                    let error = opened(pem.clone(), wrong.as_ref()).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Configuration, "{wrong:?}");
                }
            }
        }
    }

    #[test]
    fn keys_that_are_not_encrypted_need_none() {
        let plain = Secret::new(PLAIN);
        assert_eq!(opened(plain.clone(), None).unwrap(), plain);
        assert_eq!(opened(plain.clone(), Some(&Secret::new("x"))).unwrap(), plain);
        let key = PKey::private_key_from_pem(PLAIN.as_bytes()).unwrap();
        let older = secret(key.rsa().unwrap().private_key_to_pem().unwrap());
        assert_eq!(opened(older, None).unwrap(), plain);
        for text in [
            "",
            "private",
            "-----BEGIN PRIVATE KEY-----\nAQ",
            "-----BEGIN RSA PRIVATE KEY-----\nAQ==",
        ] {
            let error = opened(Secret::new(text), None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
        }
    }
}
