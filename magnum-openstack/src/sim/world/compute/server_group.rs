//! Server groups.

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A server group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerGroup {
    /// Its identifier.
    pub id: String,
    /// Its name; not unique.
    pub name: String,
    /// The owner.
    pub project_id: String,
    /// Where its servers are to be in relation to each other, such as `anti-affinity`.
    pub policies: Vec<String>,
}

impl World {
    /// Creates a server group.
    ///
    /// # Errors
    /// 403 beyond the quota.
    pub fn create_server_group(
        &mut self,
        project: &str,
        name: &str,
        policies: Vec<String>,
    ) -> ApiResult<ServerGroup> {
        let limit = self.compute_quota(project, "server_groups");
        if limit >= 0 && self.compute_usage(project, "server_groups") >= limit {
            return Err(ApiFault::new(
                403,
                "ServerGroupLimitExceeded",
                "Quota exceeded, too many server groups.",
            ));
        }
        let group = ServerGroup {
            id: self.new_uuid(),
            name: name.to_owned(),
            project_id: project.to_owned(),
            policies,
        };
        self.compute.server_groups.insert(group.id.clone(), group.clone());
        Ok(group)
    }

    /// Deletes a server group; its servers stay.
    ///
    /// # Errors
    /// 404.
    pub fn delete_server_group(&mut self, id: &str) -> ApiResult<()> {
        match self.compute.server_groups.remove(id) {
            Some(_) => Ok(()),
            None => Err(ApiFault::not_found(
                "InstanceGroupNotFound",
                format!("Instance group {id} could not be found."),
            )),
        }
    }
}
