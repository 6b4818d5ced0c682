//! Neutron's quotas.

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// Neutron's default limits.
const DEFAULTS: &[(&str, i64)] = &[
    ("floatingip", 50),
    ("network", 100),
    ("port", 500),
    ("rbac_policy", 10),
    ("router", 10),
    ("security_group", 10),
    ("security_group_rule", 100),
    ("subnet", 100),
    ("subnetpool", -1),
];

impl World {
    /// The limits of a project, by resource, in the order of their names. -1 is no limit.
    #[must_use]
    pub fn network_quotas(&self, project: &str) -> Vec<(&'static str, i64)> {
        DEFAULTS
            .iter()
            .map(|(resource, default)| {
                let key = (project.to_owned(), (*resource).to_owned());
                (
                    *resource,
                    self.network.quotas.get(&key).copied().unwrap_or(*default),
                )
            })
            .collect()
    }

    /// How many of a resource a project has.
    #[must_use]
    pub fn network_usage(&self, project: &str, resource: &str) -> i64 {
        let n = &self.network;
        let count = match resource {
            "floatingip" => n
                .floating_ips
                .values()
                .filter(|x| x.project_id == project)
                .count(),
            "network" => n.networks.values().filter(|x| x.project_id == project).count(),
            "port" => n.ports.values().filter(|x| x.project_id == project).count(),
            "router" => n.routers.values().filter(|x| x.project_id == project).count(),
            "security_group" => n
                .security_groups
                .values()
                .filter(|x| x.project_id == project)
                .count(),
            "security_group_rule" => n
                .security_groups
                .values()
                .filter(|x| x.project_id == project)
                .map(|x| x.rules.len())
                .sum(),
            "subnet" => n.subnets.values().filter(|x| x.project_id == project).count(),
            _ => 0,
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Whether Neutron knows a quota by this name.
    #[must_use]
    pub fn is_network_quota(resource: &str) -> bool {
        DEFAULTS.iter().any(|(name, _)| *name == resource)
    }

    /// Refuses when `more` of a resource would be too many.
    pub(crate) fn check_network_quota(&self, project: &str, resource: &str, more: i64) -> ApiResult<()> {
        let limit = self
            .network_quotas(project)
            .into_iter()
            .find_map(|(name, limit)| (name == resource).then_some(limit))
            .unwrap_or(-1);
        if limit >= 0 && self.network_usage(project, resource) + more > limit {
            return Err(ApiFault::conflict(
                "OverQuota",
                format!("Quota exceeded for resources: ['{resource}']."),
            ));
        }
        Ok(())
    }
}
