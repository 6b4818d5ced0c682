//! The two Heats that are compared: the real one, which is the judge, and the simulated one.

use std::sync::Arc;
use std::time::Duration;

use magnum::certs::FixtureKeys;
use magnum::openstack::sim::SimCloud;
use magnum::openstack::{Call, Credentials, DomainRef, Named, OpenStack, ReqwestTransport, Service};
use magnum::*;
use serde_json::{Value, json};

use crate::site;

/// A Heat, called by the user demo.
pub struct Heat {
    pub name: &'static str,
    openstack: OpenStack,
    auth: Auth,
    /// The cloud itself, where it is simulated.
    simulated: Option<SimCloud>,
}

/// The real Heat.
pub async fn real() -> Result<Heat> {
    let openstack = site::openstack(Arc::new(ReqwestTransport::new()))?;
    Heat::of("the real Heat", openstack, site::config("demo")?.credentials).await
}

/// A simulated Heat, whose things are ready at once.
pub async fn simulated() -> Result<Heat> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let guest = NodeGuest::new(Arc::new(FixtureKeys::danger_seeded(1)), Arc::clone(&clock));
    let cloud = SimCloud::builder()
        .clock(clock)
        .guest(Arc::new(guest))
        .devstack()
        .build();
    let named = |name| Named::new(name, DomainRef::id("default"));
    let demo = || Credentials::password(named("demo"), "secret").in_project(named("demo"));
    let openstack = OpenStack::builder()
        .auth_url(cloud.auth_url())
        .transport(Arc::new(cloud.transport()))
        .service(demo())
        .build()?;
    let heat = Heat::of("the simulated Heat", openstack, demo()).await?;
    Ok(Heat {
        simulated: Some(cloud),
        ..heat
    })
}

impl Heat {
    async fn of(name: &'static str, openstack: OpenStack, user: Credentials) -> Result<Self> {
        let auth = Auth::Token(openstack.login(user).await?);
        Ok(Self {
            name,
            openstack,
            auth,
            simulated: None,
        })
    }

    pub fn stacks(&self) -> (Arc<dyn Orchestrator>, &Auth) {
        (self.openstack.orchestrator(), &self.auth)
    }

    /// Whether the simulated cloud is as empty as it was; the real one is looked at when all scenarios are over.
    pub fn nothing_left(&self) -> Result<(), String> {
        let Some(cloud) = &self.simulated else {
            return Ok(());
        };
        let left = cloud.leftovers(&cloud.project_id("demo").unwrap_or_default());
        match left.total() {
            0 => Ok(()),
            _ => Err(format!("{}: {left} are left", self.name)),
        }
    }

    /// What a service answers.
    pub async fn call(&self, call: Call) -> Result<Value, String> {
        let answer = self.openstack.call(&self.auth, &call).await;
        let answer = answer.map_err(|error| format!("{}: {error}", self.name))?;
        if answer.body().is_empty() {
            return Ok(Value::Null);
        }
        answer.json().map_err(|error| format!("{}: {error}", self.name))
    }

    /// Heat's answer to a template with its parameters.
    pub async fn validate(&self, template: &StackTemplate, parameters: &Parameters) -> Result<Value, String> {
        let body = json!({
            "template": template.template,
            "files": template.files,
            "environment": {"parameters": parameters},
        });
        let call = Call::post(Service::ORCHESTRATION, "template.validate", "/validate");
        let answer = self.call(call.json(&body).repeatable()).await?;
        match answer.get("Error") {
            Some(error) => Err(format!("{}: {error}", self.name)),
            None => Ok(answer),
        }
    }

    /// The resources that a stack would have; those of a nested stack are a list in the list.
    pub async fn preview(
        &self,
        name: &str,
        template: &StackTemplate,
        parameters: &Parameters,
    ) -> Result<Value, String> {
        let body = json!({
            "stack_name": name,
            "template": template.template,
            "files": template.files,
            "parameters": parameters,
            "timeout_mins": 10,
        });
        let call = Call::post(Service::ORCHESTRATION, "stack.preview", "/stacks/preview");
        let mut answer = self.call(call.json(&body).repeatable()).await?;
        Ok(answer["stack"]["resources"].take())
    }

    /// Makes a network with a subnet, both of this name; returns the network's id.
    pub async fn make_network(&self, name: &str) -> Result<String, String> {
        let network = json!({"network": {"name": name}});
        let call = Call::post(Service::NETWORK, "network.create", "/networks");
        let made = self.call(call.json(&network)).await?;
        let id = made["network"]["id"].as_str().unwrap_or_default().to_owned();
        let subnet = json!({"subnet": {
            "name": name, "network_id": id, "cidr": "10.9.0.0/24", "ip_version": 4,
        }});
        let call = Call::post(Service::NETWORK, "subnet.create", "/subnets");
        match self.call(call.json(&subnet)).await {
            Ok(_) => Ok(id),
            Err(error) => {
                self.delete_network(&id).await?;
                Err(error)
            }
        }
    }

    pub async fn delete_network(&self, id: &str) -> Result<(), String> {
        let call = Call::delete(Service::NETWORK, "network.delete", "/networks/{id}").segment(id);
        self.call(call).await.map(|_| ())
    }

    /// The stack once nothing is in progress in it; `None` when it is gone.
    pub async fn settled(&self, stack: &StackRef, within: Duration) -> Result<Option<Stack>, String> {
        let (stacks, auth) = self.stacks();
        let end = tokio::time::Instant::now() + within;
        loop {
            let seen = stacks.get(auth, stack).await.map_err(|error| error.to_string())?;
            match seen {
                Some(seen) if seen.phase == Phase::InProgress => {
                    if tokio::time::Instant::now() > end {
                        return Err(format!("{}: {:?} still in progress", self.name, seen.action));
                    }
                }
                settled => return Ok(settled),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
