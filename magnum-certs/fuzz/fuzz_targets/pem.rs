//! Texts where a certificate, a private key, intermediates or a sealing key belong: used, or refused as
//! configuration, without a question on the terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use magnum_certs::SealingKey;
use magnum_certs_fuzz::request::{info, signed};
use magnum_certs_fuzz::{WORLD, YEAR, client, der, key, leaf, node};
use magnum_core::{Authority, CertificateBundle, ErrorKind, Secret};
use openssl::x509::X509;

fuzz_target!(|data: &[u8]| {
    let Some((form, rest)) = data.split_first() else {
        return;
    };
    let text = || String::from_utf8_lossy(rest).into_owned();
    let ca = WORLD.ca.clone();
    let form = form % 6;
    match form {
        0 | 1 => asked(CertificateBundle {
            certificate: if form == 0 {
                text()
            } else {
                der::pem("CERTIFICATE", rest)
            },
            ..ca
        }),
        2 | 3 => asked(CertificateBundle {
            private_key: Secret::new(if form == 2 {
                text()
            } else {
                der::pem("PRIVATE KEY", rest)
            }),
            ..ca
        }),
        4 => asked(CertificateBundle {
            intermediates: Some(text()),
            ..ca
        }),
        _ => sealed(text()),
    }
});

fn asked(ca: CertificateBundle) {
    let alice = b"\x31\x0e\x30\x0c\x06\x03\x55\x04\x03\x0c\x05alice";
    let request = signed(&info(alice, b""));
    let pem = der::pem("CERTIFICATE REQUEST", &request);
    let world = &*WORLD;
    let authority = &world.authority;
    match world.runtime.block_on(authority.sign(&ca, &pem, &client(), YEAR)) {
        Ok(leaf) => leaf::check_client(&leaf, &request, &issuer(&ca)),
        Err(refused) => assert_refused(&refused, &ca),
    }
    match world
        .runtime
        .block_on(authority.issue(&ca, "kubernetes", &node(), YEAR))
    {
        Ok(bundle) => leaf::check_issued_node(&bundle.certificate, &issuer(&ca)),
        Err(refused) => assert_refused(&refused, &ca),
    }
}

fn issuer(ca: &CertificateBundle) -> openssl::pkey::PKey<openssl::pkey::Public> {
    let certificate = X509::from_der(&der::block(&ca.certificate)).unwrap();
    let public = certificate.public_key().unwrap();
    assert!(public.public_eq(&key("ca")), "another authority");
    public
}

fn assert_refused(refused: &magnum_core::Error, ca: &CertificateBundle) {
    assert_eq!(refused.kind(), ErrorKind::Configuration, "{refused:?}");
    let shown = format!("{refused} {refused:?}");
    assert!(shown.len() < 2000, "{shown}");
    for line in ca.private_key.expose().lines().filter(|line| line.len() > 40) {
        assert!(!shown.contains(line), "a private key is shown");
    }
}

fn sealed(text: String) {
    match SealingKey::from_base64(&Secret::new(text)) {
        Ok(key) => {
            let again = SealingKey::from_base64(&key.to_base64()).unwrap();
            assert_eq!(again.id(), key.id());
        }
        Err(refused) => assert_eq!(refused.kind(), ErrorKind::Configuration),
    }
}
