//! A driver whose clusters can get another flavor: in place, or on new servers.

use std::sync::Arc;

use magnum::drivers::docker_ubuntu::DockerUbuntu;
use magnum::*;

use super::scene::Scene;

/// The Docker driver's stack, whose servers take another flavor.
#[derive(Debug)]
struct Reshaping {
    docker: DockerUbuntu,
    descriptor: DriverDescriptor,
    template: StackTemplate,
    effect: Effect,
}

impl TemplateDefinition for Reshaping {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.descriptor
    }
    fn template(&self) -> &StackTemplate {
        &self.template
    }
    fn parameters(&self) -> &[ParameterMapping] {
        self.docker.parameters()
    }
    fn extra_parameters(&self, input: &StackInput<'_>) -> Result<Parameters> {
        self.docker.extra_parameters(input)
    }
    fn outputs(&self) -> &[OutputMapping] {
        self.docker.outputs()
    }
    fn node_names(&self, role: PoolRole) -> &[NameSource] {
        self.docker.node_names(role)
    }
    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.docker.validate(template, cluster)
    }
    fn effect(&self, attribute: &str) -> Effect {
        match attribute {
            "flavor_id" => self.effect,
            other => self.docker.descriptor().effect(other),
        }
    }
    fn needs(&self, cluster: &Cluster) -> Needs {
        self.docker.needs(cluster)
    }
    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.docker.client_config(cluster, identity)
    }
}

/// A scene with that driver alone, in which another flavor replaces the servers, or does not.
pub async fn scene(replaces: bool) -> Scene {
    let docker = DockerUbuntu::new();
    let mut descriptor = docker.descriptor().clone();
    "reshaping".clone_into(&mut descriptor.name);
    let mut template = docker.template().clone();
    let node = template.files.get_mut("node.yaml").unwrap();
    let policy = if replaces { "REPLACE" } else { "RESIZE" };
    let with_policy = node.replacen(
        "      flavor:\n",
        &format!("      flavor_update_policy: {policy}\n      flavor:\n"),
        1,
    );
    assert_ne!(*node, with_policy);
    *node = with_policy;
    let effect = if replaces {
        Effect::ReplacesNodes
    } else {
        Effect::InPlace
    };
    let driver = StackDriver::new(Reshaping {
        docker,
        descriptor,
        template,
        effect,
    });
    Scene::of_drivers(1, vec![Arc::new(driver)]).await
}
