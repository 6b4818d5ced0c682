//! Watching a cluster: its rows as they change.

use std::fmt;
use std::time::Duration;

use super::Magnum;
use crate::Result;
use crate::model::{Cluster, ClusterId, Ident, RequestContext, Revision};
use crate::ports::{Permission, within};

impl Magnum {
    /// Watches a cluster: status, resources done of total, reason of failure, addresses.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, cx: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// let mut watch = magnum.watch(&cx, "mycluster").await?;
    /// while let Some(cluster) = watch.next().await? {
    ///     println!("{} {}/{}", cluster.status, cluster.progress.done, cluster.progress.total);
    ///     if cluster.status.is_settled() {
    ///         break;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn watch(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<ClusterWatch> {
        let cluster = self
            .find_cluster(cx, &ident.into(), Permission::ClusterRead)
            .await?;
        Ok(ClusterWatch {
            magnum: self.clone(),
            id: cluster.id,
            seen: None,
            interval: Duration::from_secs(1),
        })
    }
}

/// A cluster's rows as they change; made by [`Magnum::watch`].
pub struct ClusterWatch {
    magnum: Magnum,
    id: ClusterId,
    seen: Option<Revision>,
    interval: Duration,
}

impl fmt::Debug for ClusterWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterWatch")
            .field("id", &self.id)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl ClusterWatch {
    /// How often the store is asked when nothing in this process says that something changed. Default 1 s.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The cluster as soon as it differs from what was returned last; the first call returns at once.
    /// Rows in between may be left out. `None` when the cluster is gone.
    ///
    /// # Errors
    /// What the store answers; the watch can be asked again.
    pub async fn next(&mut self) -> Result<Option<Cluster>> {
        loop {
            // Listen before reading, so that no change falls in between.
            let changed = self.magnum.inner.changed.notified();
            let Some(cluster) = self.magnum.inner.store.cluster(self.id).await? else {
                return Ok(None);
            };
            if self.seen != Some(cluster.revision) {
                self.seen = Some(cluster.revision);
                return Ok(Some(cluster));
            }
            // Another process may have changed it: look again after a while.
            let _ = within(&self.magnum.inner.clock, self.interval, changed).await;
        }
    }
}
