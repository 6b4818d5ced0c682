//! The service catalog.

use serde_json::{Value, json};

use super::super::World;

/// Type, name, and path below the base URL; `%` stands for the project.
///
/// Each service has a prefix of its own, so the same URLs work in process and on one served port.
const SERVICES: &[(&str, &str, &str)] = &[
    ("identity", "keystone", "/identity/v3"),
    ("image", "glance", "/image"),
    ("compute", "nova", "/compute/v2.1"),
    ("network", "neutron", "/networking"),
    ("key-manager", "barbican", "/key-manager"),
    ("volumev3", "cinderv3", "/volume/v3/%"),
    ("block-storage", "cinder", "/volume/v3/%"),
    ("load-balancer", "octavia", "/load-balancer"),
    ("orchestration", "heat", "/orchestration/v1/%"),
];

impl World {
    /// The catalog as a token for this project carries it.
    #[must_use]
    pub fn catalog(&self, project_id: Option<&str>) -> Value {
        let entries: Vec<Value> = SERVICES
            .iter()
            .filter(|(.., path)| project_id.is_some() || !path.contains('%'))
            .map(|(kind, name, path)| {
                let url = format!(
                    "{}{}",
                    self.base_url(),
                    path.replace('%', project_id.unwrap_or_default())
                );
                let endpoints: Vec<Value> = ["admin", "internal", "public"]
                    .iter()
                    .map(|interface| {
                        json!({
                            "id": stable_id(&[kind, interface]),
                            "interface": interface,
                            "region": self.region(),
                            "region_id": self.region(),
                            "url": url,
                        })
                    })
                    .collect();
                json!({"id": stable_id(&[kind]), "type": kind, "name": name, "endpoints": endpoints})
            })
            .collect();
        Value::Array(entries)
    }
}

/// An identifier that is the same in every catalog of every cloud.
fn stable_id(labels: &[&str]) -> String {
    let text = labels.join("-");
    let mut id: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    id.truncate(32);
    format!("{id:0<32}")
}
