//! What the cloud has: look-ups at Glance, Nova, Neutron and Cinder.

mod compute;
mod image;
mod network;
mod volume;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use magnum_core::{
    Auth, CloudCatalog, ComputeLimits, Error, ErrorKind, Flavor, Image, Keypair, Network, NetworkLimits,
    Result, Subnet, VolumeLimits, shown,
};
use uuid::Uuid;

use crate::{Answer, Call, OpenStack, Service};

/// The look-ups over Glance, Nova, Neutron and Cinder.
#[derive(Debug)]
pub(crate) struct Catalog {
    cloud: OpenStack,
}

impl Catalog {
    pub(crate) fn new(cloud: OpenStack) -> Self {
        Self { cloud }
    }

    async fn call(&self, auth: &Auth, call: Call) -> Result<Answer> {
        self.cloud.call(auth, &call).await
    }

    /// The answer, or `None` when the service says that there is no such thing.
    async fn look(&self, auth: &Auth, call: Call) -> Result<Option<Answer>> {
        match self.call(auth, call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks by id where the text is one, and by name if that finds nothing.
    async fn by_id_or_name<T>(&self, auth: &Auth, text: &str, thing: &Thing<T>) -> Result<T> {
        if Uuid::parse_str(text).is_ok()
            && let Some(answer) = self.look(auth, (thing.by_id)(text)).await?
        {
            return (thing.one)(&answer);
        }
        let answer = self.call(auth, (thing.by_name)(text)).await?;
        let found = (thing.many)(&answer)?;
        let same_name = found.into_iter().filter(|found| (thing.name)(found) == text);
        only(thing.what, text, same_name, |found| (thing.id)(found))
            .map_err(|error| error.at(answer.service.name(), answer.operation))
    }
}

/// How a kind of thing is looked up by UUID and by name.
struct Thing<T> {
    what: &'static str,
    by_id: fn(&str) -> Call,
    one: fn(&Answer) -> Result<T>,
    by_name: fn(&str) -> Call,
    many: fn(&Answer) -> Result<Vec<T>>,
    name: fn(&T) -> &str,
    id: fn(&T) -> &str,
}

/// The only one of several; they must be one.
fn only<T>(what: &str, name: &str, mut found: impl Iterator<Item = T>, id: impl Fn(&T) -> &str) -> Result<T> {
    let Some(first) = found.next() else {
        return Err(Error::not_found(what, name));
    };
    let Some(second) = found.next() else {
        return Ok(first);
    };
    let message = format!(
        "there are several {what}s named '{}', {} and {} among them: name one by its id",
        shown(name),
        shown(id(&first)),
        shown(id(&second))
    );
    Err(Error::new(ErrorKind::Conflict, message))
}

#[async_trait]
impl CloudCatalog for Catalog {
    async fn image(&self, auth: &Auth, name_or_id: &str) -> Result<Image> {
        self.by_id_or_name(auth, name_or_id, &image::IMAGE).await
    }

    async fn flavor(&self, auth: &Auth, name_or_id: &str) -> Result<Flavor> {
        // A flavor's id is any text, so every text is tried as one.
        if let Some(answer) = self.look(auth, compute::flavor(name_or_id)).await? {
            return compute::read_flavor(&answer);
        }
        let mut marker: Option<String> = None;
        loop {
            let answer = self.call(auth, compute::flavors(marker.as_deref())).await?;
            let page = compute::read_flavors(&answer)?;
            let last = page.last().map(|flavor| flavor.id.clone());
            if let Some(found) = page.into_iter().find(|flavor| flavor.name == name_or_id) {
                return Ok(found);
            }
            // Names are unique; the list ends with an empty page, or in a service without pages repeats.
            if last.is_none() || last == marker {
                return Err(
                    Error::not_found("flavor", name_or_id).at(answer.service.name(), answer.operation)
                );
            }
            marker = last;
        }
    }

    async fn keypair(&self, auth: &Auth, name: &str) -> Result<Keypair> {
        match self.look(auth, compute::keypair(name)).await? {
            Some(answer) => compute::read_keypair(&answer),
            None => Err(Error::not_found("key pair", name).at(Service::COMPUTE.name(), "keypair.get")),
        }
    }

    async fn network(&self, auth: &Auth, name_or_id: &str) -> Result<Network> {
        self.by_id_or_name(auth, name_or_id, &network::NETWORK).await
    }

    async fn subnet(&self, auth: &Auth, name_or_id: &str) -> Result<Subnet> {
        self.by_id_or_name(auth, name_or_id, &network::SUBNET).await
    }

    async fn compute_limits(&self, auth: &Auth) -> Result<ComputeLimits> {
        compute::read_limits(&self.call(auth, compute::limits()).await?)
    }

    async fn network_limits(&self, auth: &Auth) -> Result<NetworkLimits> {
        let project = self.cloud.project_of(auth).await?;
        network::read_limits(&self.call(auth, network::limits(&project)).await?)
    }

    async fn volume_limits(&self, auth: &Auth) -> Result<VolumeLimits> {
        volume::read_limits(&self.call(auth, volume::limits()).await?)
    }
}
