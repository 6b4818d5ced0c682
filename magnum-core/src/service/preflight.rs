//! Before anything is made: what the cluster names exists and fits, and the project has room for it.

use futures::future::{OptionFuture, join3};

use super::look_ups::{KeypairName, LookUps, as_input, or_problem};
use super::{Cloud, Magnum};
use crate::model::{Cluster, RequestContext};
use crate::ports::{Auth, ClusterDriver, Flavor, Limit, Needs, TrustMode};
use crate::{Error, ErrorKind, Problem, Result};

impl Magnum {
    /// Looks up what a cluster names, under the caller's identity, and compares what it takes with the project's
    /// limits; all problems in one answer. From here on the external network is named by its id: Kubernetes knows
    /// networks by nothing else, and a name may go to another.
    pub(super) async fn preflight(
        &self,
        cx: &RequestContext,
        cluster: &mut Cluster,
        driver: &dyn ClusterDriver,
    ) -> Result<()> {
        let cloud = self.inner.cloud(&cluster.cloud)?;
        let auth = self.inner.caller(cloud, cx)?;
        if let (TrustMode::Trust(trusts), Auth::Token(token)) = (&cloud.trust, &auth) {
            trusts.check_owner(token).await?;
        }
        let look_ups = LookUps { cloud, auth: &auth };
        let mut problems = Vec::new();
        let image = or_problem(look_ups.image(&cluster.template).await, &mut problems)?;
        if let Some(image) = &image
            && image.os_distro.as_ref() != Some(&cluster.cluster_distro)
        {
            let message = format!(
                "its os_distro is now '{}', the template was made for '{}'",
                crate::shown(image.os_distro.as_deref().unwrap_or("")),
                cluster.cluster_distro
            );
            problems.push(Problem::new("image_id", &cluster.template.image_id, message));
        }
        let keypair = cluster.keypair.clone();
        let keypair = keypair.as_deref().map(|name| KeypairName {
            field: "keypair",
            name,
        });
        let found = look_ups
            .the_rest(&mut cluster.template, keypair, driver, |_| true, &mut problems)
            .await?;
        if let Some(image) = &image {
            problems.extend(found.fit(image));
        }
        if let Some(network) = &found.external_network {
            cluster.template.external_network_id.clone_from(&network.id);
        }
        let invalid = !problems.is_empty();
        let flavors: Vec<Flavor> = found.flavor.into_iter().chain(found.master_flavor).collect();
        let needs = driver.needs(cluster);
        problems.extend(self.shortages(cloud, &auth, &needs, &flavors).await?);
        match (problems.is_empty(), invalid) {
            (true, _) => Ok(()),
            (false, true) => Err(Error::invalid(problems)),
            (false, false) => Err(Error::quota(problems)),
        }
    }

    /// Whether the project has room for more of a cluster that is there. A change goes under the cluster's trust, so a
    /// caller without a good token of that project is not refused: the cloud will tell.
    pub(super) async fn has_room(&self, cx: &RequestContext, cluster: &Cluster, more: &Needs) -> Result<()> {
        let cloud = self.inner.cloud(&cluster.cloud)?;
        let auth = match self.inner.caller(cloud, cx) {
            Ok(auth) if cx.project_id == cluster.project_id => auth,
            _ => return Ok(()),
        };
        match self.more_problems(cloud, &auth, more).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => Ok(()),
            Err(error) => Err(error),
            Ok(problems) if problems.is_empty() => Ok(()),
            Ok(problems) => Err(Error::quota(problems)),
        }
    }

    async fn more_problems(&self, cloud: &Cloud, auth: &Auth, more: &Needs) -> Result<Vec<Problem>> {
        let mut flavors = Vec::new();
        for (name, _) in more.flavors.iter().filter(|(_, count)| **count > 0) {
            let flavor = cloud.catalog.flavor(auth, name).await;
            flavors.push(as_input("flavor_id", name, flavor)?);
        }
        self.shortages(cloud, auth, more, &flavors).await
    }

    /// What is needed and not left, each with its numbers.
    async fn shortages(
        &self,
        cloud: &Cloud,
        auth: &Auth,
        needs: &Needs,
        flavors: &[Flavor],
    ) -> Result<Vec<Problem>> {
        let catalog = &cloud.catalog;
        let compute = needs.instances() > 0 || needs.server_groups > 0;
        let network = needs.networks + needs.subnets + needs.routers + needs.ports > 0
            || needs.floating_ips + needs.security_groups + needs.security_group_rules > 0;
        let (compute, network, volumes) = join3(
            OptionFuture::from(compute.then(|| catalog.compute_limits(auth))),
            OptionFuture::from(network.then(|| catalog.network_limits(auth))),
            OptionFuture::from((needs.volumes > 0).then(|| catalog.volume_limits(auth))),
        )
        .await;
        let mut problems = Vec::new();
        if let Some(limits) = told(compute)? {
            let of = |amount: fn(&Flavor) -> u64| {
                let amounts = needs.flavors.iter().filter_map(|(name, count)| {
                    let flavor = flavors.iter().find(|f| f.name == *name || f.id == *name)?;
                    Some(amount(flavor).saturating_mul(*count))
                });
                amounts.sum::<u64>()
            };
            problems.extend(shortage("instances", needs.instances(), limits.instances));
            problems.extend(shortage("cores", of(|flavor| flavor.vcpus), limits.cores));
            problems.extend(shortage("ram", of(|flavor| flavor.ram), limits.ram));
            problems.extend(shortage(
                "server_groups",
                needs.server_groups,
                limits.server_groups,
            ));
        }
        if let Some(limits) = told(network)? {
            for (what, needed, limit) in [
                ("networks", needs.networks, limits.networks),
                ("subnets", needs.subnets, limits.subnets),
                ("routers", needs.routers, limits.routers),
                ("ports", needs.ports, limits.ports),
                ("floating_ips", needs.floating_ips, limits.floating_ips),
                ("security_groups", needs.security_groups, limits.security_groups),
                (
                    "security_group_rules",
                    needs.security_group_rules,
                    limits.security_group_rules,
                ),
            ] {
                problems.extend(shortage(what, needed, limit));
            }
        }
        if let Some(limits) = told(volumes)? {
            problems.extend(shortage("volumes", needs.volumes, limits.volumes));
            problems.extend(shortage("gigabytes", needs.gigabytes, limits.gigabytes));
        }
        problems.extend(self.stack_shortages(cloud, auth, needs).await?);
        Ok(problems)
    }

    /// Heat does not tell its limits: they are the host's settings.
    async fn stack_shortages(&self, cloud: &Cloud, auth: &Auth, needs: &Needs) -> Result<Vec<Problem>> {
        let settings = &self.inner.settings;
        let mut problems = Vec::new();
        let most = i64::from(settings.resources_per_stack);
        problems.extend(shortage(
            "stack_resources",
            needs.stack_resources,
            Limit { limit: most, used: 0 },
        ));
        if needs.stacks > 0 {
            let there = cloud.orchestrator.list(auth, None).await?.len();
            let limit = Limit {
                limit: i64::from(settings.stacks_per_project),
                used: i64::try_from(there).unwrap_or(i64::MAX),
            };
            problems.extend(shortage("stacks", needs.stacks, limit));
        }
        Ok(problems)
    }
}

/// Limits that a service tells; one that is not there, or does not tell this caller, is not compared with.
fn told<T>(limits: Option<Result<T>>) -> Result<Option<T>> {
    match limits.transpose() {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Forbidden
                    | ErrorKind::NotFound
                    | ErrorKind::Configuration
                    | ErrorKind::Unsupported
            ) =>
        {
            tracing::warn!(error = ?error, "limits are not known and not compared");
            Ok(None)
        }
        other => other,
    }
}

/// A negative limit is none.
fn shortage(what: &str, needed: u64, limit: Limit) -> Option<Problem> {
    let left = limit.limit.saturating_sub(limit.used).max(0);
    let short = limit.limit >= 0 && i64::try_from(needed).unwrap_or(i64::MAX) > left;
    (needed > 0 && short).then(|| {
        let message = format!(
            "{needed} needed, {left} left: the limit is {}, {} in use",
            limit.limit, limit.used
        );
        Problem::new(format!("quota.{what}"), needed, message)
    })
}
