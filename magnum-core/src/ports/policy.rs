//! The policy port: may this context do this.

use std::fmt;

use crate::model::RequestContext;
use crate::{Error, ErrorKind, Result};

/// What a caller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Permission {
    /// `clustertemplate:create`
    TemplateCreate,
    /// `clustertemplate:get` and `clustertemplate:get_all`
    TemplateRead,
    /// `clustertemplate:delete`
    TemplateDelete,
    /// `clustertemplate:publish`
    TemplatePublish,
    /// `cluster:create`
    ClusterCreate,
    /// `cluster:get` and `cluster:get_all`
    ClusterRead,
    /// `cluster:update`
    ClusterUpdate,
    /// `cluster:delete`
    ClusterDelete,
    /// `certificate:get`
    CertificateRead,
    /// `certificate:create`
    CertificateSign,

    /// `quota:get`
    QuotaRead,
    /// `quota:get_all`
    QuotaList,
    /// `quota:create`
    QuotaCreate,
    /// `quota:update`
    QuotaUpdate,
    /// `quota:delete`
    QuotaDelete,
    /// `stats:get_all`
    StatsRead,
}

impl Permission {
    /// The rule's name as operators know it.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::TemplateCreate => "clustertemplate:create",
            Self::TemplateRead => "clustertemplate:get",
            Self::TemplateDelete => "clustertemplate:delete",
            Self::TemplatePublish => "clustertemplate:publish",
            Self::ClusterCreate => "cluster:create",
            Self::ClusterRead => "cluster:get",
            Self::ClusterUpdate => "cluster:update",
            Self::ClusterDelete => "cluster:delete",
            Self::CertificateRead => "certificate:get",
            Self::CertificateSign => "certificate:create",

            Self::QuotaRead => "quota:get",
            Self::QuotaList => "quota:get_all",
            Self::QuotaCreate => "quota:create",
            Self::QuotaUpdate => "quota:update",
            Self::QuotaDelete => "quota:delete",
            Self::StatsRead => "stats:get_all",
        }
    }
}

/// Whose thing it is that a caller wants to touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The owning project.
    pub project_id: &'a str,
    /// The user who made it.
    pub user_id: &'a str,
}

/// Decides what a caller may do. It is asked before any look-up in the cloud.
pub trait Policy: fmt::Debug + Send + Sync + 'static {
    /// Whether `cx` may do this to `target`; for things yet to be made the target is the caller.
    fn allows(&self, cx: &RequestContext, permission: Permission, target: &Target<'_>) -> bool;

    /// Whether `cx` sees other projects' things.
    fn sees_all_projects(&self, cx: &RequestContext) -> bool;
}

impl dyn Policy {
    /// Refuses what the policy does not allow.
    ///
    /// # Errors
    /// `Forbidden` names the rule.
    pub fn enforce(&self, cx: &RequestContext, permission: Permission, target: &Target<'_>) -> Result<()> {
        if self.allows(cx, permission, target) {
            return Ok(());
        }
        let message = format!("the policy does not allow {} here", permission.rule());
        Err(Error::new(ErrorKind::Forbidden, message))
    }
}

/// Magnum's own rules: the owning project may do everything, certificates are the owner's alone,
/// publishing and quotas are the administrator's; the project itself may read its own quota.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultPolicy;

impl Policy for DefaultPolicy {
    fn allows(&self, cx: &RequestContext, permission: Permission, target: &Target<'_>) -> bool {
        if cx.is_admin() {
            return true;
        }
        match permission {
            Permission::TemplatePublish => false,
            Permission::QuotaList
            | Permission::QuotaCreate
            | Permission::QuotaUpdate
            | Permission::QuotaDelete => false,
            Permission::CertificateRead | Permission::CertificateSign => {
                cx.project_id == target.project_id && cx.user_id == target.user_id
            }
            _ => cx.project_id == target.project_id,
        }
    }

    fn sees_all_projects(&self, cx: &RequestContext) -> bool {
        cx.is_admin()
    }
}
