//! What a cluster takes of the limits of its project.

use std::collections::BTreeMap;

/// What a cluster's infrastructure takes of the limits of its project; the service compares it with what is left
/// before anything is made.
///
/// ```
/// use magnum_core::Needs;
/// let mut needs = Needs::default();
/// needs.servers("m1.small", 3);
/// needs.ports = 4;
/// assert_eq!(needs.instances(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Servers, by flavor.
    pub flavors: BTreeMap<String, u64>,
    /// Server groups of Nova.
    pub server_groups: u64,
    /// Networks.
    pub networks: u64,
    /// Subnets.
    pub subnets: u64,
    /// Routers.
    pub routers: u64,
    /// Ports, those of routers and load balancers included.
    pub ports: u64,
    /// Floating IPs.
    pub floating_ips: u64,
    /// Security groups.
    pub security_groups: u64,
    /// Their rules, those included that Neutron makes with each group.
    pub security_group_rules: u64,
    /// Volumes.
    pub volumes: u64,
    /// Their size in GB.
    pub gigabytes: u64,
    /// Stacks that are not nested in others.
    pub stacks: u64,
    /// Resources of these stacks, nested ones included.
    pub stack_resources: u64,
}

impl Needs {
    /// Adds servers of a flavor.
    pub fn servers(&mut self, flavor: &str, count: u64) {
        *self.flavors.entry(flavor.to_owned()).or_default() += count;
    }

    /// Adds a volume of this size in GB for each of so many servers.
    pub fn volumes_of(&mut self, count: u64, gigabytes: u64) {
        self.volumes += count;
        self.gigabytes += count.saturating_mul(gigabytes);
    }

    /// Servers in all.
    #[must_use]
    pub fn instances(&self) -> u64 {
        self.flavors.values().sum()
    }

    /// What is needed beyond what is there already.
    #[must_use]
    pub fn beyond(&self, there: &Self) -> Self {
        let more = |wanted: u64, there: u64| wanted.saturating_sub(there);
        let flavors = self.flavors.iter().map(|(flavor, count)| {
            let there = there.flavors.get(flavor).copied().unwrap_or_default();
            (flavor.clone(), more(*count, there))
        });
        Self {
            flavors: flavors.collect(),
            server_groups: more(self.server_groups, there.server_groups),
            networks: more(self.networks, there.networks),
            subnets: more(self.subnets, there.subnets),
            routers: more(self.routers, there.routers),
            ports: more(self.ports, there.ports),
            floating_ips: more(self.floating_ips, there.floating_ips),
            security_groups: more(self.security_groups, there.security_groups),
            security_group_rules: more(self.security_group_rules, there.security_group_rules),
            volumes: more(self.volumes, there.volumes),
            gigabytes: more(self.gigabytes, there.gigabytes),
            stacks: more(self.stacks, there.stacks),
            // Of one stack, and its limit is for all of it; what does not grow is never too much.
            stack_resources: match more(self.stack_resources, there.stack_resources) {
                0 => 0,
                _ => self.stack_resources,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_counts_whole_when_it_grows_and_not_at_all_when_it_shrinks() {
        let of = |nodes: u64| {
            let mut needs = Needs::default();
            needs.servers("m1.small", nodes);
            needs.ports = nodes + 1;
            needs.stacks = 1;
            needs.stack_resources = 6 * nodes;
            needs
        };
        let growth = of(5).beyond(&of(3));
        assert_eq!((growth.instances(), growth.ports, growth.stacks), (2, 2, 0));
        assert_eq!(growth.stack_resources, 30);
        let shrinkage = of(3).beyond(&of(5));
        assert_eq!((shrinkage.instances(), shrinkage.ports), (0, 0));
        assert_eq!(shrinkage.stack_resources, 0);
    }
}
