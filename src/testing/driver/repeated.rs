//! A driver of which every call is made twice.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use magnum_core::{
    ClientConfig, ClientIdentity, Cluster, ClusterChange, ClusterDriver, ClusterStatus, DriverContext,
    DriverDescriptor, Effect, InfrastructureState, Needs, NodePolicy, Observation, Phase, PoolRole, Problem,
    Result, SubjectName, TemplateSpec,
};

use super::matrix;
use super::place::Place;
use super::report::Report;

pub(super) async fn check(driver: &Arc<dyn ClusterDriver>, report: &mut Report) {
    let Some(kind) = driver.descriptor().provides.first() else {
        return;
    };
    let case = matrix::plain(driver.descriptor(), kind);
    let seen = Arc::new(Seen::default());
    let twice: Arc<dyn ClusterDriver> = Arc::new(Twice {
        inner: Arc::clone(driver),
        seen: Arc::clone(&seen),
    });
    if let Err(error) = life(&twice, &case, report).await {
        report.found("repeated", case.to_string(), error.to_string());
    }
    let said = std::mem::take(&mut *seen.0.lock().unwrap_or_else(PoisonError::into_inner));
    for (rule, what) in said {
        report.found(rule, case.to_string(), what);
    }
    report.did("repeated: one life in which every call was made twice");
}

async fn life(driver: &Arc<dyn ClusterDriver>, case: &matrix::Case, report: &mut Report) -> Result<()> {
    let place = Place::with(driver).await?;
    let masters = case.masters;
    let id = place
        .accept(case.template.clone(), |spec| spec.with_master_count(masters))
        .await?
        .id;
    let made = place.settled(id).await?;
    let status = made.as_ref().map(|cluster| cluster.status);
    if status != Some(ClusterStatus::CREATE_COMPLETE) {
        report.found(
            "repeated",
            case.to_string(),
            format!("created twice, it is {status:?}"),
        );
    }
    if driver.descriptor().scalable && status == Some(ClusterStatus::CREATE_COMPLETE) {
        let scaled = place.scale(id, 2, &[]).await?;
        let counted = scaled.map(|cluster| (cluster.status, cluster.node_addresses().len()));
        if counted != Some((ClusterStatus::UPDATE_COMPLETE, 2)) {
            report.found(
                "repeated",
                case.to_string(),
                format!("scaled to 2 twice, it is {counted:?}"),
            );
        }
    }
    if let Some(left) = place.delete(id).await? {
        report.found(
            "repeated",
            case.to_string(),
            format!("deleted twice, it is {}", left.status),
        );
    } else if let Some(left) = place.left() {
        report.found("repeated", case.to_string(), format!("left behind: {left}"));
    }
    Ok(())
}

/// Broken rules, and what was seen.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<(&'static str, String)>>);

impl Seen {
    fn found(&self, rule: &'static str, what: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((rule, what));
    }
}

#[derive(Debug)]
struct Twice {
    inner: Arc<dyn ClusterDriver>,
    seen: Arc<Seen>,
}

impl Twice {
    /// The second time must be as good as the first.
    fn again(&self, what: &str, first: Result<()>, second: Result<()>) -> Result<()> {
        if let (Ok(()), Err(error)) = (&first, &second) {
            self.seen
                .found("repeated", format!("{what} cannot be repeated: {error}"));
        }
        first
    }
}

#[async_trait]
impl ClusterDriver for Twice {
    fn descriptor(&self) -> &DriverDescriptor {
        self.inner.descriptor()
    }

    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.inner.validate(template, cluster)
    }

    fn subnet_problems(&self, template: &TemplateSpec, subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        self.inner.subnet_problems(template, subnet)
    }

    fn needs(&self, cluster: &Cluster) -> Needs {
        self.inner.needs(cluster)
    }

    fn effect(&self, attribute: &str) -> Effect {
        self.inner.effect(attribute)
    }

    async fn cluster_create(&self, cx: &DriverContext) -> Result<()> {
        let first = self.inner.cluster_create(cx).await;
        self.again("cluster_create", first, self.inner.cluster_create(cx).await)
    }

    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()> {
        let first = self.inner.cluster_update(cx, change).await;
        self.again(
            "cluster_update",
            first,
            self.inner.cluster_update(cx, change).await,
        )
    }

    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()> {
        let first = self.inner.cluster_delete(cx).await;
        self.again("cluster_delete", first, self.inner.cluster_delete(cx).await)
    }

    async fn pre_delete(&self, cx: &DriverContext) -> Result<()> {
        let first = self.inner.pre_delete(cx).await;
        self.again("pre_delete", first, self.inner.pre_delete(cx).await)
    }

    async fn in_the_way(&self, cx: &DriverContext) -> Result<Vec<String>> {
        self.inner.in_the_way(cx).await
    }

    async fn observe(&self, cx: &DriverContext) -> Result<Observation> {
        let first = self.inner.observe(cx).await?;
        let second = self.inner.observe(cx).await?;
        let at_rest =
            |seen: &Observation| !matches!(seen.state, InfrastructureState::Present(_, Phase::InProgress));
        if at_rest(&first) && first != second {
            self.seen.found(
                "observe",
                format!("two looks differ: {:?} and {:?}", first.state, second.state),
            );
        }
        if first.state == InfrastructureState::Absent {
            // Gone, and still asked to go.
            let again = self.inner.cluster_delete(cx).await;
            if let Err(error) = again {
                self.seen.found(
                    "repeated",
                    format!("cluster_delete of what is gone is refused: {error}"),
                );
            }
        }
        Ok(second)
    }

    fn node_policy(&self) -> NodePolicy {
        self.inner.node_policy()
    }

    async fn node_names(&self, cx: &DriverContext, role: PoolRole, member: &str) -> Result<Vec<SubjectName>> {
        self.inner.node_names(cx, role, member).await
    }

    fn trust_on_nodes(&self, template: &TemplateSpec) -> Option<&'static str> {
        self.inner.trust_on_nodes(template)
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.inner.client_config(cluster, identity)
    }
}
