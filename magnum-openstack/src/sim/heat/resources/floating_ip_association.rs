//! `OS::Neutron::FloatingIPAssociation`.

use super::floating_ip::{referred, routes_to};
use super::text;
use crate::sim::heat::plugin::{Failure, Operation, Plugin, Step, Update};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, Definition};

#[derive(Debug)]
pub(crate) struct FloatingIpAssociation;

impl FloatingIpAssociation {
    fn associate(op: &mut Operation<'_>) -> Result<(), Failure> {
        let properties = op.properties()?;
        let id = text(&properties, "floatingip_id").unwrap_or_default();
        let (port, address) = (
            text(&properties, "port_id"),
            text(&properties, "fixed_ip_address"),
        );
        op.world
            .associate_floating_ip(&id, port.as_deref(), address.as_deref())
            .map_err(|e| op.neutron(&e))?;
        let own = op.resource()?.uuid.clone();
        op.set_physical_id(own);
        Ok(())
    }
}

impl Plugin for FloatingIpAssociation {
    fn kind(&self) -> &'static str {
        "OS::Neutron::FloatingIPAssociation"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("floatingip_id").required().updatable(),
            Prop::text("port_id")
                .required()
                .constrained(Constraint::custom("neutron.port"))
                .updatable(),
            Prop::text("fixed_ip_address")
                .constrained(Constraint::custom("ip_addr"))
                .updatable(),
        ]
    }

    fn implied_requirements(&self, own: &Definition, others: &[Definition]) -> Vec<String> {
        routes_to(referred(own, "port_id").as_deref(), others)
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        Self::associate(op)?;
        Ok(Step::Done)
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        before: &serde_json::Map<String, serde_json::Value>,
        _changed: &[String],
    ) -> Result<Update, Failure> {
        if let Some(old) = text(before, "floatingip_id") {
            // The old one may be gone already.
            let _ = op.world.associate_floating_ip(&old, None, None);
        }
        Self::associate(op)?;
        Ok(Update::InPlace(Step::Done))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let Some(id) = text(&properties, "floatingip_id") else {
            return Ok(Step::Done);
        };
        match op.world.associate_floating_ip(&id, None, None) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }
}
