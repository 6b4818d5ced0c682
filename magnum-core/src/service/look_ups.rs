//! Look-ups of what a request names: all at once, and what is wrong with several things is told at once.

use futures::future::{OptionFuture, join, join5};
use ipnet::Ipv4Net;

use super::Cloud;
use crate::model::TemplateSpec;
use crate::ports::{Auth, ClusterDriver, Flavor, Image, Network};
use crate::{Error, ErrorKind, Problem, Result};

/// A look-up of something that a request names: what is missing or ambiguous is bad input.
pub(super) fn as_input<T>(field: &str, value: &str, looked_up: Result<T>) -> Result<T> {
    looked_up.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::Conflict => Error::field(field, value, error.to_string()),
        _ => error,
    })
}

/// What was found, or one more problem; other errors end the request.
pub(super) fn or_problem<T>(found: Result<T>, problems: &mut Vec<Problem>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            problems.extend(error.problems().iter().cloned());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Where one request looks things up, and as whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct LookUps<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) auth: &'a Auth,
}

/// The key pair that a request names, and the attribute in which it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeypairName<'a> {
    pub(super) field: &'static str,
    pub(super) name: &'a str,
}

/// What a request names, as the cloud knows it; what is missing is among the problems.
#[derive(Debug)]
pub(super) struct LookedUp {
    pub(super) flavor: Option<Flavor>,
    pub(super) master_flavor: Option<Flavor>,
    pub(super) external_network: Option<Network>,
}

impl LookUps<'_> {
    pub(super) async fn image(&self, spec: &TemplateSpec) -> Result<Image> {
        let image = self.cloud.catalog.image(self.auth, &spec.image_id).await;
        as_input("image_id", &spec.image_id, image)
    }

    /// Everything but the image. Only attributes that are `wanted`, and not refused already, are looked up. An existing network and its subnet
    /// are put into `spec` by their UUIDs.
    pub(super) async fn the_rest(
        &self,
        spec: &mut TemplateSpec,
        keypair: Option<KeypairName<'_>>,
        driver: &dyn ClusterDriver,
        wanted: impl Fn(&str) -> bool,
        problems: &mut Vec<Problem>,
    ) -> Result<LookedUp> {
        let Self { cloud, auth } = *self;
        let catalog = &cloud.catalog;
        let refused: Vec<String> = problems.iter().map(|problem| problem.field.clone()).collect();
        let refused = |name: &str| refused.iter().any(|refused| refused == name);
        let wanted = |name: &str| wanted(name) && !refused(name);
        let flavor = async |field, name: &str| as_input(field, name, catalog.flavor(auth, name).await);
        let node_flavor = spec.flavor_id.as_deref().filter(|_| wanted("flavor_id"));
        let master_flavor = spec
            .master_flavor_id
            .as_deref()
            .filter(|_| wanted("master_flavor_id"));
        let keypair = keypair.filter(|keypair| wanted(keypair.field));
        let external = Some(spec.external_network_id.as_str()).filter(|_| wanted("external_network_id"));
        let fixed = (wanted("fixed_network") || wanted("fixed_subnet"))
            && !(refused("fixed_network") || refused("fixed_subnet"));
        let (nodes, masters, keypair, external, fixed) = join5(
            OptionFuture::from(node_flavor.map(|name| flavor("flavor_id", name))),
            OptionFuture::from(master_flavor.map(|name| flavor("master_flavor_id", name))),
            OptionFuture::from(keypair.map(async |KeypairName { field, name }| {
                as_input(field, name, catalog.keypair(auth, name).await)
            })),
            OptionFuture::from(external.map(async |name| {
                let found = as_input("external_network_id", name, catalog.network(auth, name).await)?;
                if found.external {
                    return Ok(found);
                }
                let message = "the network is not external: its attribute router:external is not true";
                Err(Error::field("external_network_id", name, message))
            })),
            OptionFuture::from(fixed.then(|| self.fixed_network(spec, driver))),
        )
        .await;
        let mut found = LookedUp {
            flavor: None,
            master_flavor: None,
            external_network: None,
        };
        if let Some(flavor) = nodes {
            found.flavor = or_problem(flavor, problems)?;
        }
        if let Some(flavor) = masters {
            found.master_flavor = or_problem(flavor, problems)?;
        }
        if let Some(keypair) = keypair {
            or_problem(keypair, problems)?;
        }
        if let Some(network) = external {
            found.external_network = or_problem(network, problems)?;
        }
        if let Some(fixed) = fixed
            && let Some(Some(fixed)) = or_problem(fixed, problems)?
        {
            spec.fixed_network = Some(fixed.network_id);
            spec.fixed_subnet = Some(fixed.subnet_id);
        }
        Ok(found)
    }

    /// An existing network and its subnet; one that is not given follows from the other.
    async fn fixed_network(
        &self,
        spec: &TemplateSpec,
        driver: &dyn ClusterDriver,
    ) -> Result<Option<FixedNetwork>> {
        let catalog = &self.cloud.catalog;
        let network =
            OptionFuture::from(spec.fixed_network.as_ref().map(async |given| {
                as_input("fixed_network", given, catalog.network(self.auth, given).await)
            }));
        let subnet =
            async |wanted: &str| as_input("fixed_subnet", wanted, catalog.subnet(self.auth, wanted).await);
        let given = OptionFuture::from(spec.fixed_subnet.as_deref().map(subnet));
        let (network, given) = join(network, given).await;
        let (network, given) = (network.transpose()?, given.transpose()?);
        let subnet = match (given, &network) {
            (Some(given), _) => given,
            (None, None) => return Ok(None),
            (None, Some(network)) => match network.subnets.as_slice() {
                [only] => subnet(only).await?,
                several => {
                    let message = format!(
                        "the network has {} subnets: name one in fixed_subnet",
                        several.len()
                    );
                    return Err(Error::field("fixed_network", &network.name, message));
                }
            },
        };
        let named = spec.fixed_subnet.as_deref().unwrap_or(&subnet.id);
        if let Some(network) = network.filter(|network| network.id != subnet.network_id) {
            let message = format!("the subnet is not on the network {}", crate::shown(&network.name));
            return Err(Error::field("fixed_subnet", named, message));
        }
        let Ok(cidr) = subnet.cidr.parse::<Ipv4Net>() else {
            return Err(Error::field("fixed_subnet", named, "an IPv4 subnet is needed"));
        };
        let problems = driver.subnet_problems(spec, cidr);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        Ok(Some(FixedNetwork {
            network_id: subnet.network_id,
            subnet_id: subnet.id,
        }))
    }
}

struct FixedNetwork {
    network_id: String,
    subnet_id: String,
}

impl LookedUp {
    /// Flavors that have too little for the image. A flavor without a disk takes the image's own size.
    pub(super) fn fit(&self, image: &Image) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (field, flavor) in [
            ("flavor_id", &self.flavor),
            ("master_flavor_id", &self.master_flavor),
        ] {
            let Some(flavor) = flavor else { continue };
            if flavor.disk > 0 && flavor.disk < image.min_disk {
                let message = format!(
                    "the image needs a disk of {} GB, the flavor has {} GB",
                    image.min_disk, flavor.disk
                );
                problems.push(Problem::new(field, &flavor.name, message));
            }
            if flavor.ram < image.min_ram {
                let message = format!(
                    "the image needs {} MB of memory, the flavor has {} MB",
                    image.min_ram, flavor.ram
                );
                problems.push(Problem::new(field, &flavor.name, message));
            }
        }
        problems
    }
}
