//! Fragments that several drivers share, and the grammars of the values that stacks pass on to nodes.

pub(crate) mod docker_client;
pub(crate) mod grammar;
pub(crate) mod timeout;

use magnum_core::Result;

use crate::{Language, TemplateText};

/// Fragments of node scripts and templates, by the name under which a text puts them in.
const FRAGMENTS: [(&str, &str); 17] = [
    ("report.sh", include_str!("script/report.sh")),
    ("files.sh", include_str!("script/files.sh")),
    ("proxy.sh", include_str!("script/proxy.sh")),
    ("packages.sh", include_str!("script/packages.sh")),
    ("certificates.sh", include_str!("script/certificates.sh")),
    ("proxy.yaml", include_str!("parameters/proxy.yaml")),
    ("node_access.yaml", include_str!("parameters/node_access.yaml")),
    ("node_program.sh", include_str!("script/node_program.sh")),
    ("docker_storage.sh", include_str!("script/docker_storage.sh")),
    ("openstack_config.sh", include_str!("script/openstack_config.sh")),
    ("kubernetes.sh", include_str!("script/kubernetes.sh")),
    ("kubernetes_dns.sh", include_str!("script/kubernetes_dns.sh")),
    ("registry.sh", include_str!("script/registry.sh")),
    ("kubernetes.yaml", include_str!("parameters/kubernetes.yaml")),
    (
        "kubernetes_arguments.yaml",
        include_str!("parameters/kubernetes_arguments.yaml"),
    ),
    (
        "kubernetes_values.yaml",
        include_str!("parameters/kubernetes_values.yaml"),
    ),
    ("registry.yaml", include_str!("parameters/registry.yaml")),
];

/// What assembles the templates and scripts of this crate's drivers.
pub(crate) fn driver_text() -> Result<TemplateText> {
    FRAGMENTS
        .into_iter()
        .try_fold(TemplateText::new(Language::Verbatim), |text, (name, fragment)| {
            text.with_fragment(name, fragment)
        })
}
