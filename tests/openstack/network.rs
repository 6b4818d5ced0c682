//! A network of a user's own with its way out.

use magnum::openstack::Service;
use magnum::*;
use serde_json::json;

use crate::cloudlet::Cloudlet;
use crate::site::Site;

/// A network, its subnet and its router.
pub struct Network {
    pub id: String,
    subnet: String,
    router: String,
}

fn cloud(site: &Site) -> Result<Cloudlet<'_>, String> {
    let token = site.cx.token.clone().ok_or("no token")?;
    Ok(Cloudlet {
        site,
        auth: Auth::Token(token),
    })
}

impl Network {
    pub async fn make(site: &Site, name: &str) -> Result<Self, String> {
        let cloud = cloud(site)?;
        let public = cloud.network("public").await?;
        let network = json!({"network": {"name": name}});
        let id = cloud
            .post(Service::NETWORK, "/networks", &network, "/network/id")
            .await?;
        let subnet =
            json!({"subnet": {"name": name, "network_id": id, "cidr": "10.9.0.0/24", "ip_version": 4}});
        let subnet = cloud
            .post(Service::NETWORK, "/subnets", &subnet, "/subnet/id")
            .await?;
        let router = json!({"router": {"name": name, "external_gateway_info": {"network_id": public}}});
        let router = cloud
            .post(Service::NETWORK, "/routers", &router, "/router/id")
            .await?;
        cloud
            .put(
                Service::NETWORK,
                "/routers/{id}/add_router_interface",
                &router,
                &json!({"subnet_id": subnet}),
            )
            .await?;
        Ok(Self { id, subnet, router })
    }

    pub async fn remove(self, site: &Site) -> Result<(), String> {
        let cloud = cloud(site)?;
        let subnet = json!({"subnet_id": self.subnet});
        cloud
            .put(
                Service::NETWORK,
                "/routers/{id}/remove_router_interface",
                &self.router,
                &subnet,
            )
            .await?;
        cloud
            .delete(Service::NETWORK, "/routers/{id}", &self.router)
            .await?;
        cloud.delete(Service::NETWORK, "/networks/{id}", &self.id).await
    }
}
