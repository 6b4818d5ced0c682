//! Conditions of a commit, against the store in memory.

use jiff::Timestamp;

use super::state::State;
use crate::Result;
use crate::model::QuotaResource;
use crate::ports::Condition;
use crate::store::refusal;

impl State {
    /// Fails as the condition says unless it holds.
    pub(super) fn check(&self, condition: &Condition, now: Timestamp) -> Result<()> {
        let mut clusters = self.clusters.values().map(|row| &row.cluster);
        let holds = match condition {
            Condition::Lease(lease) => {
                let row = self.clusters.get(&lease.cluster_id);
                row.is_some_and(|row| row.is_held_by(lease, now))
            }
            Condition::TemplateUnused(id) => !clusters.any(|cluster| cluster.cluster_template_id == *id),
            Condition::Template(id, revision) => {
                let template = self.templates.get(id);
                template.is_some_and(|template| template.revision == *revision)
            }
            Condition::Idle(id) => !self.active.contains_key(id),
            Condition::ClustersBelow {
                project,
                default_limit,
            } => {
                let own = self.quotas.get(&(project.clone(), QuotaResource::Cluster));
                let limit = own.map_or(*default_limit, |quota| quota.hard_limit);
                return refusal::unless_below(limit, self.stats(Some(project)).clusters);
            }
            Condition::TemplateNameFree { project, name } => {
                let mut templates = self.templates.values();
                !templates.any(|template| template.project_id == *project && template.name == *name)
            }
            Condition::ClusterNameFree { project, name } => {
                !clusters.any(|cluster| cluster.project_id == *project && cluster.name == *name)
            }
        };
        if holds {
            Ok(())
        } else {
            Err(refusal::condition(condition))
        }
    }
}
