//! Nova: flavors, key pairs, servers, server groups, and their quotas.

pub mod flavor;
pub mod interface;
pub mod keypair;
pub mod quota;
pub mod server;
pub mod server_group;

use std::collections::BTreeMap;

pub use flavor::Flavor;
pub use interface::{Interface, NetworkRequest};
pub use keypair::Keypair;
pub use server::{Server, ServerSpec};
pub use server_group::ServerGroup;

/// What Nova knows.
#[derive(Debug, Default)]
pub struct Compute {
    /// By identifier.
    pub(crate) flavors: BTreeMap<String, Flavor>,
    /// By user and name.
    pub(crate) keypairs: BTreeMap<(String, String), Keypair>,
    /// By identifier.
    pub(crate) servers: BTreeMap<String, Server>,
    /// By identifier.
    pub(crate) server_groups: BTreeMap<String, ServerGroup>,
    /// Limits by project and resource; what is not here has Nova's default.
    pub(crate) quotas: BTreeMap<(String, String), i64>,
}

impl Compute {
    /// All flavors.
    pub fn flavors(&self) -> impl Iterator<Item = &Flavor> {
        self.flavors.values()
    }

    /// All key pairs.
    pub fn keypairs(&self) -> impl Iterator<Item = &Keypair> {
        self.keypairs.values()
    }

    /// All servers that are not gone.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.values()
    }

    /// All server groups.
    pub fn server_groups(&self) -> impl Iterator<Item = &ServerGroup> {
        self.server_groups.values()
    }
}
