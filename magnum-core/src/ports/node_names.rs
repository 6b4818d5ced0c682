//! What a cluster's nodes are called: addresses and servers' names, as the resources of its stack show them.

use std::net::IpAddr;

use serde_json::Value;

use super::{StackHandle, SubjectName};
use crate::Result;

/// An attribute of a resource that holds addresses, directly or anywhere within; or, where it is `name`, a
/// server's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameSource {
    /// Type of the resource, for example `OS::Neutron::Port`.
    pub kind: &'static str,
    /// Its name in the (nested) template.
    pub resource: &'static str,
    /// The attribute.
    pub attribute: &'static str,
}

/// The names in these sources now. A resource of a group's member is that member's; others belong to all members.
pub(super) async fn seen(
    stack: &StackHandle,
    sources: &[NameSource],
    member: &str,
) -> Result<Vec<SubjectName>> {
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for listed in stack.resources().await? {
        let Some(source) = sources
            .iter()
            .find(|s| s.kind == listed.kind && s.resource == listed.name)
        else {
            continue;
        };
        // What is not in a member of a group belongs to all members.
        let of_another = listed.parent.as_ref().is_some_and(|parent| parent != member);
        if listed.physical_id.is_empty() || of_another {
            continue;
        }
        let Some(resource) = stack.resource(&listed).await? else {
            continue;
        };
        if let Some(value) = resource.attributes.get(source.attribute) {
            match value.as_str().filter(|_| source.attribute == "name") {
                Some(name) => names.push(SubjectName::Dns(name.to_owned())),
                None => collect_addresses(value, &mut names),
            }
        }
    }
    Ok(names)
}

/// Collects every address in a value, however it is nested.
fn collect_addresses(value: &Value, into: &mut Vec<SubjectName>) {
    match value {
        Value::String(text) => {
            if let Ok(address) = text.parse::<IpAddr>() {
                let name = SubjectName::Ip(address);
                if !into.contains(&name) {
                    into.push(name);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_addresses(item, into)),
        Value::Object(fields) => {
            // Only what is named an address, so that a port's gateway or subnet never slips in.
            for (key, item) in fields {
                if key.contains("ip_address") || item.is_array() || item.is_object() {
                    collect_addresses(item, into);
                }
            }
        }
        _ => {}
    }
}
