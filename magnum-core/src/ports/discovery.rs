//! The discovery port: URLs at which the members of a cluster's etcd find each other.

use std::fmt;

use async_trait::async_trait;

use crate::Result;
use crate::model::ClusterId;

/// Makes and checks the discovery URLs of clusters.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | `create` MUST answer a URL at which exactly that many members find each other, or `None` where the host wants none made | yes |
/// | `create` MAY be called again for the same cluster, as long as its answer was not recorded | yes |
/// | `check` MUST fail unless the URL is one for exactly that many members | yes |
/// | An address that the host's [`EgressPolicy`](super::EgressPolicy) does not permit MUST NOT be connected to | yes |
/// | An error whose [`Error::retry`](crate::Error::retry) is not `Never` has the call repeated later; else the create ends at once | yes |
/// | Messages MUST NOT show a URL's path: whoever knows it can register | yes |
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Discovery: fmt::Debug + Send + Sync + 'static {
    /// A URL for a cluster of so many masters.
    async fn create(&self, cluster: ClusterId, size: u32) -> Result<Option<String>>;

    /// Asks whether the URL is for so many masters.
    async fn check(&self, url: &str, size: u32) -> Result<()>;
}
