//! A fixed time, known keys, and an authority that accepts them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use magnum_certs::{FixtureKeys, OpenSslAuthority};
use magnum_core::{
    Authority, CertificateBundle, Clock, KeySource, Profile, Result, Secret, SubjectName, SystemRandom,
};
use openssl::pkey::{PKey, Private};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
pub(crate) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// 2030-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_893_456_000;

/// A clock that stands still at so many seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At(pub(crate) i64);

#[async_trait]
impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0).unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

/// A key source that has one key.
#[derive(Debug)]
pub(crate) struct Given(pub(crate) Secret);

impl Given {
    pub(crate) fn key(key: &PKey<Private>) -> Arc<dyn KeySource> {
        Arc::new(Self(secret(key)))
    }
}

#[async_trait]
impl KeySource for Given {
    async fn generate(&self) -> Result<Secret> {
        Ok(self.0.clone())
    }
}

pub(crate) fn secret(key: &PKey<Private>) -> Secret {
    Secret::new(String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap())
}

pub(crate) fn authority() -> OpenSslAuthority {
    authority_at(NOW, Arc::new(FixtureKeys::danger_seeded(0)))
}

pub(crate) fn authority_at(now: i64, keys: Arc<dyn KeySource>) -> OpenSslAuthority {
    OpenSslAuthority::new(keys, Arc::new(At(now)), Arc::new(SystemRandom)).danger_accept_fixture_keys()
}

pub(crate) async fn ca() -> CertificateBundle {
    authority().create_ca("c1", 5 * YEAR).await.unwrap()
}

pub(crate) fn client(organizations: &[&str]) -> Profile {
    Profile::Client {
        organizations: organizations.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn node() -> Profile {
    Profile::Node {
        common_name: "kubernetes".into(),
        organizations: Vec::new(),
        names: vec![
            SubjectName::Ip("10.0.0.5".parse().unwrap()),
            SubjectName::Ip("fd00::5".parse().unwrap()),
            SubjectName::Dns("Kubernetes.default".into()),
            SubjectName::Dns("master-0".into()),
        ],
        server: true,
        client: true,
    }
}
