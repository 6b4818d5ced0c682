//! The Barbican store on a simulated cloud.

mod refused;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use magnum_certs::{BarbicanCertManager, FixtureKeys};
use magnum_core::testing::cert_manager::conformance;
use magnum_core::{
    AnchoredClock, CertManager, CertRef, CertificateBundle, ErrorKind, HttpTransport, KeySource, Secret,
    TlsProfile, TransportError,
};
use magnum_openstack::sim::world::key_manager::{ContainerSpec, SecretSpec};
use magnum_openstack::sim::{At, Effect, Fault, SimCloud, SimTransport};
use magnum_openstack::{Credentials, DomainRef, Named, OpenStack};
use openssl::pkey::PKey;
use openssl::symm::Cipher;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";

/// A cloud, and the project in which the host's service user keeps things.
struct Setting {
    cloud: SimCloud,
    project: String,
}

impl Setting {
    fn new() -> Self {
        let clock = AnchoredClock::starting_at("2030-01-01T00:00:00Z".parse().unwrap());
        let cloud = SimCloud::builder()
            .clock(Arc::new(clock))
            .seed(1)
            .devstack()
            .build();
        let project = cloud.project_id("service").unwrap();
        Self { cloud, project }
    }

    fn over(&self, transport: impl HttpTransport) -> BarbicanCertManager {
        self.of("magnum", transport)
    }

    fn manager_of(&self, user: &str) -> BarbicanCertManager {
        self.of(user, self.cloud.transport())
    }

    fn of(&self, user: &str, transport: impl HttpTransport) -> BarbicanCertManager {
        let in_default = |name: &str| Named::new(name, DomainRef::id("default"));
        let openstack = OpenStack::builder()
            .auth_url(self.cloud.auth_url())
            .transport(Arc::new(transport))
            .clock(self.cloud.clock())
            .service(Credentials::password(in_default(user), "secret").in_project(in_default("service")))
            .build()
            .unwrap();
        BarbicanCertManager::new(&openstack)
    }

    fn manager(&self) -> BarbicanCertManager {
        self.over(self.cloud.transport())
    }

    /// Everything that Barbican holds, of whatever project.
    fn held(&self) -> usize {
        self.cloud
            .with(|world| world.key_manager.secrets().count() + world.key_manager.containers().count())
    }

    fn secret(&self, content_type: &str, payload: &str) -> String {
        let spec = SecretSpec {
            name: Some("Certificate".into()),
            content_type: Some(content_type.into()),
            payload: Some(Secret::new(payload)),
            ..SecretSpec::default()
        };
        self.cloud
            .with(|world| world.create_secret(&self.project, spec))
            .unwrap()
            .id
    }

    fn container(&self, kind: &str, parts: &[(&str, &str)]) -> String {
        let spec = ContainerSpec {
            name: Some("Magnum TLS Cert".into()),
            container_type: kind.into(),
            secrets: parts
                .iter()
                .map(|(name, id)| ((*name).into(), (*id).into()))
                .collect(),
            ..ContainerSpec::default()
        };
        self.cloud
            .with(|world| world.create_container(&self.project, spec))
            .unwrap()
            .id
    }

    /// From now on every call whose path begins so is answered with this status.
    fn refuse(&self, path_prefix: &str, status: u16) {
        let at = At::Route {
            method: None,
            path_prefix: path_prefix.into(),
            nth: 0,
        };
        let retry_after = None;
        self.cloud
            .inject(Fault::always(at, Effect::Status { status, retry_after }));
    }
}

fn in_barbican(reference: impl Into<String>) -> CertRef {
    CertRef {
        backend: "barbican".into(),
        reference: reference.into(),
    }
}

async fn key() -> Secret {
    FixtureKeys::danger_seeded(0).generate().await.unwrap()
}

async fn bundle() -> CertificateBundle {
    CertificateBundle {
        certificate: CERTIFICATE.into(),
        private_key: key().await,
        intermediates: None,
    }
}

/// Lets all but the last of so many requests through; the last has its effect or has not, and neither it nor any after
/// it is answered.
#[derive(Debug)]
struct Breaking {
    inner: SimTransport,
    left: AtomicUsize,
    effect: bool,
}

#[async_trait]
impl HttpTransport for Breaking {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let through = |left: usize| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, through)
        {
            Ok(left) if left > 1 => self.inner.send(request, profile).await,
            outcome => {
                if outcome.is_ok() && self.effect {
                    let _ = self.inner.send(request, profile).await;
                }
                Err(TransportError::maybe_sent("connection reset"))
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_rules_of_certificate_stores_are_kept() {
    for effect in [false, true] {
        let setting = Setting::new();
        let make = async || Arc::new(setting.manager()) as Arc<dyn CertManager>;
        let failing = async |calls: usize| {
            let breaking = Breaking {
                inner: setting.cloud.transport(),
                left: AtomicUsize::new(calls + 1),
                effect,
            };
            Arc::new(setting.over(breaking)) as Arc<dyn CertManager>
        };
        conformance(make, failing, async |_: &str| setting.held()).await;
        assert_eq!(setting.held(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_a_container_of_the_service_user() {
    let setting = Setting::new();
    let manager = setting.manager();
    let given = CertificateBundle {
        intermediates: Some(CERTIFICATE.repeat(2)),
        ..bundle().await
    };
    let stored = manager.store("magnum-c1-ca", given.clone()).await.unwrap();
    assert_eq!(stored.backend, "barbican");
    let user = setting.cloud.user_id("magnum").unwrap();
    setting.cloud.with(|world| {
        let container = world.key_manager.containers().next().unwrap();
        assert_eq!(stored.reference, format!("containers/{}", container.id));
        assert_eq!(container.container_type, "certificate");
        assert_eq!(container.name.as_deref(), Some("magnum-c1-ca"));
        assert_eq!(
            (&container.project_id, &container.user_id),
            (&setting.project, &user)
        );
        let kinds: Vec<(&str, &str)> = container
            .secrets
            .iter()
            .map(|(name, id)| {
                let secret = world.find_secret(&setting.project, id).unwrap();
                assert_eq!(secret.name.as_deref(), Some("magnum-c1-ca"));
                assert_eq!(secret.content_type.as_deref(), Some("text/plain"));
                (name.as_str(), secret.secret_type.as_str())
            })
            .collect();
        let expected = [
            ("certificate", "certificate"),
            ("private_key", "private"),
            ("intermediates", "opaque"),
        ];
        assert_eq!(kinds, expected);
    });
    assert_eq!(manager.fetch(&stored).await.unwrap(), given);
    manager.delete(&stored).await.unwrap();

    // Barbican takes no empty secret.
    let given = CertificateBundle {
        intermediates: Some(" \n".into()),
        ..bundle().await
    };
    let stored = manager.store("magnum-c1-ca", given).await.unwrap();
    assert_eq!(manager.fetch(&stored).await.unwrap(), bundle().await);
    manager.delete(&stored).await.unwrap();
    assert_eq!(setting.held(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_original_stored_is_fetched_and_deleted() {
    let setting = Setting::new();
    let manager = setting.manager();
    let plain = key().await;
    let encrypted = PKey::private_key_from_pem(plain.expose().as_bytes())
        .unwrap()
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"pass word")
        .unwrap();
    // Its older releases sent bytes, its newer ones text.
    for binary in [true, false] {
        let stored = |text: &str| {
            if binary {
                setting.secret("application/octet-stream", &BASE64_STANDARD.encode(text))
            } else {
                setting.secret("text/plain", text)
            }
        };
        let parts = [
            ("certificate", stored(CERTIFICATE)),
            ("private_key", stored(std::str::from_utf8(&encrypted).unwrap())),
            ("intermediates", stored(CERTIFICATE)),
            (
                "private_key_passphrase",
                setting.secret("text/plain", "pass word"),
            ),
        ];
        let parts: Vec<(&str, &str)> = parts.iter().map(|(name, id)| (*name, id.as_str())).collect();
        let id = setting.container("certificate", &parts);
        let consumed = setting
            .cloud
            .with(|world| world.add_consumer(&setting.project, &id, "Magnum", "https://magnum/c1"));
        assert_eq!(consumed.unwrap().consumers.len(), 1);
        // Nothing answers at these hosts; only the end counts.
        for url in [
            format!("http://192.0.2.1:9311/v1/containers/{id}"),
            format!("https://old.example.test/containers/{id}"),
        ] {
            let fetched = manager.fetch(&in_barbican(url)).await.unwrap();
            assert_eq!(fetched.private_key, plain);
            assert_eq!(fetched.certificate, CERTIFICATE);
            assert_eq!(fetched.intermediates.as_deref(), Some(CERTIFICATE));
        }
        let url = in_barbican(format!("http://192.0.2.1:9311/v1/containers/{id}"));
        manager.delete(&url).await.unwrap();
        assert_eq!(setting.held(), 0);
        manager.delete(&url).await.unwrap();
        assert_eq!(manager.fetch(&url).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_with_another_passphrase_is_told_without_either() {
    let setting = Setting::new();
    let encrypted = PKey::private_key_from_pem(key().await.expose().as_bytes())
        .unwrap()
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"right-word")
        .unwrap();
    let encrypted = std::str::from_utf8(&encrypted).unwrap();
    let parts = [
        ("certificate", setting.secret("text/plain", CERTIFICATE)),
        ("private_key", setting.secret("text/plain", encrypted)),
        (
            "private_key_passphrase",
            setting.secret("text/plain", "wrong-word"),
        ),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, id)| (*name, id.as_str())).collect();
    let id = setting.container("certificate", &parts);
    let error = setting
        .manager()
        .fetch(&in_barbican(format!("containers/{id}")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let told = format!("{error} {error:?}");
    assert!(
        !told.contains("wrong-word") && !told.contains("right-word"),
        "{told}"
    );
    assert!(encrypted.lines().all(|line| !told.contains(line)), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_certificate_is_left_alone() {
    let setting = Setting::new();
    let manager = setting.manager();
    let secret = setting.secret("text/plain", "somebody else's");
    let id = setting.container("generic", &[("certificate", secret.as_str())]);
    let foreign = in_barbican(format!("containers/{id}"));
    assert_eq!(
        manager.fetch(&foreign).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        manager.delete(&foreign).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(setting.held(), 2);

    // A certificate without its key is what an interrupted deletion has left.
    let id = setting.container("certificate", &[("certificate", &secret)]);
    let half = in_barbican(format!("containers/{id}"));
    assert_eq!(
        manager.fetch(&half).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    manager.delete(&half).await.unwrap();
    assert_eq!(setting.held(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_container_is_found_and_deleted() {
    let setting = Setting::new();
    let manager = setting.manager();
    setting.refuse("/key-manager/v1/containers", 403);
    let error = manager.store("magnum-c1-ca", bundle().await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    setting.cloud.clear_faults();
    let whole = manager.store("magnum-c1-ca", bundle().await).await.unwrap();
    let found = manager.find("magnum-c1-ca").await.unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.contains(&whole));
    for left in found.iter().filter(|reference| **reference != whole) {
        assert!(left.reference.starts_with("secrets/"), "{left:?}");
        assert_eq!(manager.fetch(left).await.unwrap_err().kind(), ErrorKind::NotFound);
        manager.delete(left).await.unwrap();
        manager.delete(left).await.unwrap();
    }
    assert_eq!(manager.fetch(&whole).await.unwrap(), bundle().await);
    assert_eq!(manager.find("magnum-c1-ca").await.unwrap(), [whole]);
}

#[tokio::test(start_paused = true)]
async fn long_lists_are_read_to_their_end() {
    let setting = Setting::new();
    let manager = setting.manager();
    for _ in 0..120 {
        setting.secret("text/plain", "left");
    }
    let id = setting.secret("text/plain", CERTIFICATE);
    setting.cloud.with(|world| {
        for _ in 0..130 {
            let spec = ContainerSpec {
                name: Some("Certificate".into()),
                container_type: "certificate".into(),
                secrets: vec![("certificate".into(), id.clone())],
                ..ContainerSpec::default()
            };
            world.create_container(&setting.project, spec).unwrap();
        }
    });
    let found = manager.find("Certificate").await.unwrap();
    let of = |kind: &str| found.iter().filter(|one| one.reference.starts_with(kind)).count();
    assert_eq!((of("containers/"), of("secrets/"), found.len()), (130, 120, 250));
    assert_eq!(manager.find("certificate").await.unwrap(), []);
    assert_eq!(manager.find("%").await.unwrap(), []);
    assert_eq!(manager.find("_ertificate").await.unwrap(), []);
}

/// Who is no administrator of the project reads nothing, and what cannot be kept from others is not kept.
#[tokio::test]
async fn only_the_hosts_own_user_reads_what_is_kept() {
    let setting = Setting::new();
    let manager = setting.manager();
    let reference = manager.store("magnum-c-ca", bundle().await).await.unwrap();
    let own = setting.cloud.user_id("magnum").unwrap();
    let readers = setting.cloud.with(|world| {
        let secrets = world.key_manager.secrets().map(|secret| secret.readers.clone());
        let containers = world
            .key_manager
            .containers()
            .map(|container| container.readers.clone());
        secrets.chain(containers).collect::<Vec<_>>()
    });
    assert_eq!(readers.len(), 2 + 1, "two secrets and their container");
    assert!(
        readers
            .iter()
            .all(|who| who.as_deref() == Some(std::slice::from_ref(&own))),
        "{readers:?}"
    );

    let roles = &["creator", "member"];
    setting
        .cloud
        .add_user("other", "secret", &setting.project, roles)
        .unwrap();
    let error = setting.manager_of("other").fetch(&reference).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    manager.fetch(&reference).await.unwrap();

    // A failure between making a secret and keeping it from others leaves nothing that is not found and removed.
    let before = setting.held();
    setting.cloud.inject(Fault::once(
        At::Route {
            method: Some(http::Method::PUT),
            path_prefix: "/key-manager/v1/secrets".into(),
            nth: 0,
        },
        Effect::Status {
            status: 403,
            retry_after: None,
        },
    ));
    let error = manager.store("magnum-d-ca", bundle().await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    for left in manager.find("magnum-d-ca").await.unwrap() {
        manager.delete(&left).await.unwrap();
    }
    assert_eq!(setting.held(), before);
}
