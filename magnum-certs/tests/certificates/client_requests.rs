//! Requests that hosts make for client configurations.

use std::sync::Arc;

use magnum_certs::{ClientRequest, EcKeys, FixtureKeys};
use magnum_core::{Authority, ErrorKind, KeySource};
use openssl::pkey::PKey;

use crate::requests::rsa_key;
use crate::setting::{Given, YEAR, authority, ca, client, secret};
use crate::verify::{openssl_verify, parsed};

#[tokio::test]
async fn a_request_is_signed_and_belongs_to_its_key() {
    let ed25519 = Given::key(&PKey::generate_ed25519().unwrap());
    let sources: [Arc<dyn KeySource>; 3] =
        [Arc::new(EcKeys), Arc::new(FixtureKeys::danger_seeded(1)), ed25519];
    let organizations = ["system:masters".to_owned(), "Zürich".to_owned()];
    let ca = ca().await;
    for keys in sources {
        let request = ClientRequest::generate("admin", &organizations, &*keys)
            .await
            .unwrap();
        let profile = client(&["system:masters", "Zürich"]);
        let signed = authority().sign(&ca, &request.csr, &profile, YEAR).await.unwrap();
        openssl_verify(&ca.certificate, &signed, &["-purpose", "sslclient"]).unwrap();
        let subject = parsed(&signed).tbs_certificate().subject().to_string();
        assert_eq!(subject, "O=Zürich,O=system:masters,CN=admin");

        let certificate = openssl::x509::X509::from_pem(signed.as_bytes()).unwrap();
        let key = PKey::private_key_from_pem(request.private_key.expose().as_bytes()).unwrap();
        assert!(certificate.public_key().unwrap().public_eq(&key));
        assert!(!format!("{request:?}").contains("PRIVATE"));
    }
}

#[tokio::test]
async fn names_and_keys_are_checked() {
    for (name, organization, field) in [
        ("", "a", "common_name"),
        ("a\nb", "a", "common_name"),
        ("a", "", "organizations"),
    ] {
        let refused = ClientRequest::generate(name, &[organization.to_owned()], &EcKeys)
            .await
            .unwrap_err();
        assert_eq!(refused.problems()[0].field, field);
    }
    let weak = Given(secret(&rsa_key(1024)));
    let refused = ClientRequest::generate("a", &[], &weak).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Configuration);
}
