//! Key sources give PKCS#8 in PEM, each time another.

use magnum_certs::{EcKeys, FixtureKeys, RsaBits, RsaKeys};
use magnum_core::{ErrorKind, KeySource};
use openssl::pkey::{Id, PKey};

#[tokio::test]
async fn rsa_and_ec_keys_are_what_they_say() {
    let rsa = RsaKeys::default().generate().await.unwrap();
    let key = PKey::private_key_from_pem(rsa.expose().as_bytes()).unwrap();
    assert_eq!((key.id(), key.bits()), (Id::RSA, 2048));

    let ec = EcKeys.generate().await.unwrap();
    let key = PKey::private_key_from_pem(ec.expose().as_bytes()).unwrap();
    assert_eq!((key.id(), key.bits()), (Id::EC, 256));
    assert_ne!(ec, EcKeys.generate().await.unwrap());
}

#[test]
fn other_sizes_of_rsa_keys_are_refused() {
    for bits in [2048, 3072, 4096] {
        assert_eq!(RsaBits::try_from(bits).unwrap().bits(), bits);
    }
    for bits in [0, 1024, 2047, 8192, u32::MAX] {
        let refused = RsaBits::try_from(bits).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert_eq!(refused.problems()[0].field, "rsa_key_size");
    }
}

#[tokio::test]
async fn fixture_keys_come_in_the_order_of_their_seed() {
    let keys = async |seed| {
        let source = FixtureKeys::danger_seeded(seed);
        let mut keys = Vec::new();
        for _ in 0..9 {
            keys.push(source.generate().await.unwrap());
        }
        keys
    };
    let (first, second) = (keys(u64::MAX).await, keys(0).await);
    assert_eq!(first, keys(u64::MAX).await);
    assert_eq!(first[1..], second[..8]);
    assert_eq!(first[0], first[8]);
    assert!(
        first[..8]
            .iter()
            .enumerate()
            .all(|(at, key)| !first[..at].contains(key) && !key.is_empty())
    );
}
