//! Networks, subnets and limits at Neutron.

use magnum_core::{Limit, Network, NetworkLimits, Result, Subnet};
use serde::Deserialize;

use super::Thing;
use crate::{Answer, Call, Service};

pub(super) const NETWORK: Thing<Network> = Thing {
    what: "network",
    by_id: |id| Call::get(Service::NETWORK, "network.get", "/networks/{id}").segment(id),
    one: one_network,
    by_name: |name| Call::get(Service::NETWORK, "network.find", "/networks").query("name", name),
    many: many_networks,
    name: |network| &network.name,
    id: |network| &network.id,
};

pub(super) const SUBNET: Thing<Subnet> = Thing {
    what: "subnet",
    by_id: |id| Call::get(Service::NETWORK, "subnet.get", "/subnets/{id}").segment(id),
    one: one_subnet,
    by_name: |name| Call::get(Service::NETWORK, "subnet.find", "/subnets").query("name", name),
    many: many_subnets,
    name: |subnet| &subnet.name,
    id: |subnet| &subnet.id,
};

pub(super) fn limits(project: &str) -> Call {
    let path = "/quotas/{project}/details.json";
    Call::get(Service::NETWORK, "quota.details", path).segment(project)
}

// neutron_lib/api/definitions/{network,external_net,subnet}.py, release 21 (Zed)
#[derive(Deserialize)]
struct NetworkBody {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(rename = "router:external", default)]
    external: bool,
    #[serde(default)]
    subnets: Vec<String>,
}

#[derive(Deserialize)]
struct SubnetBody {
    id: String,
    #[serde(default)]
    name: String,
    network_id: String,
    cidr: String,
}

impl From<NetworkBody> for Network {
    fn from(body: NetworkBody) -> Self {
        Self {
            id: body.id,
            name: body.name,
            external: body.external,
            subnets: body.subnets,
        }
    }
}

impl From<SubnetBody> for Subnet {
    fn from(body: SubnetBody) -> Self {
        Self {
            id: body.id,
            name: body.name,
            network_id: body.network_id,
            cidr: body.cidr,
        }
    }
}

fn one_network(answer: &Answer) -> Result<Network> {
    #[derive(Deserialize)]
    struct Body {
        network: NetworkBody,
    }
    answer.json::<Body>().map(|body| body.network.into())
}

fn many_networks(answer: &Answer) -> Result<Vec<Network>> {
    #[derive(Deserialize)]
    struct Body {
        networks: Vec<NetworkBody>,
    }
    let body: Body = answer.json()?;
    Ok(body.networks.into_iter().map(Into::into).collect())
}

fn one_subnet(answer: &Answer) -> Result<Subnet> {
    #[derive(Deserialize)]
    struct Body {
        subnet: SubnetBody,
    }
    answer.json::<Body>().map(|body| body.subnet.into())
}

fn many_subnets(answer: &Answer) -> Result<Vec<Subnet>> {
    #[derive(Deserialize)]
    struct Body {
        subnets: Vec<SubnetBody>,
    }
    let body: Body = answer.json()?;
    Ok(body.subnets.into_iter().map(Into::into).collect())
}

pub(super) fn read_limits(answer: &Answer) -> Result<NetworkLimits> {
    #[derive(Deserialize)]
    struct Body {
        quota: Quotas,
    }
    // neutron/extensions/quotasv2_detail.py, release 21 (Zed). What no plug-in of Neutron's has is left out.
    #[derive(Deserialize)]
    struct Quotas {
        #[serde(default)]
        network: Quota,
        #[serde(default)]
        subnet: Quota,
        #[serde(default)]
        router: Quota,
        #[serde(default)]
        port: Quota,
        #[serde(default)]
        floatingip: Quota,
        #[serde(default)]
        security_group: Quota,
        #[serde(default)]
        security_group_rule: Quota,
    }
    let quota = answer.json::<Body>()?.quota;
    Ok(NetworkLimits {
        networks: quota.network.into(),
        subnets: quota.subnet.into(),
        routers: quota.router.into(),
        ports: quota.port.into(),
        floating_ips: quota.floatingip.into(),
        security_groups: quota.security_group.into(),
        security_group_rules: quota.security_group_rule.into(),
    })
}

#[derive(Deserialize)]
struct Quota {
    limit: i64,
    used: i64,
    /// For requests that are under way.
    #[serde(default)]
    reserved: i64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            limit: -1,
            used: 0,
            reserved: 0,
        }
    }
}

impl From<Quota> for Limit {
    fn from(quota: Quota) -> Self {
        Self {
            limit: quota.limit,
            used: quota.used.saturating_add(quota.reserved),
        }
    }
}
