//! What a driver is given.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use magnum::*;

use super::delete;
use super::support::kubernetes::driver;
use super::support::scene::Scene;

/// Writes down what its driver is given.
#[derive(Debug)]
struct Watched {
    driver: Arc<dyn ClusterDriver>,
    puts_trust_on_nodes: bool,
    given: Mutex<Vec<(&'static str, bool)>>,
}

impl Watched {
    fn saw(&self, call: &'static str, cx: &DriverContext) {
        self.given.lock().unwrap().push((call, cx.trust().is_some()));
    }
}

#[async_trait]
impl ClusterDriver for Watched {
    fn descriptor(&self) -> &DriverDescriptor {
        self.driver.descriptor()
    }
    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.driver.validate(template, cluster)
    }
    async fn cluster_create(&self, cx: &DriverContext) -> Result<()> {
        self.saw("create", cx);
        self.driver.cluster_create(cx).await
    }
    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()> {
        self.saw("update", cx);
        self.driver.cluster_update(cx, change).await
    }
    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()> {
        self.saw("delete", cx);
        self.driver.cluster_delete(cx).await
    }
    async fn pre_delete(&self, cx: &DriverContext) -> Result<()> {
        self.driver.pre_delete(cx).await
    }
    async fn observe(&self, cx: &DriverContext) -> Result<Observation> {
        self.driver.observe(cx).await
    }
    async fn node_names(&self, cx: &DriverContext, role: PoolRole, member: &str) -> Result<Vec<SubjectName>> {
        self.driver.node_names(cx, role, member).await
    }
    fn trust_on_nodes(&self, _template: &TemplateSpec) -> Option<&'static str> {
        self.puts_trust_on_nodes.then_some("volume_driver")
    }
    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.driver.client_config(cluster, identity)
    }
}

#[tokio::test(start_paused = true)]
async fn a_driver_gets_the_trust_only_where_it_puts_it_on_nodes_and_only_to_make_them() {
    for puts_trust_on_nodes in [false, true] {
        let mut scene = Scene::of_kubernetes(5, Settings::default()).await;
        let watched = Arc::new(Watched {
            driver: driver("like_kubernetes"),
            puts_trust_on_nodes,
            given: Mutex::default(),
        });
        scene.drivers = vec![watched.clone()];
        scene.template().await;
        let id = scene.accept(1).await.id;
        scene.settle().await;
        delete(&scene, id, DeleteOptions::default()).await;
        let given = watched.given.lock().unwrap().clone();
        assert_eq!(given, [("create", puts_trust_on_nodes), ("delete", false)]);
    }
}
