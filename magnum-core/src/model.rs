//! What the library keeps: templates, clusters, operations, the ledger, events.

mod attribute_values;
mod certificate_note;
mod cluster;
mod cluster_labels;
mod context;
mod discovery_registry;
mod discovery_url;
mod event;
mod health;
mod ids;
mod ledger;
mod on_create_failure;
mod operation;
mod patch;
mod quota;
mod rotation;
mod status;
mod template;
mod transition;

pub use certificate_note::{CertificateNote, Holder, Noted};
pub use cluster::{
    Cluster, ClusterSpec, DriverRef, NodeCredential, Pool, PoolRole, Progress, stack_tag, tagged_generation,
};
pub use cluster_labels::LabelDifferences;
pub(crate) use cluster_labels::effective as effective_labels;
pub use context::{RequestContext, UserToken};
pub use discovery_registry::{DiscoveryMember, DiscoveryRegistry};
pub(crate) use discovery_url::discovery_url;
pub use discovery_url::discovery_url_problem;
pub use event::{Event, Outcome};
pub use health::{Health, HealthStatus};
pub use ids::{ClusterId, EventId, Ident, LedgerId, OperationId, Revision, TemplateId};
pub use ledger::{LedgerEntry, Owned, Tombstone};
pub use on_create_failure::OnCreateFailure;
pub use operation::{Operation, OperationKind, OperationState, SealedToken, Shape, Step, VolumePolicy};
pub use patch::Patch;
pub(crate) use patch::Rule;
pub use quota::{Quota, QuotaResource, Stats};
pub use rotation::{Rotation, RotationStage};
pub use status::{Action, ClusterStatus, FailureCode, Fault, ParseStatusError, Phase};
pub use template::{ClusterTemplate, Labels, ServerType, TemplateSpec};
pub use transition::Request;
pub(crate) use transition::Seen;
