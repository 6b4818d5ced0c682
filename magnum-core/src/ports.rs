//! The traits through which the library reaches everything outside it.

mod catalog;
mod certs;
mod cloud_resources;
mod cluster_made;
mod descriptor;
mod discovery;
mod driver;
mod driver_context;
mod driver_entry;
mod effect;
mod egress;
mod mapping;
mod marker;
mod needs;
mod node_names;
mod node_policy;
mod notifier;
mod orchestrator;
mod policy;
mod query;
mod random;
mod runs;
mod software;
mod stack_driver;
mod store;
mod time;
mod transport;
mod trust;

#[cfg(feature = "testing")]
pub use catalog::MockCloudCatalog;
pub use catalog::{
    CloudCatalog, ComputeLimits, Flavor, Image, Keypair, Limit, Network, NetworkLimits, Subnet, VolumeLimits,
};
#[cfg(feature = "testing")]
pub use certs::MockCertManager;
pub use certs::{
    Authority, CertManager, CertRef, CertificateBundle, CertificateFacts, KeySource, Profile, Sealed, Sealer,
    SubjectName,
};
#[cfg(feature = "testing")]
pub use cloud_resources::MockCloudResources;
pub use cloud_resources::{CloudResources, FloatingIp, LoadBalancer, NetworkPort, Volume};
pub use descriptor::{Choice, ClusterType, DriverDescriptor, LabelSchema, LabelType};
pub use discovery::Discovery;
#[cfg(feature = "testing")]
pub use discovery::MockDiscovery;
pub use driver::{
    ClientConfig, ClientIdentity, ClusterChange, ClusterDriver, DriverRegistry, InfrastructureState,
    Observation,
};
pub use driver_context::{
    Adoptable, DriverContext, NodeAccess, StackDefinition, StackHandle, StackKeeper, TrustAccess,
    node_credential,
};
pub use driver_entry::DriverEntry;
pub use effect::Effect;
pub use egress::{DefaultEgress, EgressPolicy, literal_address};
pub use mapping::{OutputMapping, OutputTarget, ParameterMapping, Source};
pub use marker::{Marker, Position};
pub use needs::Needs;
pub use node_names::NameSource;
pub use node_policy::{CLUSTER_AUTHORITY, NodeCertificate, NodeName, NodePolicy};
#[cfg(feature = "testing")]
pub use notifier::MockNotifier;
pub use notifier::{LogNotifier, MemoryNotifier, Notifier};
#[cfg(feature = "testing")]
pub use orchestrator::MockOrchestrator;
pub use orchestrator::{
    Orchestrator, Parameters, PreviewResource, Stack, StackCreate, StackEvent, StackRef, StackResource,
    StackTemplate, StackUpdate,
};
pub use policy::{DefaultPolicy, Permission, Policy, Target};
pub use query::{PublicTemplates, Query, QuotaQuery, SortDirection, SortKey};
pub use random::{Entropy, IdSource, SystemRandom};
pub use runs::{Listens, Reach, Runs, RunsAs};
pub use software::{Feature, Software, version_numbers};
pub use stack_driver::{StackDriver, StackInput, TemplateDefinition};
pub use store::{Claim, Commit, Condition, Idempotent, KeyPair, Lease, Store, Write};
pub use time::{AnchoredClock, Clock, Elapsed, SystemClock, within};
pub use transport::{HttpTransport, TlsIdentity, TlsProfile, TransportError};
#[cfg(feature = "testing")]
pub use trust::MockTrustManager;
pub use trust::{Auth, TrustCredentials, TrustManager, TrustMode};
