//! Changes of cluster templates, and what may change while clusters are made after them.

use serde_json::{Value, json};

use super::Magnum;
use crate::model::{ClusterTemplate, Ident, Patch, RequestContext, Rule, TemplateSpec};
use crate::ports::{Commit, Condition, Permission, Target, Write};
use crate::{Error, ErrorKind, Result};

/// What may change while clusters are made after a template: none of it is about their infrastructure.
const ALWAYS_CHANGEABLE: [&str; 4] = ["name", "public", "hidden", "tags"];

impl Magnum {
    /// Changes attributes of a cluster template.
    ///
    /// While a cluster made after it exists only `name`, `hidden` and `tags` may change, and `public` from false to true.
    /// Attributes that are removed get their default. What comes of it is checked like a new template, but only what
    /// has changed is looked up in the cloud; with another image `cluster_distro` follows. A patch that changes nothing
    /// is accepted.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, cx: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// use magnum_core::Patch;
    /// let patch = Patch::new().replace("/flavor_id", "m1.medium").add("/labels/flannel_backend", "vxlan");
    /// magnum.update_template(&cx, "small", &patch).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` names every attribute that cannot become so; `Conflict` while the template is in use, or when
    /// several have the name; `Stale` when somebody else changed it meanwhile; `NotFound`; `Forbidden`;
    /// `Unauthorized` and `Unavailable` from look-ups.
    pub async fn update_template(
        &self,
        cx: &RequestContext,
        ident: impl Into<Ident>,
        patch: &Patch,
    ) -> Result<ClusterTemplate> {
        let ident = ident.into();
        let before = self.find_template(cx, &ident).await?;
        let owner = Target::of(&before.project_id, &before.user_id);
        self.inner
            .policy
            .enforce(cx, Permission::TemplateUpdate, &owner)?;
        let old = serde_json::to_value(&before.spec).map_err(|error| Error::internal(error.to_string()))?;
        let mut spec: TemplateSpec = patch.apply(&old, rule)?;
        if spec.public != before.spec.public || spec.hidden != before.spec.hidden {
            self.inner
                .policy
                .enforce(cx, Permission::TemplatePublish, &owner)?;
        }
        if spec == before.spec {
            return Ok(before);
        }
        let changed = changed(&old, &spec)?;
        let free = changed
            .iter()
            .all(|name| ALWAYS_CHANGEABLE.contains(&name.as_str()))
            && (spec.public || !before.spec.public);
        let mut after = before.clone();
        if changed
            .iter()
            .all(|name| ALWAYS_CHANGEABLE.contains(&name.as_str()))
        {
            // Nothing of it is looked up, so that a template whose image is gone can still be hidden.
            let problems = super::validation::template_form(&spec);
            if !problems.is_empty() {
                return Err(Error::invalid(problems));
            }
        } else {
            let wanted = |name: &str| changed.iter().any(|changed| changed == name);
            after.cluster_distro = self
                .complete_template(cx, &mut spec, &before.cluster_distro, wanted)
                .await?;
        }
        after.name = spec.name.clone().unwrap_or_else(|| before.name.clone());
        after.spec = spec;
        after.updated_at = Some(self.inner.clock.now());
        after.revision = before.revision.next();
        let mut commit = Commit::new();
        if !free {
            commit = commit.require(Condition::TemplateUnused(before.id));
        }
        let commit = commit.write(Write::PutTemplate(Box::new(after.clone())));
        match self.inner.store.commit(commit).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let message = format!(
                    "{error}; until they are deleted only name, hidden and tags can change, and public from false to true"
                );
                Err(Error::new(ErrorKind::Conflict, message))
            }
            other => other.map(|()| after),
        }
    }
}

/// The attributes that have other values now.
fn changed(old: &Value, spec: &TemplateSpec) -> Result<Vec<String>> {
    let new = serde_json::to_value(spec).map_err(|error| Error::internal(error.to_string()))?;
    let fields = new.as_object().into_iter().flatten();
    Ok(fields
        .filter(|(name, value)| old.get(name.as_str()) != Some(*value))
        .map(|(name, _)| name.clone())
        .collect())
}

/// What a patch may do with an attribute.
fn rule(attribute: &str) -> Rule {
    match attribute {
        "coe" | "image_id" | "external_network_id" | "name" => Rule::Kept {
            why: "a template always has it: replace it",
        },
        "network_driver" | "tls_disabled" | "public" | "hidden" | "server_type" | "registry_enabled" => {
            Rule::Kept {
                why: "it cannot be removed: replace it",
            }
        }
        "labels" => Rule::Free { default: json!({}) },
        "keypair_id"
        | "tags"
        | "volume_driver"
        | "dns_nameserver"
        | "flavor_id"
        | "master_flavor_id"
        | "http_proxy"
        | "https_proxy"
        | "no_proxy"
        | "docker_volume_size"
        | "docker_storage_driver"
        | "insecure_registry"
        | "master_lb_enabled"
        | "floating_ip_enabled"
        | "fixed_network"
        | "fixed_subnet"
        | "apiserver_port" => Rule::Free { default: Value::Null },
        "cluster_distro" => Rule::Fixed {
            why: "it follows from the image".to_owned(),
        },
        "uuid" | "id" | "project_id" | "user_id" | "links" | "created_at" | "updated_at" => Rule::Fixed {
            why: "it cannot be changed".to_owned(),
        },
        _ => Rule::Fixed {
            why: "a template has no such attribute".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_of_a_template_has_a_rule() {
        let all = serde_json::to_value(TemplateSpec::default()).unwrap();
        for attribute in all.as_object().unwrap().keys() {
            assert!(!matches!(rule(attribute), Rule::Fixed { .. }), "{attribute}");
        }
    }

    #[test]
    fn what_changed_is_told_by_value() {
        let spec = TemplateSpec::new("docker", "ubuntu", "public");
        let old = serde_json::to_value(&spec).unwrap();
        assert!(changed(&old, &spec).unwrap().is_empty());
        let other = spec.with_name("n").with_label("a", "b");
        assert_eq!(changed(&old, &other).unwrap(), ["labels", "name"]);
    }
}
