//! What makes a template whole and fit: its driver, defaults, and what must hold before its clusters can be made.

use std::sync::Arc;

use super::look_ups::{KeypairName, LookUps, or_problem};
use super::{Cloud, Magnum, validation};
use crate::model::{RequestContext, TemplateSpec};
use crate::ports::{ClusterDriver, ClusterType, TrustMode};
use crate::{Error, Problem, Result};

impl Magnum {
    /// Fills in defaults and checks a template, its references too as far as they are `wanted`; returns the image's
    /// `os_distro`, which for an image that is not looked up is the one `known`.
    pub(super) async fn complete_template(
        &self,
        cx: &RequestContext,
        spec: &mut TemplateSpec,
        known: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let mut problems = validation::template_form(spec);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let cloud = self.inner.cloud(&self.inner.default_cloud)?;
        let auth = self.inner.caller(cloud, cx)?;
        let look_ups = LookUps { cloud, auth: &auth };
        let image = match wanted("image_id") {
            true => Some(look_ups.image(spec).await?),
            false => None,
        };
        let distro = match &image {
            None => known.to_owned(),
            Some(image) => image.os_distro.clone().ok_or_else(|| {
                let message = "the image has no property os_distro, which tells what kind of system it is";
                Error::field("image_id", &spec.image_id, message)
            })?,
        };
        let driver = self.driver_for(spec, &distro)?;
        problems.extend(validation::template_fits(spec, driver.descriptor()));
        defaults(spec, &**driver);
        if !spec.tls_disabled {
            problems.extend(self.tls_problem());
        }
        problems.extend(driver.validate(spec, None));
        problems.extend(trust_problem(cloud, &**driver, spec));
        let keypair = spec.keypair_id.clone();
        let keypair = keypair.as_deref().map(|name| KeypairName {
            field: "keypair_id",
            name,
        });
        // Another image may not fit the flavors that stay.
        let fit = |name: &str| image.is_some() && matches!(name, "flavor_id" | "master_flavor_id");
        let found = look_ups
            .the_rest(
                spec,
                keypair,
                &**driver,
                |name| wanted(name) || fit(name),
                &mut problems,
            )
            .await?;
        match &image {
            Some(image) => problems.extend(found.fit(image)),
            None if found.flavor.is_some() || found.master_flavor.is_some() => {
                let image = or_problem(look_ups.image(spec).await, &mut problems)?;
                problems.extend(image.map_or_else(Vec::new, |image| found.fit(&image)));
            }
            None => {}
        }
        if problems.is_empty() {
            Ok(distro)
        } else {
            Err(Error::invalid(problems))
        }
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

    fn tls_problem(&self) -> Option<Problem> {
        self.inner.endpoint.is_none().then(|| {
            let message =
                "this host has no node endpoint, where nodes would get certificates; it must be true";
            Problem::new("tls_disabled", false, message)
        })
    }
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

/// Fills in what the guide or the driver says for absent attributes.
fn defaults(spec: &mut TemplateSpec, driver: &dyn ClusterDriver) {
    let descriptor = driver.descriptor();
    // Of a COE without TLS nobody can ask for more; the answer shows it.
    spec.tls_disabled |= !descriptor.tls;
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
    spec.docker_volume_size = spec
        .docker_volume_size
        .or(descriptor.docker_volume_size.filter(|size| *size > 0));
    spec.dns_nameserver.get_or_insert_with(|| "8.8.8.8".to_owned());
    spec.flavor_id.get_or_insert_with(|| "m1.small".to_owned());
    spec.master_flavor_id.get_or_insert_with(|| "m1.small".to_owned());
    spec.master_lb_enabled.get_or_insert(descriptor.master_lb);
    spec.floating_ip_enabled.get_or_insert(true);
}
