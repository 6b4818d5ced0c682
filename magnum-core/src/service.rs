//! The service: accepts requests, records intent, reads. It does no outside work but look-ups.

mod builder;
mod certificates;
mod change;
mod clusters;
mod discovery;
mod names;
mod nodes;
mod options;
mod parts;
mod templates;
mod validation;
mod watch;

pub use builder::{Magnum, MagnumBuilder, Settings};
pub use options::{CreateOptions, DeleteOptions, ScaleOptions};
pub use parts::{Certificates, Cloud, IdentityEndpoint, NodeEndpoint};
pub use watch::ClusterWatch;

pub(crate) use builder::Inner;
