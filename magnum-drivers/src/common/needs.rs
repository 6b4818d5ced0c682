//! What a cluster of masters and nodes takes of its project's limits.

use magnum_core::{Cluster, Needs};

/// Rules that Neutron makes with each group: all traffic outwards, over IPv4 and IPv6.
const RULES_OF_EACH_GROUP: u64 = 2;

/// What the stack has beside what every such stack has.
pub(crate) struct Has {
    /// Whether each master has a volume for Docker.
    pub(crate) master_volumes: bool,
    /// Whether each node has one.
    pub(crate) node_volumes: bool,
    /// How many listeners the load balancer has.
    pub(crate) listeners: u64,
    /// How many rules the two groups have for what everybody reaches.
    pub(crate) open_rules: u64,
    /// How many there are for what the servers say to each other.
    pub(crate) cluster_rules: u64,
}

pub(crate) fn needs(cluster: &Cluster, has: &Has) -> Needs {
    let spec = &cluster.template;
    let (masters, nodes) = (u64::from(cluster.master_count()), u64::from(cluster.node_count()));
    let servers = masters + nodes;
    let one_if = |yes: bool| u64::from(yes);
    let own_network = one_if(spec.fixed_network.is_none());
    let balancer = one_if(spec.master_lb_enabled == Some(true));
    let (of_masters, of_nodes) = (one_if(has.master_volumes), one_if(has.node_volumes));
    let floating = one_if(spec.floating_ip_enabled != Some(false));

    let mut needs = Needs::default();
    needs.servers(spec.master_flavor_id.as_deref().unwrap_or_default(), masters);
    needs.servers(spec.flavor_id.as_deref().unwrap_or_default(), nodes);
    needs.volumes_of(
        of_masters * masters + of_nodes * nodes,
        u64::from(spec.docker_volume_size.unwrap_or_default()),
    );
    needs.networks = own_network;
    needs.subnets = own_network;
    needs.routers = own_network;
    // One of each server, the router's inside, the load balancer's address.
    needs.ports = servers + own_network + balancer;
    needs.floating_ips = floating * (servers + balancer);
    needs.security_groups = 2;
    needs.security_group_rules = 2 * RULES_OF_EACH_GROUP + has.open_rules + has.cluster_rules;
    needs.stacks = 1;
    // Network, subnet, router and its inside; load balancer, listener, pool, monitor and floating IP; three groups.
    let top = 4 * own_network
        + (1 + 3 * has.listeners + floating) * balancer
        + needs.security_groups
        + has.cluster_rules
        + 3;
    // Each member of a group is a stack, and a resource of the group's: port and floating IP; wait handle, condition,
    // server, volume and attachment, and a member of each pool; the same and a port and a floating IP.
    let of_master = (1 + 1 + floating) + (1 + 3 + 2 * of_masters + has.listeners * balancer);
    let of_node = 1 + 4 + 2 * of_nodes + floating;
    needs.stack_resources = top + masters * of_master + nodes * of_node;
    needs
}
