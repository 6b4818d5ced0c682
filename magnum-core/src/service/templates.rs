//! Cluster templates: make, show, list, delete.

use super::{Magnum, names};
use crate::model::{ClusterTemplate, Ident, RequestContext, Revision, TemplateId, TemplateSpec};
use crate::ports::{Commit, Condition, Permission, PublicTemplates, Query, Target, Write};
use crate::{Error, ErrorKind, Result};

impl Magnum {
    /// Makes a cluster template.
    ///
    /// Attributes without a value get the driver's or the guide's default.
    ///
    /// # Errors
    /// `InvalidInput` names every attribute that is not acceptable; `NotFound` and `Conflict` never
    /// leave for a missing or ambiguous image, flavor, key pair or network, which are bad input here;
    /// `Forbidden` when the policy refuses; `Unauthorized` and `Unavailable` from look-ups.
    pub async fn create_template(&self, cx: &RequestContext, spec: TemplateSpec) -> Result<ClusterTemplate> {
        let own = Target::own(cx);
        self.inner.policy.enforce(cx, Permission::TemplateCreate, &own)?;
        if spec.public || spec.hidden {
            self.inner.policy.enforce(cx, Permission::TemplatePublish, &own)?;
        }
        let mut spec = spec;
        let distro = self.complete_template(cx, &mut spec, "", |_| true).await?;

        let given = spec.name.clone();
        for _ in 0..GENERATED_NAME_TRIES {
            let name = match &given {
                Some(name) => name.clone(),
                None => names::generate(&*self.inner.entropy, "template")?,
            };
            let template = ClusterTemplate {
                id: TemplateId(self.inner.ids.uuid()),
                name: name.clone(),
                project_id: cx.project_id.clone(),
                user_id: cx.user_id.clone(),
                cluster_distro: distro.clone(),
                spec: TemplateSpec {
                    name: Some(name.clone()),
                    ..spec.clone()
                },
                created_at: self.inner.clock.now(),
                updated_at: None,
                revision: Revision(1),
            };
            let mut commit = Commit::new().write(Write::InsertTemplate(Box::new(template.clone())));
            if given.is_none() {
                let project = cx.project_id.clone();
                commit = commit.require(Condition::TemplateNameFree { project, name });
            }
            match self.inner.store.commit(commit).await {
                Err(error) if given.is_none() && error.kind() == ErrorKind::Conflict => {}
                other => return other.map(|()| template),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "no generated name is free in this project; give one",
        ))
    }

    /// A cluster template by name or UUID: the project's own, or a public one.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when several have the name.
    pub async fn template(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<ClusterTemplate> {
        let ident = ident.into();
        let template = self.find_template(cx, &ident).await?;
        if !template.spec.public {
            let owner = Target::of(&template.project_id, &template.user_id);
            self.inner.policy.enforce(cx, Permission::TemplateRead, &owner)?;
        }
        Ok(template)
    }

    /// Deletes a cluster template.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while a cluster made after it exists; `Forbidden`.
    pub async fn delete_template(&self, cx: &RequestContext, ident: impl Into<Ident>) -> Result<()> {
        let ident = ident.into();
        let template = self.find_template(cx, &ident).await?;
        let owner = Target::of(&template.project_id, &template.user_id);
        self.inner
            .policy
            .enforce(cx, Permission::TemplateDelete, &owner)?;
        let commit = Commit::new()
            .require(Condition::TemplateUnused(template.id))
            .write(Write::DeleteTemplate(template.id, template.revision));
        self.inner.store.commit(commit).await
    }

    /// Names are the caller's own and the public ones; other projects' templates go by UUID only.
    fn template_query(cx: &RequestContext) -> Query {
        Query {
            public_templates: PublicTemplates::WithHidden,
            ..Query::project(&cx.project_id)
        }
    }

    /// A template that the caller may know of.
    pub(super) async fn find_template(&self, cx: &RequestContext, ident: &Ident) -> Result<ClusterTemplate> {
        let visible = |template: &ClusterTemplate| {
            template.spec.public
                || template.project_id == cx.project_id
                || self.inner.policy.sees_all_projects(cx)
        };
        if let Some(uuid) = ident.as_uuid()
            && let Some(template) = self.inner.store.template(TemplateId(uuid)).await?.filter(visible)
        {
            return Ok(template);
        }
        let mut found = self
            .inner
            .store
            .templates(Self::template_query(cx).named(ident.as_str()))
            .await?;
        only(&mut found, "cluster template", ident)
    }
}

/// How many generated names are tried before giving up.
pub(super) const GENERATED_NAME_TRIES: usize = 32;

/// Exactly one of what was found.
pub(super) fn only<T>(found: &mut Vec<T>, what: &str, ident: &Ident) -> Result<T> {
    if found.len() > 1 {
        let message = format!(
            "{} {what}s are named '{}'; use the UUID",
            found.len(),
            crate::shown(ident.as_str())
        );
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    found.pop().ok_or_else(|| Error::not_found(what, ident))
}
