//! What Python Magnum's database says of a cluster, as what an adoption needs.

use std::collections::BTreeMap;

use magnum_core::{
    Adoption, CertRef, ClusterId, Error, Problem, Result, Secret, TemplateId, TemplateSpec, TrustCredentials,
};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Columns of a template that are attributes of its specification.
const TEMPLATE: [&str; 26] = [
    "name",
    "coe",
    "image_id",
    "keypair_id",
    "external_network_id",
    "public",
    "hidden",
    "tags",
    "server_type",
    "network_driver",
    "volume_driver",
    "dns_nameserver",
    "flavor_id",
    "master_flavor_id",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "docker_volume_size",
    "docker_storage_driver",
    "labels",
    "tls_disabled",
    "registry_enabled",
    "insecure_registry",
    "fixed_network",
    "fixed_subnet",
    "apiserver_port",
];

/// Columns of templates and clusters alike; where the cluster has a value, it counts.
const OWN: [&str; 8] = [
    "labels",
    "flavor_id",
    "master_flavor_id",
    "docker_volume_size",
    "fixed_network",
    "fixed_subnet",
    "floating_ip_enabled",
    "master_lb_enabled",
];

/// Columns with references to certificates, and what the certificates are for.
const CERTIFICATES: [(&str, &str); 4] = [
    ("ca_cert_ref", "ca"),
    ("magnum_cert_ref", "client"),
    ("etcd_ca_cert_ref", "etcd"),
    ("front_proxy_ca_cert_ref", "front_proxy"),
];

/// Reads a cluster as Python Magnum's database has it: the columns of its row in table `cluster` by name, under
/// `cluster_template` those of its template's row, and `node_count` and `master_count` as its node groups add up; those of
/// table `nodegroup`, where there is one, under `nodegroups`.
/// `backend` names the store that keeps its certificates: `barbican` for most.
///
/// ```
/// # fn f(row: &serde_json::Value) -> magnum_core::Result<()> {
/// let adoption = magnum_drivers::python_magnum::adoption(row, "barbican")?;
/// assert_eq!(adoption.driver, "python_magnum_kubernetes");
/// # Ok(()) }
/// ```
///
/// # Errors
/// `InvalidInput` names the columns that are missing or of the wrong type, and node groups beside the default ones.
pub fn adoption(row: &Value, backend: &str) -> Result<Adoption> {
    let mut columns = Columns {
        row,
        problems: Vec::new(),
    };
    let template = &row["cluster_template"];
    let mut spec = Map::new();
    for (from, names) in [(template, &TEMPLATE[..]), (template, &OWN[..]), (row, &OWN[..])] {
        let given = names.iter().filter(|name| !from[**name].is_null());
        spec.extend(given.map(|name| ((*name).to_owned(), value(name, &from[*name]))));
    }
    let coe = template["coe"].as_str().unwrap_or_default();
    let driver = match coe {
        "kubernetes" => "python_magnum_kubernetes",
        "swarm" | "swarm-mode" => "python_magnum_swarm",
        "mesos" => "python_magnum_mesos",
        other => {
            let message = "kubernetes, swarm, swarm-mode and mesos are known";
            return Err(Error::field("cluster_template.coe", other, message));
        }
    };
    let reference = |column: &str| row[column].as_str().filter(|text| !text.is_empty());
    let certificates: BTreeMap<String, CertRef> = CERTIFICATES
        .into_iter()
        .filter_map(|(column, role)| {
            let kept = CertRef {
                backend: backend.to_owned(),
                reference: reference(column)?.to_owned(),
            };
            Some((role.to_owned(), kept))
        })
        .collect();
    let adoption = Adoption {
        id: ClusterId(columns.uuid("uuid")),
        name: columns.text("name"),
        project_id: columns.text("project_id"),
        user_id: columns.text("user_id"),
        cluster_template_id: TemplateId(columns.uuid("cluster_template_id")),
        template: TemplateSpec::default(),
        cluster_distro: template["cluster_distro"].as_str().unwrap_or_default().to_owned(),
        driver: driver.to_owned(),
        stack_id: columns.text("stack_id"),
        trust: TrustCredentials {
            trustee_user_id: columns.text("trustee_user_id"),
            password: Secret::new(columns.text("trustee_password")),
            trust_id: columns.text("trust_id"),
        },
        trustee_user_name: columns.text("trustee_username"),
        master_count: columns.count("master_count"),
        node_count: columns.count("node_count"),
        keypair: reference("keypair").map(ToOwned::to_owned),
        discovery_url: reference("discovery_url").map(ToOwned::to_owned),
        create_timeout: row["create_timeout"]
            .as_u64()
            .and_then(|minutes| u32::try_from(minutes).ok())
            .filter(|minutes| *minutes > 0)
            .unwrap_or(60),
        certificates,
    };
    columns.problems.extend(further_groups(&row["nodegroups"]));
    if !columns.problems.is_empty() {
        return Err(Error::invalid(columns.problems));
    }
    Ok(Adoption {
        template: TemplateSpec::from_json(&Value::Object(spec))?,
        ..adoption
    })
}

/// A column's value as its attribute has it: databases keep booleans as numbers, and labels as the text of an object.
fn value(column: &str, kept: &Value) -> Value {
    const BOOLEANS: [&str; 6] = [
        "public",
        "hidden",
        "tls_disabled",
        "registry_enabled",
        "floating_ip_enabled",
        "master_lb_enabled",
    ];
    match kept {
        Value::Number(number) if BOOLEANS.contains(&column) => (number.as_i64() != Some(0)).into(),
        Value::String(text) if column == "labels" => {
            serde_json::from_str(text).unwrap_or_else(|_| kept.clone())
        }
        _ => kept.clone(),
    }
}

/// Node groups beside the two that every cluster has: they are stacks of their own, which would stay.
fn further_groups(groups: &Value) -> Vec<Problem> {
    let further = groups
        .as_array()
        .into_iter()
        .flatten()
        .filter(|group| group["is_default"] == false);
    further
        .map(|group| {
            let name = group["name"].as_str().unwrap_or_default();
            Problem::new(
                "nodegroups",
                name,
                "only default node groups can be taken over: delete it first",
            )
        })
        .collect()
}

/// A row's columns, and what is wrong with them. Their values may be secrets, so no message repeats one.
struct Columns<'a> {
    row: &'a Value,
    problems: Vec<Problem>,
}

impl Columns<'_> {
    fn missing(&mut self, column: &str, needed: &str) {
        let message = format!("the row needs {needed} in this column");
        self.problems.push(Problem::new(column, "", message));
    }

    fn text(&mut self, column: &str) -> String {
        match self.row[column].as_str() {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => {
                self.missing(column, "a text");
                String::new()
            }
        }
    }

    fn uuid(&mut self, column: &str) -> Uuid {
        let text = self.text(column);
        Uuid::parse_str(&text).unwrap_or_else(|_| {
            if !text.is_empty() {
                self.missing(column, "a UUID");
            }
            Uuid::nil()
        })
    }

    fn count(&mut self, column: &str) -> u32 {
        let count = self.row[column]
            .as_u64()
            .and_then(|count| u32::try_from(count).ok());
        count.unwrap_or_else(|| {
            self.missing(column, "a number");
            0
        })
    }
}
