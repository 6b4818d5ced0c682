//! Nova's quotas.

use super::super::{ApiResult, World};
use super::flavor::Flavor;
use crate::sim::api_fault::ApiFault;

/// Nova's default limits.
const DEFAULTS: &[(&str, i64)] = &[
    ("cores", 20),
    ("instances", 10),
    ("key_pairs", 100),
    ("metadata_items", 128),
    ("ram", 51_200),
    ("server_group_members", 10),
    ("server_groups", 10),
];

impl World {
    /// The limit of a project for a resource. -1 is no limit.
    #[must_use]
    pub fn compute_quota(&self, project: &str, resource: &str) -> i64 {
        let key = (project.to_owned(), resource.to_owned());
        self.compute.quotas.get(&key).copied().unwrap_or_else(|| {
            DEFAULTS
                .iter()
                .find_map(|(name, limit)| (*name == resource).then_some(*limit))
                .unwrap_or(-1)
        })
    }

    /// Whether Nova knows a quota by this name.
    #[must_use]
    pub fn is_compute_quota(resource: &str) -> bool {
        DEFAULTS.iter().any(|(name, _)| *name == resource)
    }

    /// How much of `instances`, `cores`, `ram` or `server_groups` a project uses. A server being deleted counts
    /// until it is gone.
    #[must_use]
    pub fn compute_usage(&self, project: &str, resource: &str) -> i64 {
        if resource == "server_groups" {
            let groups = self.compute.server_groups();
            return i64::try_from(groups.filter(|group| group.project_id == project).count())
                .unwrap_or(i64::MAX);
        }
        let used: u64 = self
            .compute
            .servers
            .values()
            .filter(|server| server.project_id == project)
            .map(|server| match self.compute.flavors.get(&server.flavor_id) {
                Some(flavor) => amount(flavor, resource),
                None => u64::from(resource == "instances"),
            })
            .sum();
        i64::try_from(used).unwrap_or(i64::MAX)
    }

    /// Refuses when one more server of this flavor would be too many.
    pub(crate) fn check_compute_quota(&self, project: &str, flavor: &Flavor) -> ApiResult<()> {
        let mut overs: Vec<Over> = Vec::new();
        for resource in ["cores", "instances", "ram"] {
            let allowed = self.compute_quota(project, resource);
            let requested = i64::try_from(amount(flavor, resource)).unwrap_or(i64::MAX);
            let used = self.compute_usage(project, resource);
            if allowed >= 0 && used.saturating_add(requested) > allowed {
                overs.push(Over {
                    resource,
                    requested,
                    used,
                    allowed,
                });
            }
        }
        if overs.is_empty() {
            return Ok(());
        }
        let names = joined(&overs, |over| over.resource.to_owned());
        Err(ApiFault::new(
            403,
            "TooManyInstances",
            format!(
                "Quota exceeded for {names}: Requested {}, but already used {} of {} {names}",
                joined(&overs, |over| over.requested.to_string()),
                joined(&overs, |over| over.used.to_string()),
                joined(&overs, |over| over.allowed.to_string()),
            ),
        ))
    }
}

/// A limit that would be passed.
struct Over {
    resource: &'static str,
    requested: i64,
    used: i64,
    allowed: i64,
}

fn joined(overs: &[Over], part: impl Fn(&Over) -> String) -> String {
    overs.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn amount(flavor: &Flavor, resource: &str) -> u64 {
    match resource {
        "instances" => 1,
        "cores" => flavor.vcpus,
        "ram" => flavor.ram_mib,
        _ => 0,
    }
}
