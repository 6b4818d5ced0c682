//! The resource types, one file each.

mod floating_ip;
mod floating_ip_association;
mod health_monitor;
mod key_pair;
mod listener;
mod load_balancer;
mod multipart_mime;
mod net;
mod none;
mod octavia;
mod pool;
mod pool_member;
mod port;
mod random_string;
pub(crate) mod resource_group;
mod router;
mod router_interface;
mod security_group;
mod security_group_rule;
mod server;
mod server_group;
mod server_schema;
mod software_config;
mod subnet;
pub(crate) mod template_resource;
mod value;
mod volume;
mod volume_attachment;
mod wait_condition;
pub(crate) mod wait_condition_handle;

use std::sync::Arc;

pub(crate) use software_config::StoredConfig;

use super::plugin::PluginRef;

/// The types that the service has itself.
pub(crate) const NAMES: [&str; 28] = [
    "OS::Cinder::Volume",
    "OS::Cinder::VolumeAttachment",
    "OS::Heat::CloudConfig",
    "OS::Heat::MultipartMime",
    "OS::Heat::None",
    "OS::Heat::RandomString",
    "OS::Heat::ResourceGroup",
    "OS::Heat::SoftwareConfig",
    "OS::Heat::Value",
    "OS::Heat::WaitCondition",
    "OS::Heat::WaitConditionHandle",
    "OS::Neutron::FloatingIP",
    "OS::Neutron::FloatingIPAssociation",
    "OS::Neutron::Net",
    "OS::Neutron::Port",
    "OS::Neutron::Router",
    "OS::Neutron::RouterInterface",
    "OS::Neutron::SecurityGroup",
    "OS::Neutron::SecurityGroupRule",
    "OS::Neutron::Subnet",
    "OS::Nova::KeyPair",
    "OS::Nova::Server",
    "OS::Nova::ServerGroup",
    "OS::Octavia::HealthMonitor",
    "OS::Octavia::Listener",
    "OS::Octavia::LoadBalancer",
    "OS::Octavia::Pool",
    "OS::Octavia::PoolMember",
];

/// The plug-in of a type that the service has itself.
pub(crate) fn builtin(name: &str) -> Option<PluginRef> {
    Some(match name {
        "OS::Neutron::Net" => Arc::new(net::Net),
        "OS::Neutron::Subnet" => Arc::new(subnet::Subnet),
        "OS::Neutron::Router" => Arc::new(router::Router),
        "OS::Neutron::RouterInterface" => Arc::new(router_interface::RouterInterface),
        "OS::Neutron::Port" => Arc::new(port::Port),
        "OS::Neutron::SecurityGroup" => Arc::new(security_group::SecurityGroup),
        "OS::Neutron::SecurityGroupRule" => Arc::new(security_group_rule::SecurityGroupRule),
        "OS::Neutron::FloatingIP" => Arc::new(floating_ip::FloatingIp),
        "OS::Neutron::FloatingIPAssociation" => Arc::new(floating_ip_association::FloatingIpAssociation),
        "OS::Nova::Server" => Arc::new(server::Server),
        "OS::Nova::ServerGroup" => Arc::new(server_group::ServerGroup),
        "OS::Nova::KeyPair" => Arc::new(key_pair::KeyPair),
        "OS::Octavia::LoadBalancer" => Arc::new(load_balancer::LoadBalancer),
        "OS::Octavia::Listener" => Arc::new(listener::Listener),
        "OS::Octavia::Pool" => Arc::new(pool::Pool),
        "OS::Octavia::PoolMember" => Arc::new(pool_member::PoolMember),
        "OS::Octavia::HealthMonitor" => Arc::new(health_monitor::HealthMonitor),
        "OS::Cinder::Volume" => Arc::new(volume::Volume),
        "OS::Cinder::VolumeAttachment" => Arc::new(volume_attachment::VolumeAttachment),
        "OS::Heat::WaitCondition" => Arc::new(wait_condition::WaitCondition),
        "OS::Heat::WaitConditionHandle" => Arc::new(wait_condition_handle::WaitConditionHandle),
        "OS::Heat::SoftwareConfig" => Arc::new(software_config::SoftwareConfig),
        "OS::Heat::CloudConfig" => Arc::new(software_config::CloudConfig),
        "OS::Heat::MultipartMime" => Arc::new(multipart_mime::MultipartMime),
        "OS::Heat::ResourceGroup" => Arc::new(resource_group::ResourceGroup),
        "OS::Heat::RandomString" => Arc::new(random_string::RandomString),
        "OS::Heat::Value" => Arc::new(value::ValueResource),
        "OS::Heat::None" => Arc::new(none::None),
        _ => return None,
    })
}

/// The names of attributes as owned strings.
pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The text of a property, if it is there and not empty.
pub(crate) fn text(properties: &serde_json::Map<String, serde_json::Value>, key: &str) -> Option<String> {
    properties
        .get(key)
        .and_then(serde_json::Value::as_str)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}

/// The first of these properties that has text.
pub(crate) fn first_text(
    properties: &serde_json::Map<String, serde_json::Value>,
    keys: &[&str],
) -> Option<String> {
    keys.iter().find_map(|key| text(properties, key))
}

/// The texts of a list.
pub(crate) fn texts(
    properties: &serde_json::Map<String, serde_json::Value>,
    key: &str,
) -> Option<Vec<String>> {
    let items = properties.get(key)?.as_array()?;
    Some(
        items
            .iter()
            .filter(|i| !i.is_null())
            .map(crate::sim::hot::py_str)
            .collect(),
    )
}
