//! Flavors, key pairs and limits at Nova.

use magnum_core::{ComputeLimits, Flavor, Keypair, Limit, Result};
use serde::Deserialize;

use crate::{Answer, Call, Service};

const NOVA: Service = Service::COMPUTE;

pub(super) fn flavor(id: &str) -> Call {
    Call::get(NOVA, "flavor.get", "/flavors/{id}").segment(id)
}

pub(super) fn flavors(marker: Option<&str>) -> Call {
    let call = Call::get(NOVA, "flavor.list", "/flavors/detail");
    match marker {
        Some(marker) => call.query("marker", marker),
        None => call,
    }
}

pub(super) fn keypair(name: &str) -> Call {
    Call::get(NOVA, "keypair.get", "/os-keypairs/{name}").segment(name)
}

pub(super) fn limits() -> Call {
    Call::get(NOVA, "limits.get", "/limits")
}

// nova/api/openstack/compute/views/flavors.py, release 26 (Zed), microversion 2.1
#[derive(Deserialize)]
struct FlavorBody {
    id: String,
    name: String,
    vcpus: u64,
    ram: u64,
    disk: u64,
}

impl From<FlavorBody> for Flavor {
    fn from(body: FlavorBody) -> Self {
        Self {
            id: body.id,
            name: body.name,
            vcpus: body.vcpus,
            ram: body.ram,
            disk: body.disk,
        }
    }
}

pub(super) fn read_flavor(answer: &Answer) -> Result<Flavor> {
    #[derive(Deserialize)]
    struct Body {
        flavor: FlavorBody,
    }
    answer.json::<Body>().map(|body| body.flavor.into())
}

pub(super) fn read_flavors(answer: &Answer) -> Result<Vec<Flavor>> {
    #[derive(Deserialize)]
    struct Body {
        flavors: Vec<FlavorBody>,
    }
    let body: Body = answer.json()?;
    Ok(body.flavors.into_iter().map(Into::into).collect())
}

pub(super) fn read_keypair(answer: &Answer) -> Result<Keypair> {
    #[derive(Deserialize)]
    struct Body {
        keypair: KeypairBody,
    }
    #[derive(Deserialize)]
    struct KeypairBody {
        name: String,
        public_key: String,
    }
    answer.json::<Body>().map(|body| Keypair {
        name: body.keypair.name,
        public_key: body.keypair.public_key,
    })
}

pub(super) fn read_limits(answer: &Answer) -> Result<ComputeLimits> {
    #[derive(Deserialize)]
    struct Body {
        limits: Limits,
    }
    #[derive(Deserialize)]
    struct Limits {
        absolute: Absolute,
    }
    // nova/api/openstack/compute/views/limits.py, release 26 (Zed)
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Absolute {
        max_total_instances: i64,
        total_instances_used: i64,
        max_total_cores: i64,
        total_cores_used: i64,
        #[serde(rename = "maxTotalRAMSize")]
        max_ram: i64,
        #[serde(rename = "totalRAMUsed")]
        ram_used: i64,
        // Nova leaves out what has no value.
        max_server_groups: Option<i64>,
        total_server_groups_used: Option<i64>,
    }
    let absolute = answer.json::<Body>()?.limits.absolute;
    let limit = |limit, used| Limit { limit, used };
    Ok(ComputeLimits {
        instances: limit(absolute.max_total_instances, absolute.total_instances_used),
        cores: limit(absolute.max_total_cores, absolute.total_cores_used),
        ram: limit(absolute.max_ram, absolute.ram_used),
        server_groups: limit(
            absolute.max_server_groups.unwrap_or(-1),
            absolute.total_server_groups_used.unwrap_or_default(),
        ),
    })
}
