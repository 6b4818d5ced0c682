//! OpenStack Magnum's engine as a library: creates, scales, secures, watches and deletes clusters of
//! container orchestration engines on OpenStack, through Heat stacks and Keystone trusts.
//!
//! A host program composes a [`Magnum`] from parts, calls it from its handlers, and runs its [`Conductor`] in the
//! same process or another one on the same store:
//!
//! ```
//! use std::sync::Arc;
//! use magnum::certs::{AesSealer, OpenSslAuthority, RsaKeys, SealingKey, X509KeyPairStore};
//! use magnum::{Certificates, Cloud, Magnum, MemoryStore, NodeEndpoint, SystemClock, SystemRandom, TrustMode};
//! # fn compose(openstack: magnum::openstack::OpenStack) -> magnum::Result<Magnum> {
//! // openstack: magnum::openstack::OpenStack, from clouds.yaml or a ServiceIdentity
//! let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
//! let sealer = Arc::new(AesSealer::new(SealingKey::generate(&SystemRandom)?));
//! let kept = Arc::new(X509KeyPairStore::new(store.clone(), sealer.clone(), Arc::new(SystemRandom)));
//! let authority = Arc::new(OpenSslAuthority::system(Arc::new(RsaKeys::default())));
//! let mut builder = Magnum::builder()
//!     .store(store)
//!     .sealer(sealer)
//!     .cloud(magnum::cloud("openstack", &openstack, true))
//!     .certificates(Certificates::new(authority, kept))
//!     .node_endpoint(NodeEndpoint::new("https://magnum.example.com/nodes")?);
//! for driver in magnum::drivers::all() {
//!     builder = builder.driver(driver);
//! }
//! builder.build()
//! # }
//! ```
//!
//! # Features
//! | Feature | Default | Adds |
//! | --- | --- | --- |
//! | `rustls-tls` | yes | the HTTP transport over reqwest with rustls |
//! | `native-tls` | | the HTTP transport over reqwest with the system's TLS library |
//! | `drivers` | yes | the cluster drivers of this project |
//! | `barbican` | yes | certificates kept by Barbican |
//! | `sqlite` | | a store that survives a restart |
//! | `sim` | | the simulated cloud, for tests and tries |
//! | `testing` | | conformance kits and mocks; outside semantic versioning |
//!
//! # Where to go on
//! [`Magnum`] accepts and reads; [`Conductor`] works; [`ClusterDriver`] and [`TemplateDefinition`] are for writers of
//! drivers; [`Store`], [`Orchestrator`], [`CertManager`] and the other ports are for hosts that bring their own
//! parts; [`Error`] says what a caller can do.

mod client_config;
#[cfg(feature = "sim")]
mod sim_node;
#[cfg(feature = "testing")]
pub mod testing;

pub use client_config::{Shell, WrittenConfig, write_client_config};
pub use magnum_core::*;
#[cfg(feature = "sim")]
pub use sim_node::{NodeGuest, NodeHolding};

/// Certificates: authority, key sources, sealing, certificate stores.
pub use magnum_certs as certs;
/// The cluster drivers of this project.
#[cfg(feature = "drivers")]
pub use magnum_drivers as drivers;
/// OpenStack: sessions, Heat, Keystone trusts, look-ups, and with feature `sim` a cloud that is not there.
pub use magnum_openstack as openstack;

use magnum_openstack::OpenStack;

/// A cloud of a [`Magnum`] from OpenStack clients. With `trusts` every cluster gets a trustee and a trust of its
/// caller; without, the clients' own service identity owns every stack.
#[must_use]
pub fn cloud(name: &str, openstack: &OpenStack, trusts: bool) -> Cloud {
    Cloud {
        name: name.to_owned(),
        orchestrator: openstack.orchestrator(),
        trust: if trusts {
            TrustMode::Trust(openstack.trusts())
        } else {
            TrustMode::None
        },
        catalog: openstack.catalog(),
        identity: Some(openstack.identity_endpoint()),
        resources: openstack.resources(),
    }
}
