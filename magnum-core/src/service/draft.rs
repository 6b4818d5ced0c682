//! The cluster that a request asks for, before it is accepted.

use super::Magnum;
use crate::model::{
    Cluster, ClusterId, ClusterSpec, ClusterStatus, ClusterTemplate, DriverRef, Health, Pool, PoolRole,
    Progress, RequestContext, Revision, effective_labels,
};
use crate::ports::DriverDescriptor;

impl Magnum {
    /// The cluster that a request asks for: the template's values, frozen, with the request's own laid over them.
    pub(super) fn draft(
        &self,
        cx: &RequestContext,
        spec: &ClusterSpec,
        template: &ClusterTemplate,
        driver: &DriverDescriptor,
    ) -> Cluster {
        let mut effective = template.spec.clone();
        effective.labels = effective_labels(&template.spec.labels, spec.labels.as_ref(), spec.merge_labels);
        if spec.fixed_network.is_some() || spec.fixed_subnet.is_some() {
            // They belong together: one of the template's would not fit.
            effective.fixed_network.clone_from(&spec.fixed_network);
            effective.fixed_subnet.clone_from(&spec.fixed_subnet);
        }
        let or = |own: &Option<String>, template: &mut Option<String>| {
            if own.is_some() {
                template.clone_from(own);
            }
        };
        or(&spec.flavor_id, &mut effective.flavor_id);
        or(&spec.master_flavor_id, &mut effective.master_flavor_id);
        effective.docker_volume_size = spec.docker_volume_size.or(effective.docker_volume_size);
        effective.floating_ip_enabled = spec.floating_ip_enabled.or(effective.floating_ip_enabled);
        effective.master_lb_enabled = spec.master_lb_enabled.or(effective.master_lb_enabled);
        let pool = |role: PoolRole, count: u32, flavor: &Option<String>| Pool {
            name: role.as_str().to_owned(),
            role,
            count,
            flavor_id: flavor.clone().unwrap_or_default(),
            addresses: Vec::new(),
        };
        Cluster {
            id: ClusterId(self.inner.ids.uuid()),
            name: spec.name.clone().unwrap_or_default(),
            cloud: self.inner.default_cloud.clone(),
            project_id: cx.project_id.clone(),
            user_id: cx.user_id.clone(),
            cluster_template_id: template.id,
            cluster_distro: template.cluster_distro.clone(),
            driver: DriverRef {
                name: driver.name.clone(),
                version: driver.version.clone(),
            },
            keypair: spec.keypair.clone().or_else(|| template.spec.keypair_id.clone()),
            template_labels: template.spec.labels.clone(),
            create_timeout: spec.create_timeout,
            on_create_failure: spec.on_create_failure,
            discovery_url: spec.discovery_url.clone(),
            discovery_made: false,
            pools: vec![
                pool(PoolRole::Master, spec.master_count, &effective.master_flavor_id),
                pool(PoolRole::Worker, spec.node_count, &effective.flavor_id),
            ],
            template: effective,
            status: ClusterStatus::CREATE_IN_PROGRESS,
            status_reason: None,
            fault: None,
            health: Health::default(),
            progress: Progress::default(),
            stack_id: None,
            api_address: None,
            coe_version: None,
            container_version: None,
            ca_cert: None,
            authorities: std::collections::BTreeMap::new(),
            magnum_cert: None,
            certificates_version: 0,
            rotation: None,
            node_credentials: Vec::new(),
            generation: 1,
            created_at: self.inner.clock.now(),
            updated_at: None,
            revision: Revision(1),
        }
    }
}
