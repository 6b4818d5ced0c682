//! The ways in which a Kubernetes cluster can be asked for.

use std::collections::BTreeSet;

use magnum::*;
use serde_json::json;

/// Every option with its values. The first `CROSSED` are what every combination is made of.
pub const OPTIONS: [(&str, &[&str]); 11] = [
    ("tls", &["on", "off"]),
    ("load balancer", &["on", "off"]),
    ("floating IPs", &["on", "off"]),
    ("flannel", &["udp", "vxlan", "host-gw"]),
    ("storage", &["devicemapper", "overlay"]),
    ("volumes", &["none", "cinder"]),
    ("masters", &["1", "3"]),
    ("network", &["own", "fixed"]),
    ("registry", &["off", "on"]),
    ("insecure registry", &["none", "registry.example:5000"]),
    ("nodes", &["1", "2"]),
];
const CROSSED: usize = 7;

/// For each option, which of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice([usize; OPTIONS.len()]);

/// A value of one option together with a value of another.
type Pair = ((usize, usize), (usize, usize));

impl Choice {
    /// What was chosen of the option.
    pub fn of(&self, option: &str) -> &'static str {
        OPTIONS
            .iter()
            .zip(self.0)
            .find(|((name, _), _)| *name == option)
            .map(|((_, values), chosen)| values[chosen])
            .unwrap()
    }

    fn pairs(&self) -> impl Iterator<Item = Pair> {
        let chosen = self.0;
        (0..chosen.len())
            .flat_map(move |one| (one + 1..chosen.len()).map(move |other| (one, other)))
            .map(move |(one, other)| ((one, chosen[one]), (other, chosen[other])))
    }

    /// The cluster; `fixed` are network and subnet where they are not its own.
    pub fn cluster(&self, fixed: (&str, &str)) -> Cluster {
        let is = |option: &str, value: &str| self.of(option) == value;
        let mut spec = TemplateSpec::new("kubernetes", "fedora-atomic", "public").with_keypair("testkey");
        spec.flavor_id = Some("m1.small".into());
        spec.master_flavor_id = Some("m1.medium".into());
        spec.dns_nameserver = Some("8.8.8.8,8.8.4.4".into());
        spec.docker_volume_size = Some(3);
        spec.tls_disabled = is("tls", "off");
        spec.master_lb_enabled = Some(is("load balancer", "on"));
        spec.floating_ip_enabled = Some(is("floating IPs", "on"));
        spec.docker_storage_driver = Some(self.of("storage").into());
        spec.labels
            .insert("flannel_backend".into(), self.of("flannel").into());
        if is("volumes", "cinder") {
            spec.volume_driver = Some("cinder".into());
        }
        if is("network", "fixed") {
            spec.fixed_network = Some(fixed.0.into());
            spec.fixed_subnet = Some(fixed.1.into());
        }
        if is("registry", "on") {
            spec.registry_enabled = true;
            spec.labels.insert("cloud_provider_enabled".into(), "true".into());
        }
        if !is("insecure registry", "none") {
            spec.insecure_registry = Some(self.of("insecure registry").into());
        }
        cluster(
            spec,
            self.of("masters").parse().unwrap(),
            self.of("nodes").parse().unwrap(),
        )
    }
}

/// A cluster of this template as a conductor has it when its stack is to be made.
pub fn cluster(template: TemplateSpec, masters: u32, nodes: u32) -> Cluster {
    let pool = |role: PoolRole, count, flavor: &Option<String>| Pool {
        name: role.as_str().into(),
        role,
        count,
        flavor_id: flavor.clone().unwrap_or_default(),
        addresses: Vec::new(),
    };
    let pools = [
        pool(PoolRole::Master, masters, &template.master_flavor_id),
        pool(PoolRole::Worker, nodes, &template.flavor_id),
    ];
    serde_json::from_value(json!({
        "id": "04952c60-a338-437f-a7e7-d016d1d00e65",
        "name": "options",
        "cloud": "real",
        "project_id": "p",
        "user_id": "u",
        "cluster_template_id": TemplateId("da2825a0-6d09-4208-b39e-b2db666f1118".parse().unwrap()),
        "template": template,
        "cluster_distro": "fedora-atomic",
        "driver": DriverRef { name: "k8s_fedora_atomic".into(), version: "1.0.0".into() },
        "keypair": "testkey",
        "create_timeout": 10,
        "pools": pools,
        "status": ClusterStatus { action: Action::Create, phase: Phase::InProgress },
        "progress": { "done": 0, "total": 0 },
        "node_credentials": [],
        "generation": 1,
        "created_at": "2016-07-25T23:14:06Z",
        "revision": Revision::default(),
    }))
    .unwrap()
}

/// What the driver sends for a cluster, with made-up secrets where it needs some.
pub fn parameters(cluster: &Cluster) -> Result<Parameters> {
    let nodes = NodeAccess {
        url: format!("https://magnum.example:9511/v1/clusters/{}", cluster.id),
        ca: Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".into()),
        credentials: [PoolRole::Master, PoolRole::Worker]
            .map(|role| (role, Secret::new(format!("{}-credential", role.as_str()))))
            .to_vec(),
    };
    let trust = TrustAccess {
        identity: IdentityEndpoint {
            auth_url: "http://127.0.0.1:5000/v3".into(),
            region: Some("RegionOne".into()),
            trustee_domain_name: Some("magnum".into()),
            ..IdentityEndpoint::default()
        },
        user_id: "0123456789abcdef0123456789abcdef".into(),
        user_name: "options_trustee".into(),
        password: Secret::new("made-up-password"),
        trust_id: "fedcba9876543210fedcba9876543210".into(),
    };
    let driver = magnum::drivers::k8s_fedora_atomic();
    let problems = driver.validate(&cluster.template, Some(cluster));
    if !problems.is_empty() {
        return Err(Error::invalid(problems));
    }
    let nodes = cluster.tls().then_some(&nodes);
    driver.stack_parameters(cluster, nodes, Some(&trust))
}

/// All combinations of the crossed options, the others sprinkled in by the sum of what was chosen.
pub fn every() -> Vec<Choice> {
    let mut all = vec![Vec::new()];
    for (_, values) in &OPTIONS[..CROSSED] {
        all = all
            .iter()
            .flat_map(|so_far: &Vec<usize>| (0..values.len()).map(|v| [&so_far[..], &[v]].concat()))
            .collect();
    }
    all.iter()
        .map(|crossed| {
            let sum: usize = crossed.iter().sum();
            let other = |option: usize| {
                crossed
                    .get(option)
                    .copied()
                    .unwrap_or_else(|| sum / (option - CROSSED + 1) % 2)
            };
            Choice(std::array::from_fn(other))
        })
        .collect()
}

/// A few choices in which every value of every option meets every value of every other.
pub fn pairwise() -> Vec<Choice> {
    let mut open = all_pairs();
    let mut chosen = Vec::new();
    while let Some(&(one, other)) = open.first() {
        let mut values = [None; OPTIONS.len()];
        values[one.0] = Some(one.1);
        values[other.0] = Some(other.1);
        for option in 0..OPTIONS.len() {
            if values[option].is_some() {
                continue;
            }
            let closes = |value: usize| {
                let set = values.iter().enumerate().filter_map(|(o, v)| Some((o, (*v)?)));
                set.filter(|&(o, v)| {
                    let (this, that) = ((option, value), (o, v));
                    open.contains(&(this.min(that), this.max(that)))
                })
                .count()
            };
            let count = OPTIONS[option].1.len();
            // Of equals the one that is due, so that no option keeps to its first value.
            values[option] = (0..count)
                .map(|v| (v + chosen.len()) % count)
                .max_by_key(|v| closes(*v));
        }
        let choice = Choice(values.map(Option::unwrap_or_default));
        for pair in choice.pairs() {
            open.remove(&pair);
        }
        chosen.push(choice);
    }
    chosen
}

fn all_pairs() -> BTreeSet<Pair> {
    let values: Vec<(usize, usize)> = OPTIONS
        .iter()
        .enumerate()
        .flat_map(|(option, (_, values))| (0..values.len()).map(move |value| (option, value)))
        .collect();
    values
        .iter()
        .flat_map(|one| values.iter().map(move |other| (*one, *other)))
        .filter(|(one, other)| one.0 < other.0)
        .collect()
}

/// Pairs of values that none of the choices has together.
pub fn missing(choices: &[Choice]) -> Vec<String> {
    let mut open = all_pairs();
    for pair in choices.iter().flat_map(Choice::pairs) {
        open.remove(&pair);
    }
    let named =
        |(option, value): (usize, usize)| format!("{} {}", OPTIONS[option].0, OPTIONS[option].1[value]);
    open.into_iter()
        .map(|(one, other)| format!("{} with {}", named(one), named(other)))
        .collect()
}
