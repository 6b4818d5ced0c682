//! Fragments that several drivers share, and the grammars of the values that stacks pass on to nodes.

pub(crate) mod access;
pub(crate) mod compact;
pub(crate) mod descriptor;
pub(crate) mod docker_client;
pub(crate) mod flannel;
pub(crate) mod grammar;
pub(crate) mod kubernetes;
pub(crate) mod mesos_client;
pub(crate) mod needs;
pub(crate) mod servers;
pub(crate) mod timeout;

use std::collections::BTreeMap;
use std::path::Path;

use magnum_core::{Result, StackTemplate};
use serde_json::Value;

use crate::{Language, TemplateText};

/// Fragments of node scripts and templates, by the name under which a text puts them in.
const FRAGMENTS: [(&str, &str); 39] = [
    ("report.sh", include_str!("script/report.sh")),
    ("files.sh", include_str!("script/files.sh")),
    ("proxy.sh", include_str!("script/proxy.sh")),
    ("packages.sh", include_str!("script/packages.sh")),
    ("certificates.sh", include_str!("script/certificates.sh")),
    ("renewal.sh", include_str!("script/renewal.sh")),
    ("node_program.sh", include_str!("script/node_program.sh")),
    ("server.sh", include_str!("script/server.sh")),
    ("images.sh", include_str!("script/images.sh")),
    ("etcd.sh", include_str!("script/etcd.sh")),
    ("registry.sh", include_str!("script/registry.sh")),
    ("proxy.yaml", include_str!("parameters/proxy.yaml")),
    ("cluster.yaml", include_str!("parameters/cluster.yaml")),
    ("masters.yaml", include_str!("parameters/masters.yaml")),
    (
        "flannel_subnetlen.yaml",
        include_str!("parameters/flannel_subnetlen.yaml"),
    ),
    (
        "registry_values.yaml",
        include_str!("parameters/registry_values.yaml"),
    ),
    ("server.yaml", include_str!("parameters/server.yaml")),
    ("node_values.yaml", include_str!("parameters/node_values.yaml")),
    (
        "server_values.yaml",
        include_str!("parameters/server_values.yaml"),
    ),
    ("docker.yaml", include_str!("parameters/docker.yaml")),
    ("flannel.yaml", include_str!("parameters/flannel.yaml")),
    ("trust.yaml", include_str!("parameters/trust.yaml")),
    ("trust_values.yaml", include_str!("parameters/trust_values.yaml")),
    ("flannel.sh", include_str!("script/flannel.sh")),
    (
        "flannel_values.yaml",
        include_str!("parameters/flannel_values.yaml"),
    ),
    ("rexray.sh", include_str!("script/rexray.sh")),
    ("trust.sh", include_str!("script/trust.sh")),
    ("balanced_port.yaml", include_str!("resources/balanced_port.yaml")),
    ("master_port.yaml", include_str!("resources/master_port.yaml")),
    ("port.yaml", include_str!("resources/port.yaml")),
    ("port_outputs.yaml", include_str!("resources/port_outputs.yaml")),
    ("node_access.yaml", include_str!("parameters/node_access.yaml")),
    ("registry.yaml", include_str!("parameters/registry.yaml")),
    (
        "network_parameters.yaml",
        include_str!("parameters/network_parameters.yaml"),
    ),
    (
        "network_conditions.yaml",
        include_str!("parameters/network_conditions.yaml"),
    ),
    ("network.yaml", include_str!("resources/network.yaml")),
    ("load_balancer.yaml", include_str!("resources/load_balancer.yaml")),
    ("cluster_rules.yaml", include_str!("resources/cluster_rules.yaml")),
    ("docker_volume.yaml", include_str!("resources/docker_volume.yaml")),
];

/// What assembles the templates and scripts of this crate's drivers.
pub(crate) fn driver_text() -> Result<TemplateText> {
    FRAGMENTS
        .into_iter()
        .try_fold(TemplateText::new(Language::Verbatim), |text, (name, fragment)| {
            text.with_fragment(name, fragment)
        })
}

/// A stack's top template and the files that it refers to, by their names; scripts among them are made small.
pub(crate) fn assemble(
    text: &TemplateText,
    top: &str,
    files: &[(&str, &str)],
    values: &Value,
) -> Result<StackTemplate> {
    let mut assembled = BTreeMap::new();
    for (name, file) in files {
        let whole = text.assemble(file, values)?;
        let is_script = Path::new(name).extension() == Some("sh".as_ref());
        let kept = if is_script {
            compact::compact(&whole)
        } else {
            whole
        };
        assembled.insert((*name).to_owned(), kept);
    }
    Ok(StackTemplate {
        template: text.assemble(top, values)?,
        files: assembled,
    })
}

/// Fragments by which scripts prepare Docker, of which a driver takes what fits its servers.
pub(crate) mod docker {
    /// Docker of Fedora, on a disk that another fragment finds.
    pub(crate) const FEDORA: &str = include_str!("script/docker_storage.sh");
    /// A volume of Cinder.
    pub(crate) const VOLUME: &str = include_str!("script/cinder_volume.sh");
    /// The ephemeral disk of the server's flavor.
    pub(crate) const EPHEMERAL: &str = include_str!("script/ephemeral_disk.sh");
}
