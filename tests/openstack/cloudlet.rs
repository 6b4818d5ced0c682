//! The real cloud under one identity, as a test pokes at it.

use std::time::Duration;

use magnum::openstack::{Call, Service};
use magnum::*;
use serde_json::{Value, json};

use crate::site::Site;

fn text(error: Error) -> String {
    format!("{error:?}")
}

/// The cloud under one identity.
pub struct Cloudlet<'a> {
    pub site: &'a Site,
    pub auth: Auth,
}

impl Cloudlet<'_> {
    async fn call(&self, call: Call) -> Result<Value, String> {
        let answer = self.site.openstack.call(&self.auth, &call).await.map_err(text)?;
        Ok(answer.json().unwrap_or_default())
    }

    pub async fn post(
        &self,
        service: Service,
        path: &'static str,
        body: &Value,
        pointer: &str,
    ) -> Result<String, String> {
        let answer = self
            .call(Call::post(service, "test.post", path).json(body))
            .await?;
        word(&answer, pointer)
    }

    pub async fn get(
        &self,
        service: Service,
        path: &'static str,
        id: &str,
        pointer: &str,
    ) -> Result<String, String> {
        let answer = self
            .call(Call::get(service, "test.get", path).segment(id))
            .await?;
        word(&answer, pointer)
    }

    pub async fn put(
        &self,
        service: Service,
        path: &'static str,
        id: &str,
        body: &Value,
    ) -> Result<(), String> {
        self.call(
            Call::new(service, "test.put", http::Method::PUT, path)
                .segment(id)
                .json(body),
        )
        .await
        .map(|_| ())
    }

    pub async fn delete(&self, service: Service, path: &'static str, id: &str) -> Result<(), String> {
        self.call(Call::delete(service, "test.delete", path).segment(id))
            .await
            .map(|_| ())
    }

    pub async fn until(
        &self,
        service: Service,
        path: &'static str,
        id: &str,
        pointer: &str,
        wanted: &str,
    ) -> Result<(), String> {
        let mut seen = String::new();
        for _ in 0..60 {
            seen = self.get(service, path, id, pointer).await?;
            if seen == wanted {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(format!("{path} {id} is {seen}"))
    }

    async fn is_there(&self, service: Service, path: &'static str, id: &str) -> Result<bool, String> {
        let call = Call::get(service, "test.get", path).segment(id);
        match self.site.openstack.call(&self.auth, &call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(text(error)),
        }
    }

    pub async fn gone(&self, service: Service, path: &'static str, id: &str) -> Result<(), String> {
        if self.is_there(service, path, id).await? {
            return Err(format!("{path} {id} is left"));
        }
        Ok(())
    }

    pub async fn until_gone(&self, service: Service, path: &'static str, id: &str) -> Result<(), String> {
        for _ in 0..60 {
            if !self.is_there(service, path, id).await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(format!("{path} {id} is still there"))
    }

    /// A load balancer with a listener and a floating IP, as for a Service.
    pub async fn service(&self, name: &str, subnet: &str, public: &str) -> Result<String, String> {
        const BALANCER: &str = "/lbaas/loadbalancers/{id}";
        let octavia = Service::LOAD_BALANCER;
        let status = "/loadbalancer/provisioning_status";
        let body = json!({"loadbalancer": {"name": name, "vip_subnet_id": subnet}});
        let id = self
            .post(octavia, "/lbaas/loadbalancers", &body, "/loadbalancer/id")
            .await?;
        self.until(octavia, BALANCER, &id, status, "ACTIVE").await?;
        let body = json!({"listener": {
            "name": name, "loadbalancer_id": id, "protocol": "TCP", "protocol_port": 80,
        }});
        self.post(octavia, "/lbaas/listeners", &body, "/listener/id")
            .await?;
        self.until(octavia, BALANCER, &id, status, "ACTIVE").await?;
        let port = self
            .get(octavia, BALANCER, &id, "/loadbalancer/vip_port_id")
            .await?;
        let body = json!({"floatingip": {"floating_network_id": public, "port_id": port}});
        self.post(Service::NETWORK, "/floatingips", &body, "/floatingip/id")
            .await?;
        Ok(id)
    }

    pub async fn image(&self, name: &str) -> Result<String, String> {
        let catalog = self.site.openstack.catalog();
        catalog
            .image(&self.auth, name)
            .await
            .map(|image| image.id)
            .map_err(text)
    }

    pub async fn network(&self, name: &str) -> Result<String, String> {
        let catalog = self.site.openstack.catalog();
        catalog
            .network(&self.auth, name)
            .await
            .map(|network| network.id)
            .map_err(text)
    }

    pub async fn flavor(&self, name: &str) -> Result<String, String> {
        let catalog = self.site.openstack.catalog();
        catalog
            .flavor(&self.auth, name)
            .await
            .map(|flavor| flavor.id)
            .map_err(text)
    }
}

fn word(answer: &Value, pointer: &str) -> Result<String, String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .map(ToOwned::to_owned)
        .ok_or(format!("no {pointer} in {answer}"))
}
