//! The policy port: may this context do this.

use std::collections::BTreeSet;
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
    /// `clustertemplate:update`
    TemplateUpdate,
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
    /// `cluster:update_health_status`
    ClusterUpdateHealth,
    /// `cluster:delete`
    ClusterDelete,
    /// `cluster:adopt`
    ClusterAdopt,
    /// `certificate:get`
    CertificateRead,
    /// `certificate:create`
    CertificateSign,
    /// `certificate:rotate_ca`
    CertificateRotate,
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
            Self::TemplateUpdate => "clustertemplate:update",
            Self::TemplateDelete => "clustertemplate:delete",
            Self::TemplatePublish => "clustertemplate:publish",
            Self::ClusterCreate => "cluster:create",
            Self::ClusterRead => "cluster:get",
            Self::ClusterUpdate => "cluster:update",
            Self::ClusterUpdateHealth => "cluster:update_health_status",
            Self::ClusterAdopt => "cluster:adopt",
            Self::ClusterDelete => "cluster:delete",
            Self::CertificateRead => "certificate:get",
            Self::CertificateSign => "certificate:create",
            Self::CertificateRotate => "certificate:rotate_ca",
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
#[non_exhaustive]
pub struct Target<'a> {
    /// The owning project.
    pub project_id: &'a str,
    /// The user who made it.
    pub user_id: &'a str,
}

impl<'a> Target<'a> {
    /// What a project's user made.
    #[must_use]
    pub fn of(project_id: &'a str, user_id: &'a str) -> Self {
        Self { project_id, user_id }
    }

    /// What the caller is about to make.
    #[must_use]
    pub fn own(cx: &'a RequestContext) -> Self {
        Self::of(&cx.project_id, &cx.user_id)
    }
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

/// Magnum's own rules.
///
/// | What | Who |
/// | --- | --- |
/// | templates and clusters, but for the rest of this table | the owning project; administrators |
/// | reading and using a public template | everybody |
/// | publishing and hiding templates, quotas of projects | administrators; a project may read its own quota |
/// | a cluster's certificates | the user who made it; administrators |
/// | taking over clusters that were made elsewhere | administrators |
/// | all of it but reporting health, under a trust or in a context of the trustees' domain | nobody: a node that got hold of its cluster's trust, under which it is its owner to Keystone, shall not make, change, remove or sign anything through the library |
///
/// Administrators, who have the role `admin`, see all projects' things. For others, other projects' things do not exist.
///
/// ```
/// use magnum_core::{DefaultPolicy, Permission, Policy, RequestContext, Target};
/// let policy = DefaultPolicy::default().with_trustee_domain("magnum-domain-id");
/// let cx = RequestContext::new("node", "project").with_user_domain("magnum-domain-id");
/// assert!(!policy.allows(&cx, Permission::ClusterCreate, &Target::own(&cx)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultPolicy {
    trustee_domains: BTreeSet<String>,
}

impl DefaultPolicy {
    /// Denies contexts of this domain, by its id, almost everything. The builder of a service adds those of its clouds.
    #[must_use]
    pub fn with_trustee_domain(mut self, id: impl Into<String>) -> Self {
        self.trustee_domains.insert(id.into());
        self
    }

    fn is_trustee(&self, cx: &RequestContext) -> bool {
        let domain = cx.user_domain_id.as_ref();
        cx.trust_id.is_some() || domain.is_some_and(|domain| self.trustee_domains.contains(domain))
    }
}

impl Policy for DefaultPolicy {
    fn allows(&self, cx: &RequestContext, permission: Permission, target: &Target<'_>) -> bool {
        let own_project = cx.project_id == target.project_id;
        if self.is_trustee(cx) {
            return own_project && permission == Permission::ClusterUpdateHealth;
        }
        if cx.is_admin() {
            return true;
        }
        match permission {
            Permission::TemplatePublish
            | Permission::ClusterAdopt
            | Permission::QuotaList
            | Permission::QuotaCreate
            | Permission::QuotaUpdate
            | Permission::QuotaDelete => false,
            Permission::CertificateRead | Permission::CertificateSign => {
                own_project && cx.user_id == target.user_id
            }
            _ => own_project,
        }
    }

    fn sees_all_projects(&self, cx: &RequestContext) -> bool {
        cx.is_admin() && !self.is_trustee(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clusters_trustee_may_report_health_and_nothing_else() {
        let policy = DefaultPolicy::default().with_trustee_domain("trustees");
        let node = RequestContext::new("node", "p")
            .with_user_domain("trustees")
            .with_roles(["admin"]);
        // By impersonation a trust's token shows its owner, with the owner's domain and roles.
        let as_owner = RequestContext::new("alice", "p")
            .with_roles(["admin"])
            .with_trust("t");
        let target = Target::of("p", "alice");
        for node in [node, as_owner] {
            assert!(policy.allows(&node, Permission::ClusterUpdateHealth, &target));
            for permission in [
                Permission::ClusterRead,
                Permission::ClusterDelete,
                Permission::CertificateSign,
                Permission::TemplatePublish,
            ] {
                assert!(!policy.allows(&node, permission, &target), "{permission:?}");
            }
            assert!(!policy.sees_all_projects(&node));
        }
    }

    #[test]
    fn publishing_adopting_and_others_certificates_are_the_administrators() {
        let policy = DefaultPolicy::default();
        let peer = RequestContext::new("bob", "p");
        let admin = RequestContext::new("root", "q").with_roles(["admin"]);
        let target = Target::of("p", "alice");
        for permission in [
            Permission::TemplatePublish,
            Permission::ClusterAdopt,
            Permission::CertificateRead,
            Permission::CertificateSign,
        ] {
            assert!(!policy.allows(&peer, permission, &target), "{permission:?}");
            assert!(policy.allows(&admin, permission, &target), "{permission:?}");
        }
        assert!(policy.allows(&peer, Permission::ClusterDelete, &target));
        let stranger = RequestContext::new("eve", "q");
        assert!(!policy.allows(&stranger, Permission::ClusterRead, &target));
    }
}
