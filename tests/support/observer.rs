//! A driver that sees what a test wants it to see.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use magnum::drivers::docker_ubuntu::DockerUbuntu;
use magnum::*;

use super::scene::Scene;

type Sight = Box<dyn FnMut(&Cluster, Observation) -> Observation + Send>;

/// What the driver makes of what is there, and of a wish for a client's configuration.
#[derive(Clone, Default)]
pub struct Observer {
    sight: Arc<Mutex<Option<Sight>>>,
    refusal: Arc<Mutex<Option<Error>>>,
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

impl Observer {
    /// A scene with a Docker driver of which this is the eye.
    pub async fn scene(&self) -> Scene {
        let driver = Driver(magnum::drivers::docker_ubuntu(), self.clone());
        Scene::of_drivers(1, vec![Arc::new(driver)]).await
    }

    pub fn sees(&self, sight: impl FnMut(&Cluster, Observation) -> Observation + Send + 'static) {
        *self.sight() = Some(Box::new(sight));
    }

    /// A sight may have panicked: that is what a test wanted.
    fn sight(&self) -> MutexGuard<'_, Option<Sight>> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is there.
    pub fn sees_clearly(&self) {
        *self.sight() = None;
    }

    /// From now on nobody gets a client's configuration.
    pub fn configures_nobody(&self, why: Error) {
        *self.refusal.lock().unwrap() = Some(why);
    }
}

/// An observation in another state.
pub fn but(seen: Observation, action: Action, phase: Phase) -> Observation {
    Observation {
        state: InfrastructureState::Present(action, phase),
        ..seen
    }
}

#[derive(Debug)]
struct Driver(StackDriver<DockerUbuntu>, Observer);

#[async_trait]
impl ClusterDriver for Driver {
    fn descriptor(&self) -> &DriverDescriptor {
        self.0.descriptor()
    }
    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.0.validate(template, cluster)
    }
    async fn cluster_create(&self, cx: &DriverContext) -> Result<()> {
        self.0.cluster_create(cx).await
    }
    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()> {
        self.0.cluster_update(cx, change).await
    }
    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()> {
        self.0.cluster_delete(cx).await
    }
    async fn pre_delete(&self, cx: &DriverContext) -> Result<()> {
        self.0.pre_delete(cx).await
    }
    async fn observe(&self, cx: &DriverContext) -> Result<Observation> {
        let seen = self.0.observe(cx).await?;
        let mut sight = self.1.sight();
        Ok(match &mut *sight {
            Some(sight) => sight(cx.cluster(), seen),
            None => seen,
        })
    }
    async fn node_names(&self, cx: &DriverContext, role: PoolRole, member: &str) -> Result<Vec<SubjectName>> {
        self.0.node_names(cx, role, member).await
    }
    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        match self.1.refusal.lock().unwrap().clone() {
            Some(why) => Err(why),
            None => self.0.client_config(cluster, identity),
        }
    }
}
