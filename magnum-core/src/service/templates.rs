//! Cluster templates: make, show, list, delete.

use std::sync::Arc;

use super::{Cloud, Magnum, names, validation};
use crate::model::{ClusterTemplate, Ident, RequestContext, Revision, TemplateId, TemplateSpec};
use crate::ports::{
    Auth, ClusterDriver, ClusterType, Commit, Condition, Permission, PublicTemplates, Query, Target,
    TrustMode, Write,
};
use crate::{Error, ErrorKind, Problem, Result};

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
        let own = Target {
            project_id: &cx.project_id,
            user_id: &cx.user_id,
        };
        self.inner.policy.enforce(cx, Permission::TemplateCreate, &own)?;
        if spec.public || spec.hidden {
            self.inner.policy.enforce(cx, Permission::TemplatePublish, &own)?;
        }
        let problems = validation::template_form(&spec);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let cloud = self.inner.cloud(&self.inner.default_cloud)?;
        let auth = self.inner.caller(cloud, cx)?;

        let image = as_input(
            "image_id",
            &spec.image_id,
            cloud.catalog.image(&auth, &spec.image_id).await,
        )?;
        let Some(distro) = image.os_distro else {
            let message = "the image has no property os_distro, which tells what kind of system it is";
            return Err(Error::field("image_id", &spec.image_id, message));
        };
        let driver = self.driver_for(&spec, &distro)?;
        let mut spec = spec;
        let mut problems = validation::template_fits(&spec, driver.descriptor());
        defaults(&mut spec, &**driver);
        if !spec.tls_disabled {
            problems.extend(self.tls_problem(&**driver));
        }
        problems.extend(driver.validate(&spec, None));
        problems.extend(trust_problem(cloud, &**driver, &spec));
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        for (field, flavor) in [
            ("flavor_id", &spec.flavor_id),
            ("master_flavor_id", &spec.master_flavor_id),
        ] {
            if let Some(flavor) = flavor {
                as_input(field, flavor, cloud.catalog.flavor(&auth, flavor).await)?;
            }
        }
        if let Some(keypair) = &spec.keypair_id {
            as_input("keypair_id", keypair, cloud.catalog.keypair(&auth, keypair).await)?;
        }
        let network = &spec.external_network_id;
        let found = as_input(
            "external_network_id",
            network,
            cloud.catalog.network(&auth, network).await,
        )?;
        if !found.external {
            let message = "the network is not external: its attribute router:external is not true";
            return Err(Error::field("external_network_id", network, message));
        }

        fixed_network(cloud, &auth, &**driver, &mut spec).await?;

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
            let owner = Target {
                project_id: &template.project_id,
                user_id: &template.user_id,
            };
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
        let owner = Target {
            project_id: &template.project_id,
            user_id: &template.user_id,
        };
        self.inner
            .policy
            .enforce(cx, Permission::TemplateDelete, &owner)?;
        let commit = Commit::new()
            .require(Condition::TemplateUnused(template.id))
            .write(Write::DeleteTemplate(template.id, template.revision));
        self.inner.store.commit(commit).await
    }

    fn template_query(&self, cx: &RequestContext) -> Query {
        if self.inner.policy.sees_all_projects(cx) {
            return Query::all();
        }
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
            .templates(self.template_query(cx).named(ident.as_str()))
            .await?;
        only(&mut found, "cluster template", ident)
    }

    /// The driver for a template on an image of this `os_distro`.
    pub(super) fn driver_for(&self, spec: &TemplateSpec, distro: &str) -> Result<&Arc<dyn ClusterDriver>> {
        let kind = ClusterType::new(spec.server_type, distro, &spec.coe);
        self.inner.drivers.find(&kind).ok_or_else(|| {
            let known: Vec<String> = self.inner.drivers.types().map(ToString::to_string).collect();
            let message = format!(
                "no driver makes clusters of {}; (server type, os_distro of the image, COE) can be {}",
                crate::shown(&kind.to_string()),
                known.join(", ")
            );
            Error::field("coe", &spec.coe, message)
        })
    }

    fn tls_problem(&self, driver: &dyn ClusterDriver) -> Option<Problem> {
        let message = if !driver.descriptor().tls {
            format!(
                "the driver {} has no TLS; it must be true",
                driver.descriptor().name
            )
        } else if self.inner.endpoint.is_none() {
            "this host has no node endpoint, where nodes would get certificates; it must be true".to_owned()
        } else {
            return None;
        };
        Some(Problem::new("tls_disabled", false, message))
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

/// A look-up of something that a request names: what is missing or ambiguous is bad input.
pub(super) fn as_input<T>(field: &str, value: &str, looked_up: Result<T>) -> Result<T> {
    looked_up.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::Conflict => Error::field(field, value, error.to_string()),
        _ => error,
    })
}

/// A template whose clusters' nodes are to act under a trust needs a host whose clusters have one.
pub(super) fn trust_problem(
    cloud: &Cloud,
    driver: &dyn ClusterDriver,
    spec: &TemplateSpec,
) -> Option<Problem> {
    let field = driver.trust_on_nodes(spec)?;
    let message = if matches!(cloud.trust, TrustMode::None) {
        "nodes would act under the cluster's trust, and this host makes no trusts"
    } else if cloud.identity.is_none() {
        "nodes would act under the cluster's trust, and this host does not tell where Keystone is"
    } else {
        return None;
    };
    Some(Problem::new(field, true, message))
}

/// Looks up an existing network and its subnet; one that is not given follows from the other. Both are kept by UUID.
async fn fixed_network(
    cloud: &Cloud,
    auth: &Auth,
    driver: &dyn ClusterDriver,
    spec: &mut TemplateSpec,
) -> Result<()> {
    let mut network = None;
    if let Some(given) = &spec.fixed_network {
        network = Some(as_input(
            "fixed_network",
            given,
            cloud.catalog.network(auth, given).await,
        )?);
    }
    let wanted = match (&spec.fixed_subnet, &network) {
        (Some(given), _) => given.clone(),
        (None, None) => return Ok(()),
        (None, Some(network)) => match network.subnets.as_slice() {
            [only] => only.clone(),
            several => {
                let message = format!(
                    "the network has {} subnets: name one in fixed_subnet",
                    several.len()
                );
                return Err(Error::field("fixed_network", &network.name, message));
            }
        },
    };
    let subnet = as_input("fixed_subnet", &wanted, cloud.catalog.subnet(auth, &wanted).await)?;
    if let Some(network) = network.filter(|network| network.id != subnet.network_id) {
        let message = format!("the subnet is not on the network {}", crate::shown(&network.name));
        return Err(Error::field("fixed_subnet", &wanted, message));
    }
    let Ok(cidr) = subnet.cidr.parse::<ipnet::Ipv4Net>() else {
        return Err(Error::field("fixed_subnet", &wanted, "an IPv4 subnet is needed"));
    };
    let problems = driver.subnet_problems(spec, cidr);
    if !problems.is_empty() {
        return Err(Error::invalid(problems));
    }
    spec.fixed_network = Some(subnet.network_id);
    spec.fixed_subnet = Some(subnet.id);
    Ok(())
}

/// Fills in what the guide or the driver says for absent attributes.
fn defaults(spec: &mut TemplateSpec, driver: &dyn ClusterDriver) {
    let descriptor = driver.descriptor();
    spec.network_driver = spec
        .network_driver
        .take()
        .or_else(|| descriptor.network_drivers.default.clone());
    spec.volume_driver = spec
        .volume_driver
        .take()
        .or_else(|| descriptor.volume_drivers.default.clone());
    spec.docker_storage_driver = spec
        .docker_storage_driver
        .take()
        .or_else(|| descriptor.storage_drivers.default.clone());
    spec.docker_volume_size = spec.docker_volume_size.or(descriptor.docker_volume_size);
    spec.dns_nameserver.get_or_insert_with(|| "8.8.8.8".to_owned());
    spec.flavor_id.get_or_insert_with(|| "m1.small".to_owned());
    spec.master_flavor_id.get_or_insert_with(|| "m1.small".to_owned());
    spec.master_lb_enabled.get_or_insert(descriptor.master_lb);
    spec.floating_ip_enabled.get_or_insert(true);
}
