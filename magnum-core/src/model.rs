//! What the library keeps: templates, clusters, operations, the ledger, events.

mod cluster;
mod context;
mod discovery_registry;
mod discovery_url;
mod event;
mod ids;
mod ledger;
mod operation;
mod quota;
mod status;
mod template;

pub use cluster::{
    Cluster, ClusterSpec, DriverRef, NodeCredential, Pool, PoolRole, Progress, stack_tag, tagged_generation,
};
pub use context::{RequestContext, UserToken};
pub use discovery_registry::{DiscoveryMember, DiscoveryRegistry};
pub(crate) use discovery_url::discovery_url;
pub use discovery_url::discovery_url_problem;
pub use event::{Event, Outcome};
pub use ids::{ClusterId, EventId, Ident, LedgerId, OperationId, Revision, TemplateId};
pub use ledger::{LedgerEntry, Owned, Tombstone};
pub use operation::{Operation, OperationKind, OperationState, SealedToken, Step, VolumePolicy};
pub use quota::{Quota, QuotaResource, Stats};
pub use status::{Action, ClusterStatus, FailureCode, Fault, ParseStatusError, Phase};
pub use template::{ClusterTemplate, Labels, ServerType, TemplateSpec};
