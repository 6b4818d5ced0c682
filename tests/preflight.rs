//! Before a cluster is accepted: what it takes is compared with what its project has left, and all that is wrong is told at
//! once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::sync::Arc;

use magnum::drivers::docker_ubuntu::DockerUbuntu;
use magnum::*;
use support::kubernetes::guides_template;
use support::limits::{Usage, at_its_service, needed};
use support::scene::Scene;

/// The Docker driver's cluster, said to take a server group besides.
#[derive(Debug)]
struct Grouped(DockerUbuntu);

impl TemplateDefinition for Grouped {
    fn descriptor(&self) -> &DriverDescriptor {
        self.0.descriptor()
    }
    fn template(&self) -> &StackTemplate {
        self.0.template()
    }
    fn parameters(&self) -> &[ParameterMapping] {
        self.0.parameters()
    }
    fn extra_parameters(&self, input: &StackInput<'_>) -> Result<Parameters> {
        self.0.extra_parameters(input)
    }
    fn outputs(&self) -> &[OutputMapping] {
        self.0.outputs()
    }
    fn node_names(&self, role: PoolRole) -> &[NameSource] {
        self.0.node_names(role)
    }
    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.0.validate(template, cluster)
    }
    fn needs(&self, cluster: &Cluster) -> Needs {
        let mut needs = self.0.needs(cluster);
        needs.server_groups = 1;
        needs
    }
    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.0.client_config(cluster, identity)
    }
}

fn quota(scene: &Scene, resource: &str, limit: i64) {
    let name = at_its_service(resource);
    scene.cloud.set_quota(&scene.cx.project_id, name, limit).unwrap();
}

async fn create(scene: &Scene, spec: ClusterSpec) -> Result<Cluster> {
    let options = CreateOptions::default();
    scene.magnum.create_cluster(&scene.cx, spec, options).await
}

/// The create is refused; nothing is recorded, and nothing changed in the cloud.
async fn refused(scene: &Scene, spec: ClusterSpec) -> Error {
    let list = async || {
        let options = ListOptions::default();
        scene.magnum.list_clusters(&scene.cx, options).await.unwrap()
    };
    let before = list().await.iter().map(|cluster| cluster.id).collect::<Vec<_>>();
    scene.cloud.clear_requests();
    let error = create(scene, spec).await.unwrap_err();
    let after = list().await.iter().map(|cluster| cluster.id).collect::<Vec<_>>();
    assert_eq!(after, before);
    for request in scene.cloud.requests() {
        let login = request.path.ends_with("/auth/tokens");
        assert!(login || request.method == http::Method::GET, "{request:?}");
    }
    error
}

fn fields(error: &Error) -> Vec<&str> {
    error
        .problems()
        .iter()
        .map(|problem| problem.field.as_str())
        .collect()
}

/// With each quota one short in turn, the create is refused for that and nothing else, with the numbers.
async fn one_short_of_each(scene: &Scene, spec: ClusterSpec, driver: &dyn ClusterDriver, sample: &Cluster) {
    let used = Usage::of(scene).await;
    let needs = needed(scene, &driver.needs(sample)).await;
    for (resource, needed) in needs.0 {
        if needed == 0 {
            continue;
        }
        let used = used.0[resource];
        let limit = used + needed - 1;
        quota(scene, resource, limit);
        let error = refused(scene, spec.clone()).await;
        assert_eq!(error.kind(), ErrorKind::Quota, "{error:?}");
        let [problem] = error.problems() else {
            panic!("{resource}: {error:?}")
        };
        assert_eq!(
            (problem.field.clone(), problem.value.clone()),
            (format!("quota.{resource}"), needed.to_string())
        );
        let message = format!(
            "{needed} needed, {} left: the limit is {limit}, {used} in use",
            needed - 1
        );
        assert!(error.to_string().contains(&message), "{error}");
        quota(scene, resource, limit + 1);
    }
    // Each quota is just enough now.
    let made = create(scene, spec).await.unwrap();
    scene.settle().await;
    let made = scene.cluster(made.id).await.unwrap();
    assert_eq!(made.status, ClusterStatus::CREATE_COMPLETE, "{:?}", made.fault);
}

#[tokio::test(start_paused = true)]
async fn a_kubernetes_cluster_is_refused_one_short_of_any_quota() {
    let scene = Scene::new(1).await;
    let template = guides_template();
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let spec = || {
        ClusterSpec::new(template.id.to_string())
            .with_master_count(3)
            .with_node_count(2)
    };
    // One that is there already is among what is used.
    let first = create(&scene, ClusterSpec::new(template.id.to_string()))
        .await
        .unwrap();
    scene.settle().await;
    let mut sample = scene.cluster(first.id).await.unwrap();
    for pool in &mut sample.pools {
        pool.count = match pool.role {
            PoolRole::Master => 3,
            PoolRole::Worker => 2,
        };
    }
    let driver = scene
        .drivers
        .iter()
        .find(|driver| driver.descriptor().name == sample.driver.name)
        .unwrap();
    one_short_of_each(&scene, spec(), &**driver, &sample).await;
}

#[tokio::test(start_paused = true)]
async fn a_docker_cluster_is_refused_one_short_of_any_quota() {
    let driver: Arc<dyn ClusterDriver> = Arc::new(StackDriver::new(Grouped(DockerUbuntu::new())));
    let scene = Scene::of_drivers(1, vec![Arc::clone(&driver)]).await;
    scene.template().await;
    let sample = scene.accept(1).await;
    scene.settle().await;
    one_short_of_each(&scene, ClusterSpec::new("small"), &*driver, &sample).await;
}

#[tokio::test(start_paused = true)]
async fn all_that_is_short_is_named_at_once_whatever_service_it_is_of() {
    let scene = Scene::new(1).await;
    let template = guides_template();
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    for resource in ["cores", "floating_ips", "gigabytes", "ports"] {
        quota(&scene, resource, 1);
    }
    let error = refused(&scene, ClusterSpec::new(template.id.to_string())).await;
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(
        fields(&error),
        [
            "quota.cores",
            "quota.ports",
            "quota.floating_ips",
            "quota.gigabytes"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn bad_input_is_named_beside_what_is_short() {
    let scene = Scene::new(1).await;
    scene.template().await;
    quota(&scene, "instances", 0);
    quota(&scene, "routers", 0);
    let spec = ClusterSpec {
        flavor_id: Some("m1.nowhere".into()),
        ..ClusterSpec::new("small")
    };
    let error = refused(&scene, spec).await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(fields(&error), ["flavor_id", "quota.instances", "quota.routers"]);
}

#[tokio::test(start_paused = true)]
async fn flavors_too_small_for_the_image_are_named() {
    let scene = Scene::new(1).await;
    let template = guides_template();
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let image = scene.cloud.with(|world| {
        let project = &scene.cx.project_id;
        world.resolve_image(project, "fedora-atomic").unwrap().id.clone()
    });
    scene.cloud.set_image_needs(&image, 30, 4096);
    let spec = ClusterSpec {
        master_flavor_id: Some("m1.medium".into()),
        ..ClusterSpec::new(template.id.to_string())
    };
    let error = refused(&scene, spec).await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(fields(&error), ["flavor_id", "flavor_id"]);
    let said = error.to_string();
    assert!(
        said.contains("the image needs a disk of 30 GB, the flavor has 20 GB")
            && said.contains("the image needs 4096 MB of memory, the flavor has 2048 MB"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn growing_beyond_a_quota_is_refused_and_changes_nothing() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let before = scene.cluster(id).await.unwrap();
    quota(&scene, "instances", 2);
    quota(&scene, "floating_ips", 1);
    let scale = async |count| {
        let options = UpdateOptions::default();
        scene.magnum.scale_cluster(&scene.cx, id, count, options).await
    };
    let update = async |count| {
        let change = Patch::new().replace("/node_count", count);
        let options = UpdateOptions::default();
        scene.magnum.update_cluster(&scene.cx, id, &change, options).await
    };
    for error in [scale(3).await.unwrap_err(), update(3).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Quota);
        assert_eq!(fields(&error), ["quota.instances", "quota.floating_ips"]);
        let said = error.to_string();
        assert!(
            said.contains("2 needed, 1 left: the limit is 2, 1 in use")
                && said.contains("2 needed, 0 left: the limit is 1, 1 in use"),
            "{said}"
        );
    }
    assert_eq!(scene.cluster(id).await.unwrap(), before);
    quota(&scene, "instances", 3);
    quota(&scene, "floating_ips", 3);
    scale(3).await.unwrap();
    scene.settle().await;
    let grown = scene.cluster(id).await.unwrap();
    assert_eq!(
        (grown.status, grown.node_count()),
        (ClusterStatus::UPDATE_COMPLETE, 3)
    );
    // A quota that was lowered below what is there does not keep a cluster from shrinking.
    quota(&scene, "instances", 0);
    scale(2).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn heats_own_limits_are_the_hosts_settings() {
    let mut settings = Settings::default();
    // One host's stack has twelve resources.
    settings.resources_per_stack = 17;
    settings.stacks_per_project = 1;
    let scene = Scene::with(1, settings).await;
    scene.template().await;
    let error = refused(&scene, ClusterSpec::new("small").with_node_count(2)).await;
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(fields(&error), ["quota.stack_resources"]);
    assert!(
        error
            .to_string()
            .contains("18 needed, 17 left: the limit is 17, 0 in use"),
        "{error}"
    );
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let error = refused(&scene, ClusterSpec::new("small")).await;
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(fields(&error), ["quota.stacks"]);
    assert!(
        error
            .to_string()
            .contains("1 needed, 0 left: the limit is 1, 1 in use"),
        "{error}"
    );
    let options = UpdateOptions::default();
    let error = scene
        .magnum
        .scale_cluster(&scene.cx, id, 2, options)
        .await
        .unwrap_err();
    assert_eq!(fields(&error), ["quota.stack_resources"]);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_does_not_tell_its_limits_does_not_stop_a_create() {
    let scene = Scene::new(1).await;
    let template = guides_template();
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let project = &scene.cx.project_id;
    for (path, status) in [
        ("/compute/v2.1/limits".to_owned(), 403),
        (format!("/networking/v2.0/quotas/{project}"), 403),
        (format!("/volume/v3/{project}/limits"), 404),
    ] {
        scene.refuse(Some(http::Method::GET), &path, status);
    }
    let made = create(&scene, ClusterSpec::new(template.id.to_string()))
        .await
        .unwrap();
    scene.settle().await;
    let made = scene.cluster(made.id).await.unwrap();
    assert_eq!(made.status, ClusterStatus::CREATE_COMPLETE, "{:?}", made.fault);
}

#[tokio::test(start_paused = true)]
async fn what_one_service_does_not_tell_is_still_compared_at_the_others() {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene.refuse(Some(http::Method::GET), "/compute/v2.1/limits", 403);
    quota(&scene, "instances", 0);
    quota(&scene, "networks", 0);
    let error = refused(&scene, ClusterSpec::new("small")).await;
    assert_eq!(fields(&error), ["quota.networks"]);
}
