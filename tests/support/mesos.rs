//! The guide's Mesos clusters.

use magnum::*;

/// The guide's cluster template for Mesos.
pub fn guides_template() -> TemplateSpec {
    TemplateSpec::new("mesos", "ubuntu-mesos", "public")
        .with_keypair("testkey")
        .with_name("mesos-cluster-template")
}
