//! What goes together and what does not, beyond what the descriptor says.

use std::collections::BTreeMap;

use magnum_core::{Cluster, Problem, TemplateSpec};

use super::descriptor::{EXECUTOR_ENV, IMAGE_PROVIDERS, ISOLATION, MAX_SLAVES, PREEMPT};
use crate::common::{grammar, servers};

/// The attribute that has something on the slaves act in the cloud, which needs the cluster's trust there.
pub(super) fn trust_on_nodes(spec: &TemplateSpec) -> Option<&'static str> {
    (spec.volume_driver.as_deref() == Some("rexray")).then_some("volume_driver")
}

/// Where slaves find the variables of executors.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExecutorEnvironment<'a> {
    /// In a file that is on them.
    File(&'a str),
    /// In one that is made of this JSON object.
    Variables(&'a str),
}

/// What the label says; `Err` in words when it says neither.
pub(super) fn executor_environment(spec: &TemplateSpec) -> Result<Option<ExecutorEnvironment<'_>>, String> {
    let Some(value) = spec.labels.get(EXECUTOR_ENV) else {
        return Ok(None);
    };
    if let Some(path) = value.strip_prefix('/') {
        let plain = |part: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !part.is_empty() && part != "." && part != ".." && part.chars().all(fits)
        };
        return if value.len() <= 255 && path.split('/').all(plain) {
            Ok(Some(ExecutorEnvironment::File(value)))
        } else {
            Err("a path must be absolute, of letters, digits and . _ - / only".to_owned())
        };
    }
    match serde_json::from_str::<BTreeMap<String, String>>(value) {
        Ok(_) => Ok(Some(ExecutorEnvironment::Variables(value))),
        Err(_) => Err(
            "must be the path of a JSON file on the slaves, or a JSON object whose values are texts"
                .to_owned(),
        ),
    }
}

pub(super) fn problems(spec: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
    let mut problems = grammar::problems(spec);
    problems.extend(servers::subnet_name_problem(spec));
    let mut of_label = |key: &str, message: &str| {
        let value = spec.labels.get(key).cloned().unwrap_or_default();
        problems.push(Problem::new(format!("labels.{key}"), value, message));
    };
    let has = |key: &str, word: &str| {
        let value = spec.labels.get(key);
        value.is_some_and(|value| value.split(',').any(|part| part == word))
    };
    if has(IMAGE_PROVIDERS, "docker") && !has(ISOLATION, "docker/runtime") {
        of_label(
            IMAGE_PROVIDERS,
            "docker needs docker/runtime among the label mesos_slave_isolation",
        );
    } else if spec.labels.contains_key(IMAGE_PROVIDERS) && !spec.labels.contains_key(ISOLATION) {
        of_label(IMAGE_PROVIDERS, "it needs the label mesos_slave_isolation");
    }
    if let Err(message) = executor_environment(spec) {
        of_label(EXECUTOR_ENV, &message);
    }
    if spec.volume_driver.is_none() && spec.labels.contains_key(PREEMPT) {
        of_label(
            PREEMPT,
            "it is for the volume driver rexray, which the template does not ask for",
        );
    }
    if let Some(registry) = &spec.insecure_registry {
        problems.push(Problem::new(
            "insecure_registry",
            registry,
            "slaves pull what Marathon says, from where that is; this driver cannot set it",
        ));
    }
    problems.extend(cluster.and_then(|cluster| servers::count_problem(cluster, MAX_SLAVES)));
    problems
}

/// How Mesos calls the cluster: its name, in plain characters.
pub(super) fn cluster_name(cluster: &Cluster) -> String {
    let plain: String = cluster
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    if plain.is_empty() {
        servers::name_prefix(cluster)
    } else {
        plain
    }
}
