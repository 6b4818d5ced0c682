//! Another try of what failed, on what is there.

use std::time::Duration;

use super::Magnum;
use super::update::takes;
use crate::model::{
    Action, Cluster, Ident, LedgerEntry, OnCreateFailure, OperationKind, Owned, Request, RequestContext,
};
use crate::ports::Permission;
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// Tries again what failed when the cluster was made or last changed. What is there already stays.
    ///
    /// A cluster whose creation failed before it had a stack, or whose resources were removed then, is begun anew under
    /// the caller's token; its row, name and UUID stay. What failed on the servers themselves fails again unless its
    /// cause is gone: their scripts are not run a second time. A change that the cloud refused is not repeated: the cluster
    /// is driven to what it shows. A removal that failed is not retried but asked for
    /// again, with [`Magnum::delete_cluster`].
    ///
    /// # Errors
    /// `Busy` while an operation is in progress; `Conflict` when nothing failed that could be retried, or when some of what
    /// a failed creation made could not be removed; `InvalidInput`
    /// and `Quota` as when the cluster was made; `NotFound`; `Forbidden`; `Unauthorized`.
    pub async fn retry_cluster(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<Cluster> {
        let mut cluster = self
            .find_cluster(cx, &ident.into(), Permission::ClusterUpdate)
            .await?;
        takes(&cluster, Request::Retry)?;
        let settings = &self.inner.settings;
        let creation = cluster.status.action == Action::Create;
        let create_timeout = Duration::from_secs(u64::from(cluster.create_timeout) * 60);
        let ledger = self.inner.store.ledger(cluster.id).await?;
        let removed = cluster.on_create_failure == OnCreateFailure::Delete;
        if creation && !ledger.is_empty() && (removed || !ledger.iter().any(is_stack)) {
            let message = "not all that the failed creation made could be removed: delete the cluster";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        if creation && ledger.is_empty() {
            if cx.project_id != cluster.project_id {
                // Trust and stack would be made in the caller's project.
                let message = "only a caller of the cluster's own project can begin it anew";
                return Err(Error::new(ErrorKind::Forbidden, message));
            }
            let driver = self.inner.driver_of(&cluster)?;
            let problems = self.misfits(&cluster, &**driver)?;
            if !problems.is_empty() {
                return Err(Error::invalid(problems));
            }
            self.preflight(cx, &mut cluster, &**driver).await?;
            return self
                .accept(cx, cluster, OperationKind::Create, create_timeout, None)
                .await;
        }
        let timeout = if creation {
            create_timeout
        } else {
            settings.update_timeout
        };
        let rotation = cluster.rotation.as_ref();
        let kind = rotation.and_then(|rotation| rotation.failed.clone());
        let kind = kind.unwrap_or(OperationKind::Resume { creation });
        self.accept(cx, cluster, kind, timeout, None).await
    }
}

fn is_stack(entry: &LedgerEntry) -> bool {
    matches!(entry.owned, Owned::Stack { stack: Some(_), .. })
}
