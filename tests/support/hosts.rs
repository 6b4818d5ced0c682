//! How hosts differ: where certificates are kept, and how clusters discover their members.

use std::sync::Arc;

use magnum::certs::{EcKeys, FixtureKeys};
use magnum::*;

use super::random::Seeded;
use super::scene::node_endpoint;

/// Where certificates are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    Store,
    Barbican,
}

/// What keys clusters' authorities have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorities {
    /// RSA-2048, known to everybody.
    Rsa,
    /// On P-256, new each time.
    P256,
}

impl Authorities {
    pub fn keys(self, seed: u64) -> Arc<dyn KeySource> {
        match self {
            Self::Rsa => Arc::new(FixtureKeys::danger_seeded(seed)),
            Self::P256 => Arc::new(EcKeys),
        }
    }
}

/// How the host has clusters discover their members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovering {
    /// Not at all.
    No,
    /// URLs that users give are checked.
    Checking,
    /// By a service at `discovery.example`.
    Elsewhere,
    /// By the library's own; URLs that users give are checked.
    Own,
}

impl Discovering {
    pub fn discovery(
        self,
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        transport: Arc<dyn HttpTransport>,
        random: &Arc<Seeded>,
    ) -> Option<Arc<dyn Discovery>> {
        let checking = HttpDiscovery::checking_only(transport).with_clock(Arc::clone(clock));
        match self {
            Self::No => None,
            Self::Checking => Some(Arc::new(checking)),
            Self::Elsewhere => {
                let service = "https://discovery.example/new?size=%(size)d";
                Some(Arc::new(checking.with_service(service).unwrap()))
            }
            Self::Own => {
                let own = StoreDiscovery::new(Arc::clone(store), &node_endpoint()).unwrap();
                let own = own.with_others(Arc::new(checking)).with_entropy(random.clone());
                Some(Arc::new(own))
            }
        }
    }
}
