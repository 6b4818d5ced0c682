//! The service: accepts requests, records intent, reads. It does no outside work but look-ups.

mod acceptance;
mod adopt;
mod builder;
mod certificate_inventory;
mod certificates;
mod clusters;
mod delete;
mod discovery;
mod draft;
mod idempotency;
mod listing;
mod look_ups;
mod names;
mod nodes;
mod options;
mod parts;
mod plan;
mod preflight;
mod quotas;
mod rates;
mod reseal;
mod reshape;
mod retry;
mod template_changes;
mod template_rules;
mod templates;
mod update;
mod validation;
mod watch;

pub use adopt::Adoption;
pub use builder::{Magnum, MagnumBuilder, Settings};
pub use certificate_inventory::{CertificateEntry, CertificateHolder};
pub use listing::{ListOptions, Page, Projects};
pub use options::{ApplyOptions, CreateOptions, DeleteOptions, UpdateOptions};
pub use parts::{Certificates, Cloud, IdentityEndpoint, NodeEndpoint};
pub use plan::{FieldPlan, Plan};
pub use reseal::Resealed;
pub use watch::ClusterWatch;

pub(crate) use builder::Inner;
pub(crate) use certificates::client_profile;
