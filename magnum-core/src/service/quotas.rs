//! Quotas: how many clusters each project may have; and how many there are.

use super::listing::{Page, Projects};
use super::{ListOptions, Magnum, validation};
use crate::model::{Quota, QuotaResource, RequestContext, Stats};
use crate::ports::{Commit, Marker, Permission, Position, QuotaQuery, SortKey, Target, Write};
use crate::{Error, Result};

impl Magnum {
    /// How many clusters a project may have: its own quota, or the host's default in the form of one.
    ///
    /// # Errors
    /// `Forbidden` for another project than the caller's, except for administrators.
    pub async fn quota(&self, cx: &RequestContext, project: &str) -> Result<Quota> {
        self.may_for(cx, Permission::QuotaRead, project)?;
        let own = self.inner.store.quota(project, QuotaResource::Cluster).await?;
        Ok(own.unwrap_or_else(|| Quota {
            project_id: project.to_owned(),
            resource: QuotaResource::Cluster,
            hard_limit: self.inner.settings.clusters_per_project,
            created_at: None,
            updated_at: None,
        }))
    }

    /// A page of the quotas that projects have of their own, in the order of the projects' ids.
    ///
    /// Of the options those of paging, direction and projects count.
    ///
    /// # Errors
    /// `Forbidden` for all but administrators; `InvalidInput` names what quotas cannot be told or sorted by, `limit`,
    /// or a `marker` that is not [`Page::next`] of such a list.
    pub async fn quotas(&self, cx: &RequestContext, options: ListOptions) -> Result<Page<Quota>> {
        let project = self.listed_project(cx, Permission::QuotaList, &options.projects)?;
        let limit = options.checked_limit("quotas", &[], &[SortKey::Created])?;
        let marker = match options.marker {
            None => None,
            Some(Marker::Position(Position::Project(project))) => Some(project),
            Some(other) => {
                let message = "what came with the page before as this one's marker";
                return Err(Error::field("marker", other, message));
            }
        };
        let query = QuotaQuery {
            project,
            direction: options.direction,
            marker,
            limit: limit + 1,
        };
        let rows = self.inner.store.quotas(query).await?;
        Ok(Page::of(rows, limit, |quota| {
            Position::Project(quota.project_id.clone())
        }))
    }

    /// Gives a project a quota of its own; with 0 it can make no clusters. Those that it has stay.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, admin: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// let quota = magnum.create_quota(&admin, "project-id", 5).await?;
    /// assert_eq!(quota.hard_limit, 5);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Forbidden` for all but administrators; `InvalidInput` names `project_id`; `Conflict` when the project has a
    /// quota of its own.
    pub async fn create_quota(&self, cx: &RequestContext, project: &str, hard_limit: u32) -> Result<Quota> {
        self.may_for(cx, Permission::QuotaCreate, project)?;
        if let Some(problem) = validation::plain("project_id", project) {
            return Err(Error::invalid(vec![problem]));
        }
        let quota = Quota {
            project_id: project.to_owned(),
            resource: QuotaResource::Cluster,
            hard_limit,
            created_at: Some(self.inner.clock.now()),
            updated_at: None,
        };
        self.write_quota(Write::InsertQuota(quota.clone())).await?;
        Ok(quota)
    }

    /// Changes a project's own quota. A lower one than the project has clusters is kept from the next one on.
    ///
    /// # Errors
    /// `Forbidden` for all but administrators; `NotFound` when the project has no quota of its own.
    pub async fn update_quota(&self, cx: &RequestContext, project: &str, hard_limit: u32) -> Result<Quota> {
        self.may_for(cx, Permission::QuotaUpdate, project)?;
        let stored = self.inner.store.quota(project, QuotaResource::Cluster).await?;
        let mut quota = stored.ok_or_else(|| Error::not_found("quota of project", project))?;
        quota.hard_limit = hard_limit;
        quota.updated_at = Some(self.inner.clock.now());
        self.write_quota(Write::PutQuota(quota.clone())).await?;
        Ok(quota)
    }

    /// Takes a project's own quota away, so that the host's default counts.
    ///
    /// # Errors
    /// As [`Magnum::update_quota`].
    pub async fn delete_quota(&self, cx: &RequestContext, project: &str) -> Result<()> {
        self.may_for(cx, Permission::QuotaDelete, project)?;
        let write = Write::DeleteQuota(project.to_owned(), QuotaResource::Cluster);
        self.write_quota(write).await
    }

    /// How many clusters and servers there are in a project. Without one it is all projects for those who see them,
    /// and the own project for others.
    ///
    /// # Errors
    /// `Forbidden` for another project than the caller's, except for those who see all projects.
    pub async fn stats(&self, cx: &RequestContext, project: Option<&str>) -> Result<Stats> {
        let projects = match project {
            Some(project) => Projects::One(project.to_owned()),
            None if self.inner.policy.sees_all_projects(cx) => Projects::All,
            None => Projects::Own,
        };
        let project = self.listed_project(cx, Permission::StatsRead, &projects)?;
        self.inner.store.stats(project.as_deref()).await
    }

    fn may_for(&self, cx: &RequestContext, permission: Permission, project: &str) -> Result<()> {
        let target = Target::of(project, &cx.user_id);
        self.inner.policy.enforce(cx, permission, &target)
    }

    async fn write_quota(&self, write: Write) -> Result<()> {
        self.inner.store.commit(Commit::new().write(write)).await
    }
}
