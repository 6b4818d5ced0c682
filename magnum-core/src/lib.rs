//! Model, ports, service, conductor and stores of openstack-magnum.

mod error;
mod model;
mod ports;
mod secret;
mod store;

pub use error::{Error, ErrorKind, Problem, Result, Retry, shown};
pub use model::*;
pub use ports::*;
pub use secret::Secret;
pub use store::MemoryStore;
