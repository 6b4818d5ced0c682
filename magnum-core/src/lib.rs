//! Model, ports, service, conductor and stores of openstack-magnum.

mod conductor;
mod discovery;
mod error;
mod model;
mod ports;
mod secret;
mod service;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use conductor::{Conductor, Stepped};
pub use discovery::{HttpDiscovery, StoreDiscovery};
pub use error::{Error, ErrorKind, Problem, Result, Retry, one_line, shown};
pub use model::*;
pub use ports::*;
pub use secret::Secret;
pub use service::{
    Certificates, Cloud, ClusterWatch, CreateOptions, DeleteOptions, IdentityEndpoint, ListOptions, Magnum,
    MagnumBuilder, NodeEndpoint, Page, Projects, ScaleOptions, Settings,
};
pub use store::MemoryStore;
#[cfg(feature = "sql")]
pub use store::SqlStore;
