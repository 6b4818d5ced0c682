//! Model, ports, service, conductor and stores of openstack-magnum.

mod conductor;
mod discovery;
mod error;
mod model;
mod ports;
mod problem;
mod secret;
mod service;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use conductor::{Conductor, Stepped};
pub use discovery::{HttpDiscovery, StoreDiscovery};
pub use error::{Error, ErrorKind, Result, Retry};
pub use model::*;
pub use ports::*;
pub use problem::{Problem, one_line, shown};
pub use secret::Secret;
pub use service::{
    Adoption, ApplyOptions, CertificateEntry, CertificateHolder, Certificates, Cloud, ClusterWatch,
    CreateOptions, DeleteOptions, FieldPlan, IdentityEndpoint, ListOptions, Magnum, MagnumBuilder,
    NodeEndpoint, Page, Plan, Projects, Resealed, Settings, UpdateOptions,
};
pub use store::MemoryStore;
#[cfg(feature = "sql")]
pub use store::SqlStore;
