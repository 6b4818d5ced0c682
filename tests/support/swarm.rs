//! The guide's Swarm clusters.

use magnum::*;

/// The guide's cluster template for Swarm.
pub fn guides_template() -> TemplateSpec {
    TemplateSpec {
        docker_volume_size: Some(5),
        ..TemplateSpec::new("swarm", "fedora-atomic", "public")
            .with_keypair("testkey")
            .with_name("swarm-cluster-template")
    }
}
