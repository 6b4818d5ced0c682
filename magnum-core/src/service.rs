//! The service: accepts requests, records intent, reads. It does no outside work but look-ups.

mod builder;
mod certificates;
mod change;
mod clusters;
mod discovery;
mod listing;
mod names;
mod nodes;
mod options;
mod parts;
mod quotas;
mod templates;
mod validation;
mod watch;

pub use builder::{Magnum, MagnumBuilder, Settings};
pub use listing::{ListOptions, Page, Projects};
pub use options::{CreateOptions, DeleteOptions, ScaleOptions};
pub use parts::{Certificates, Cloud, IdentityEndpoint, NodeEndpoint};
pub use watch::ClusterWatch;

pub(crate) use builder::Inner;
