//! What is in a project beside the stacks: load balancers at Octavia, volumes at Cinder, ports and floating IPs at
//! Neutron, and the names of servers at Nova.

mod parse;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use magnum_core::{
    Auth, CloudResources, Error, ErrorKind, FloatingIp, LoadBalancer, NetworkPort, Result, Volume,
};
use serde::de::DeserializeOwned;

use self::parse::{
    FloatingIpBody, LoadBalancerBody, MemberBody, One, Page, PortBody, ServerBody, VolumeBody,
};
use crate::{Answer, Call, OpenStack, Service};

const OCTAVIA: Service = Service::LOAD_BALANCER;
const CINDER: Service = Service::BLOCK_STORAGE;
const NEUTRON: Service = Service::NETWORK;

/// The project's things over Octavia, Cinder, Neutron and Nova.
#[derive(Debug)]
pub(crate) struct Resources {
    cloud: OpenStack,
}

impl Resources {
    pub(crate) fn new(cloud: OpenStack) -> Self {
        Self { cloud }
    }

    /// The answer, or `None` when the service says that there is no such thing. A catalog without the service says
    /// nothing about a thing that was there.
    async fn look(&self, auth: &Auth, call: Call) -> Result<Option<Answer>> {
        match self.cloud.call(auth, &call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All that a list has. Services cut lists at lengths of their own and say so by a link to the next page.
    async fn all<T: DeserializeOwned>(&self, auth: &Auth, list: Call, id: fn(&T) -> &str) -> Result<Vec<T>> {
        let mut found: Vec<T> = Vec::new();
        loop {
            let marker = found.last().map(|last| id(last).to_owned());
            let call = match &marker {
                Some(marker) => list.clone().query("marker", marker),
                None => list.clone(),
            };
            let page: Page<T> = self.cloud.call(auth, &call).await?.json()?;
            // A service that takes no notice of the marker would answer the same for ever.
            let again = page.items.iter().any(|new| Some(id(new)) == marker.as_deref());
            let last = page.items.is_empty() || !page.links.iter().any(|link| link.rel == "next");
            if again {
                return Ok(found);
            }
            found.extend(page.items);
            if last {
                return Ok(found);
            }
        }
    }
}

#[async_trait]
impl CloudResources for Resources {
    async fn load_balancers(&self, auth: &Auth, vip_subnets: &[String]) -> Result<Vec<LoadBalancer>> {
        let mut found = Vec::new();
        if !self.cloud.has(auth, OCTAVIA).await? {
            return Ok(found);
        }
        for subnet in vip_subnets {
            let list = Call::get(OCTAVIA, "load_balancer.list", "/lbaas/loadbalancers")
                .query("vip_subnet_id", subnet);
            let listed = self.all(auth, list, |body: &LoadBalancerBody| &body.id).await?;
            found.extend(listed.into_iter().filter_map(LoadBalancerBody::there));
        }
        Ok(found)
    }

    async fn load_balancer(&self, auth: &Auth, id: &str) -> Result<Option<LoadBalancer>> {
        let get = Call::get(OCTAVIA, "load_balancer.get", "/lbaas/loadbalancers/{id}").segment(id);
        match self.look(auth, get).await? {
            Some(answer) => Ok(answer.json::<One<LoadBalancerBody>>()?.item.there()),
            None => Ok(None),
        }
    }

    async fn members(&self, auth: &Auth, load_balancer: &str) -> Result<Vec<String>> {
        let get = Call::get(OCTAVIA, "load_balancer.get", "/lbaas/loadbalancers/{id}").segment(load_balancer);
        let Some(answer) = self.look(auth, get).await? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for pool in answer.json::<One<LoadBalancerBody>>()?.item.pools {
            let list = Call::get(OCTAVIA, "member.list", "/lbaas/pools/{id}/members").segment(&pool.id);
            match self.all(auth, list, |body: &MemberBody| &body.id).await {
                Ok(members) => found.extend(members.into_iter().map(|member| member.address)),
                // The pool has gone since.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn delete_load_balancer(&self, auth: &Auth, id: &str) -> Result<()> {
        let delete = Call::delete(OCTAVIA, "load_balancer.delete", "/lbaas/loadbalancers/{id}")
            .segment(id)
            .query("cascade", "true");
        self.look(auth, delete).await?;
        Ok(())
    }

    async fn floating_ips(&self, auth: &Auth, port: &str) -> Result<Vec<String>> {
        let list = Call::get(NEUTRON, "floating_ip.list", "/floatingips").query("port_id", port);
        let listed = self.all(auth, list, |body: &FloatingIpBody| &body.id).await?;
        Ok(listed.into_iter().map(|body| body.id).collect())
    }

    async fn floating_ip(&self, auth: &Auth, id: &str) -> Result<Option<FloatingIp>> {
        let get = Call::get(NEUTRON, "floating_ip.get", "/floatingips/{id}").segment(id);
        match self.look(auth, get).await? {
            Some(answer) => Ok(Some(answer.json::<One<FloatingIpBody>>()?.item.into())),
            None => Ok(None),
        }
    }

    async fn delete_floating_ip(&self, auth: &Auth, id: &str) -> Result<()> {
        let delete = Call::delete(NEUTRON, "floating_ip.delete", "/floatingips/{id}").segment(id);
        self.look(auth, delete).await?;
        Ok(())
    }

    async fn volumes(&self, auth: &Auth) -> Result<Vec<Volume>> {
        if !self.cloud.has(auth, CINDER).await? {
            return Ok(Vec::new());
        }
        let list = Call::get(CINDER, "volume.list", "/volumes/detail");
        let listed = self.all(auth, list, |body: &VolumeBody| &body.id).await?;
        Ok(listed.into_iter().map(Into::into).collect())
    }

    async fn volume(&self, auth: &Auth, id: &str) -> Result<Option<Volume>> {
        let get = Call::get(CINDER, "volume.get", "/volumes/{id}").segment(id);
        match self.look(auth, get).await? {
            Some(answer) => Ok(Some(answer.json::<One<VolumeBody>>()?.item.into())),
            None => Ok(None),
        }
    }

    async fn delete_volume(&self, auth: &Auth, id: &str) -> Result<()> {
        let delete = Call::delete(CINDER, "volume.delete", "/volumes/{id}").segment(id);
        self.look(auth, delete).await.map_err(in_use)?;
        Ok(())
    }

    async fn ports(&self, auth: &Auth, networks: &[String], subnets: &[String]) -> Result<Vec<NetworkPort>> {
        let on_networks = networks.iter().map(|id| ("network_id", id.clone()));
        let of_subnets = subnets.iter().map(|id| ("fixed_ips", format!("subnet_id={id}")));
        let mut found: Vec<NetworkPort> = Vec::new();
        for (key, value) in on_networks.chain(of_subnets) {
            let list = Call::get(NEUTRON, "port.list", "/ports").query(key, value);
            let listed = self.all(auth, list, |body: &PortBody| &body.id).await?;
            for port in listed {
                if !found.iter().any(|known| known.id == port.id) {
                    found.push(port.into());
                }
            }
        }
        Ok(found)
    }

    async fn server_name(&self, auth: &Auth, id: &str) -> Result<Option<String>> {
        let get = Call::get(Service::COMPUTE, "server.get", "/servers/{id}").segment(id);
        match self.look(auth, get).await {
            Ok(Some(answer)) => Ok(Some(answer.json::<One<ServerBody>>()?.item.name)),
            Ok(None) => Ok(None),
            Err(error) if error.kind() == ErrorKind::Forbidden => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Cinder calls a volume that is in use, or has snapshots, a bad request (cinder/volume/api.py, release 21 (Zed)).
fn in_use(error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidInput {
        return error;
    }
    Error::new(ErrorKind::Conflict, error.to_string())
        .at(CINDER.name(), "volume.delete")
        .with_request_id(error.request_id().map(str::to_owned))
}
