//! What the fuzz targets share: an authority with a fixed key at a fixed time, and what a leaf may say.

pub mod der;
pub mod leaf;
pub mod request;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use magnum_certs::{EcKeys, OpenSslAuthority};
use magnum_core::{
    Authority, CertificateBundle, Clock, KeySource, Profile, Result, Secret, SubjectName, SystemRandom,
};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use tokio::runtime::Runtime;

/// How long leaves are good.
pub const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The organizations that a client may claim.
pub const ORGANIZATIONS: [&str; 2] = ["a", "system:masters"];

/// An authority, its bundle, and a runtime to ask it.
pub struct World {
    /// Runs one call after the other.
    pub runtime: Runtime,
    /// Its own keys are P-256.
    pub authority: OpenSslAuthority,
    /// Its certificate, for [`key`]`("ca")`.
    pub ca: CertificateBundle,
}

/// Made once.
pub static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let with = |keys: Arc<dyn KeySource>| OpenSslAuthority::new(keys, Arc::new(At), Arc::new(SystemRandom));
    let fixed = with(Arc::new(Given(key("ca"))));
    let ca = runtime.block_on(fixed.create_ca("c1", 5 * YEAR)).unwrap();
    World {
        runtime,
        authority: with(Arc::new(EcKeys)),
        ca,
    }
});

/// A P-256 key that is the same in every run, so that seeds stay good.
pub fn key(name: &str) -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let scalar = BigNum::from_slice(&sha256(name.as_bytes())).unwrap();
    let mut point = EcPoint::new(&group).unwrap();
    point
        .mul_generator2(&group, &scalar, &mut openssl::bn::BigNumContext::new().unwrap())
        .unwrap();
    let key = EcKey::from_private_components(&group, &scalar, &point).unwrap();
    PKey::from_ec_key(key).unwrap()
}

/// A client that may claim [`ORGANIZATIONS`].
pub fn client() -> Profile {
    Profile::Client {
        organizations: ORGANIZATIONS.map(String::from).to_vec(),
    }
}

/// A node with an address and two names.
pub fn node() -> Profile {
    Profile::Node {
        common_name: "kubernetes".into(),
        organizations: Vec::new(),
        names: vec![
            SubjectName::Ip([10, 0, 0, 5].into()),
            SubjectName::Dns("Kubernetes.default".into()),
            SubjectName::Dns("master-0".into()),
        ],
        server: true,
        client: true,
    }
}

/// 2030-01-01T00:00:00Z, for ever.
#[derive(Debug)]
struct At;

#[async_trait]
impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_893_456_000).unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

#[derive(Debug)]
struct Given(PKey<Private>);

#[async_trait]
impl KeySource for Given {
    async fn generate(&self) -> Result<Secret> {
        let pem = self.0.private_key_to_pem_pkcs8().unwrap();
        Ok(Secret::new(String::from_utf8(pem).unwrap()))
    }
}
