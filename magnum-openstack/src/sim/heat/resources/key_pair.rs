//! `OS::Nova::KeyPair`.

use serde_json::{Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, View, failure};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
use crate::sim::world::compute::Keypair;

#[derive(Debug)]
pub(crate) struct KeyPair;

impl Plugin for KeyPair {
    fn kind(&self) -> &'static str {
        "OS::Nova::KeyPair"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("name")
                .required()
                .constrained(Constraint::length(Some(1), Some(255))),
            Prop::boolean("save_private_key").default(false),
            Prop::text("public_key"),
            Prop::text("type").constrained(Constraint::allowed(&["ssh", "x509"])),
            Prop::text("user").constrained(Constraint::custom("keystone.user")),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["public_key", "private_key"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let user_id = op.stack()?.owner.user_id.clone();
        let name = text(&properties, "name").unwrap_or_default();
        if op.world.find_keypair(&user_id, &name).is_ok() {
            return Err(failure(
                "Conflict",
                format!("Key pair '{name}' already exists. (HTTP 409)"),
            ));
        }
        let bits = op.world.new_hex_id();
        let public_key =
            text(&properties, "public_key").unwrap_or_else(|| format!("ssh-rsa {bits} Generated-by-Nova"));
        if properties.get("save_private_key") == Some(&Value::Bool(true)) {
            // Marked as what it is: no key.
            op.keep("private_key", format!("simulated private key {bits}"));
        }
        let keypair = Keypair {
            name: name.clone(),
            user_id: user_id.clone(),
            public_key,
            fingerprint: bits,
        };
        op.world.compute.keypairs.insert((user_id, name.clone()), keypair);
        op.set_physical_id(name);
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        if let Some(name) = op.physical_id()? {
            let user_id = op.stack()?.owner.user_id.clone();
            op.world.compute.keypairs.remove(&(user_id, name));
        }
        Ok(Step::Done)
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let id = view.resource.physical_id.clone().unwrap_or_default();
        let keypair = view.world.find_keypair(&view.stack.owner.user_id, &id).ok();
        Ok(Attribute::whole(match name {
            "public_key" => json!(keypair.map(|k| k.public_key.clone())),
            "private_key" => json!(view.resource.data_text("private_key").unwrap_or_default()),
            _ => json!({"name": id}),
        }))
    }
}
