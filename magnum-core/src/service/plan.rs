//! Desired states: what it would take to get there, and getting there.

use super::idempotency::Key;
use super::look_ups::{KeypairName, LookUps, as_input, or_problem};
use super::reshape::{labels, reshape};
use super::update::{Resize, expect, takes};
use super::{ApplyOptions, Magnum};
use crate::model::{
    Cluster, ClusterId, ClusterSpec, Ident, Labels, OperationKind, Phase, Request, RequestContext, Shape,
};
use crate::ports::{Auth, ClusterDriver, Effect, Permission, Query, Target};
use crate::{Error, ErrorKind, Problem, Result};

/// What it takes to bring a cluster to a desired state.
///
/// A plan changes nothing. It holds for the generation of the cluster that it was made on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The cluster; `None` when there is none of that name, so that it would be made.
    pub cluster: Option<ClusterId>,
    /// The cluster's generation.
    pub generation: Option<u64>,
    /// What becomes of each attribute that the desired state names.
    pub fields: Vec<FieldPlan>,
}

impl Plan {
    /// Whether the cluster would be made.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.cluster.is_none()
    }

    /// The gravest effect of all.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let effects = self.fields.iter().map(|field| field.effect);
        effects.max().unwrap_or(Effect::Nothing)
    }

    /// What cannot be done.
    fn problems(&self) -> Vec<Problem> {
        let impossible = self.fields.iter().filter(|f| f.effect == Effect::Impossible);
        impossible
            .map(|field| {
                let fixed = || format!("it is '{}' and cannot be changed", crate::shown(&field.from));
                let message = field.problem.clone().unwrap_or_else(fixed);
                Problem::new(&field.field, &field.to, message)
            })
            .collect()
    }

    /// The attributes that get other values.
    fn changes(&self) -> Vec<String> {
        let changes = self.fields.iter().filter(|f| f.effect > Effect::Nothing);
        changes.map(|field| field.field.clone()).collect()
    }
}

/// What becomes of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldPlan {
    /// The attribute, by the name that users know.
    pub field: String,
    /// Its value now.
    pub from: String,
    /// Its desired value.
    pub to: String,
    /// What the change does.
    pub effect: Effect,
    /// What is wrong with the desired value, where that makes it impossible.
    pub problem: Option<String>,
}

impl Magnum {
    /// Says, attribute by attribute, what it would take to bring the cluster of this name to a desired state.
    ///
    /// Attributes that the desired state leaves out stay as they are; the counts are 1 when they are left out. What
    /// counts only while a cluster is made, `create_timeout` and `on_create_failure`, changes nothing any more.
    ///
    /// ```
    /// # async fn f(magnum: magnum_core::Magnum, cx: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// use magnum_core::{ApplyOptions, ClusterSpec, Effect};
    /// let desired = ClusterSpec::new("small").with_name("mycluster").with_node_count(3);
    /// let plan = magnum.plan(&cx, &desired).await?;
    /// for field in &plan.fields {
    ///     println!("{}: {} -> {} ({})", field.field, field.from, field.to, field.effect);
    /// }
    /// if plan.effect() <= Effect::InPlace {
    ///     magnum.apply(&cx, desired, ApplyOptions::default().with_idempotency_key("change-42")).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` when the desired state has no name, names what does not exist, or could not be made;
    /// `Conflict` when several clusters have the name; `Forbidden`; `Unauthorized` and `Unavailable` from look-ups.
    pub async fn plan(&self, cx: &RequestContext, desired: &ClusterSpec) -> Result<Plan> {
        match self.to_be_changed(cx, desired).await? {
            Some(cluster) => self.plan_on(cx, &cluster, desired).await,
            None => {
                self.checked_draft(cx, desired).await?;
                Ok(Plan {
                    cluster: None,
                    generation: None,
                    fields: Vec::new(),
                })
            }
        }
    }

    /// Brings the cluster of this name to a desired state: makes it, or changes what [`Magnum::plan`] says.
    ///
    /// The row shows at once what was accepted. A state that the cluster is in already changes nothing, and so does a
    /// repeated request under its idempotency key.
    ///
    /// # Errors
    /// As [`Magnum::plan`]; `InvalidInput` names every attribute that cannot become as desired, and then nothing is
    /// changed; `Busy`, `Conflict`, `Quota` and `Stale` as for a change of a cluster; `Conflict` too when the
    /// idempotency key came with another desired state, or when a cluster of that name was made meanwhile.
    pub async fn apply(
        &self,
        cx: &RequestContext,
        desired: ClusterSpec,
        options: ApplyOptions,
    ) -> Result<Cluster> {
        let own = Target::own(cx);
        self.inner.policy.enforce(cx, Permission::ClusterUpdate, &own)?;
        let key = self.key("apply", options.idempotency_key.as_deref(), &desired)?;
        self.once(
            cx,
            key.clone(),
            self.apply_once(cx, desired, options.expected_generation, key),
        )
        .await
    }

    async fn apply_once(
        &self,
        cx: &RequestContext,
        desired: ClusterSpec,
        expected_generation: Option<u64>,
        key: Option<Key>,
    ) -> Result<Cluster> {
        let Some(mut cluster) = self.to_be_changed(cx, &desired).await? else {
            if expected_generation.is_some() {
                return Err(Error::new(ErrorKind::Stale, "the cluster is gone"));
            }
            return self.make(cx, desired, key, true).await;
        };
        expect(&cluster, expected_generation)?;
        let plan = self.plan_on(cx, &cluster, &desired).await?;
        let problems = plan.problems();
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let names = plan.changes();
        if names.iter().all(|name| name == "node_count") {
            let resize = Resize {
                node_count: desired.node_count,
                key,
                ..Resize::default()
            };
            return self.resize(cx, cluster, resize).await;
        }
        takes(&cluster, Request::Change)?;
        let driver = self.inner.driver_of(&cluster)?;
        let there = driver.needs(&cluster);
        let before = Box::new(Shape::of(&cluster));
        reshape(&mut cluster, &desired, &names);
        self.look_up_changes(cx, &mut cluster, &names).await?;
        self.has_room(cx, &cluster, &driver.needs(&cluster).beyond(&there))
            .await?;
        let kind = OperationKind::Reshape { names, before };
        self.accept(cx, cluster, kind, self.inner.settings.update_timeout, key)
            .await
    }

    /// The caller's cluster of the desired name, if there is one.
    async fn to_be_changed(&self, cx: &RequestContext, desired: &ClusterSpec) -> Result<Option<Cluster>> {
        let Some(name) = &desired.name else {
            let message = "a desired state needs the cluster's name";
            return Err(Error::field("name", "", message));
        };
        let query = Query::project(&cx.project_id).named(name);
        let mut found = self.inner.store.clusters(query).await?;
        if found.is_empty() {
            let own = Target::own(cx);
            self.inner.policy.enforce(cx, Permission::ClusterCreate, &own)?;
            return Ok(None);
        }
        let cluster = super::templates::only(&mut found, "cluster", &Ident::from(name.as_str()))?;
        let owner = Target::of(&cluster.project_id, &cluster.user_id);
        self.inner.policy.enforce(cx, Permission::ClusterUpdate, &owner)?;
        Ok(Some(cluster))
    }

    /// Looks up the attributes that get other values, under the caller's identity.
    async fn look_up_changes(
        &self,
        cx: &RequestContext,
        cluster: &mut Cluster,
        names: &[String],
    ) -> Result<()> {
        let cloud = self.inner.cloud(&cluster.cloud)?;
        let auth = self.inner.caller(cloud, cx)?;
        let look_ups = LookUps { cloud, auth: &auth };
        let driver = self.inner.driver_of(cluster)?;
        let keypair = cluster.keypair.clone();
        let keypair = keypair.as_deref().map(|name| KeypairName {
            field: "keypair",
            name,
        });
        let wanted = |name: &str| names.iter().any(|changed| changed == name);
        let mut problems = Vec::new();
        let found = look_ups
            .the_rest(&mut cluster.template, keypair, &**driver, wanted, &mut problems)
            .await?;
        if (found.flavor.is_some() || found.master_flavor.is_some())
            && let Some(image) = or_problem(look_ups.image(&cluster.template).await, &mut problems)?
        {
            problems.extend(found.fit(&image));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid(problems))
        }
    }

    async fn plan_on(&self, cx: &RequestContext, cluster: &Cluster, desired: &ClusterSpec) -> Result<Plan> {
        let driver = self.inner.driver_of(cluster)?;
        let mut fields = Fields {
            driver: &**driver,
            // What the last change has not brought about is still to be done.
            failed: cluster.status.phase == Phase::Failed,
            planned: Vec::new(),
        };
        if !desired.cluster_template.is_empty() {
            let ident = Ident::from(desired.cluster_template.as_str());
            let made_after = Ident::from(cluster.cluster_template_id);
            if ident != made_after {
                let found = self.find_template(cx, &ident).await;
                let template = as_input("cluster_template", ident.as_str(), found)?;
                fields.compare("cluster_template", cluster.cluster_template_id, template.id);
            }
        }
        fields.compare("node_count", cluster.node_count(), desired.node_count);
        fields.compare("master_count", cluster.master_count(), desired.master_count);
        let spec = &cluster.template;
        fields.given("keypair", cluster.keypair.as_ref(), desired.keypair.as_ref());
        fields.given(
            "discovery_url",
            cluster.discovery_url.as_ref(),
            desired.discovery_url.as_ref(),
        );
        fields.given(
            "docker_volume_size",
            spec.docker_volume_size,
            desired.docker_volume_size,
        );
        fields.given(
            "floating_ip_enabled",
            spec.floating_ip_enabled,
            desired.floating_ip_enabled,
        );
        fields.given(
            "master_lb_enabled",
            spec.master_lb_enabled,
            desired.master_lb_enabled,
        );
        if desired.labels.is_some() {
            let labels = labels(cluster, desired);
            fields.compare("labels", told(cluster.labels()), told(&labels));
        }
        for (field, now, wanted) in [
            ("flavor_id", &spec.flavor_id, &desired.flavor_id),
            (
                "master_flavor_id",
                &spec.master_flavor_id,
                &desired.master_flavor_id,
            ),
            ("fixed_network", &spec.fixed_network, &desired.fixed_network),
            ("fixed_subnet", &spec.fixed_subnet, &desired.fixed_subnet),
        ] {
            let same = match (now, wanted) {
                (Some(now), Some(wanted)) if now != wanted => {
                    self.same(cx, cluster, field, now, wanted).await?
                }
                _ => false,
            };
            fields.given(
                field,
                now.as_ref(),
                if same { now.as_ref() } else { wanted.as_ref() },
            );
        }
        let mut plan = Plan {
            cluster: Some(cluster.id),
            generation: Some(cluster.generation),
            fields: fields.planned,
        };
        let mut wanted = cluster.clone();
        reshape(&mut wanted, desired, &plan.changes());
        for problem in self.misfits(&wanted, &**driver)? {
            // What was so before is not the change's fault.
            let field = plan.fields.iter_mut().find(|field| field.field == problem.field);
            if let Some(field) = field.filter(|field| field.from != field.to) {
                field.effect = Effect::Impossible;
                field.problem = Some(problem.message);
            }
        }
        Ok(plan)
    }

    /// Whether two texts name the same thing: one its name, the other its id.
    async fn same(
        &self,
        cx: &RequestContext,
        cluster: &Cluster,
        field: &str,
        now: &str,
        wanted: &str,
    ) -> Result<bool> {
        let cloud = self.inner.cloud(&cluster.cloud)?;
        let auth: Auth = self.inner.caller(cloud, cx)?;
        let catalog = &cloud.catalog;
        let found = match field {
            "fixed_network" => catalog.network(&auth, wanted).await.map(|n| (n.id, n.name)),
            "fixed_subnet" => catalog.subnet(&auth, wanted).await.map(|s| (s.id, s.name)),
            _ => catalog.flavor(&auth, wanted).await.map(|f| (f.id, f.name)),
        };
        let (id, name) = as_input(field, wanted, found)?;
        Ok(id == now || name == now)
    }
}

/// Gathers what becomes of each attribute.
struct Fields<'a> {
    driver: &'a dyn ClusterDriver,
    failed: bool,
    planned: Vec<FieldPlan>,
}

impl Fields<'_> {
    fn compare(&mut self, field: &str, from: impl ToString, to: impl ToString) {
        let (from, to) = (from.to_string(), to.to_string());
        let again = self.failed && field == "node_count";
        let effect = match field {
            _ if from == to && !again => Effect::Nothing,
            // A driver changes clusters, not what they were made after.
            "cluster_template" => Effect::Impossible,
            _ => self.driver.effect(field),
        };
        self.planned.push(FieldPlan {
            field: field.to_owned(),
            from,
            to,
            effect,
            problem: None,
        });
    }

    /// An attribute that the desired state may leave out.
    fn given<T: ToString>(&mut self, field: &str, from: Option<T>, to: Option<T>) {
        if let Some(to) = to {
            self.compare(field, from.map_or_else(String::new, |from| from.to_string()), to);
        }
    }
}

fn told(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}
