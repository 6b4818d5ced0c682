//! The ways in which a driver's clusters can be asked for.

use std::collections::BTreeSet;

use magnum::*;
use serde_json::json;

use crate::subjects::{Option_, Subject};

/// For each option, which of its values.
#[derive(Clone, PartialEq, Eq)]
pub struct Choice {
    options: &'static [Option_],
    values: Vec<usize>,
}

/// A value of one option together with a value of another.
type Pair = ((usize, usize), (usize, usize));

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chosen = self.options.iter().zip(&self.values);
        let chosen: Vec<String> = chosen
            .map(|((name, values), chosen)| format!("{name} {}", values[*chosen]))
            .collect();
        f.write_str(&chosen.join(", "))
    }
}

impl Choice {
    /// What was chosen of the option, if there is one.
    pub fn of(&self, option: &str) -> Option<&'static str> {
        let mut all = self.options.iter().zip(&self.values);
        all.find(|((name, _), _)| *name == option)
            .map(|((_, values), chosen)| values[*chosen])
    }

    pub fn is(&self, option: &str, value: &str) -> bool {
        self.of(option) == Some(value)
    }

    fn pairs(&self) -> impl Iterator<Item = Pair> + '_ {
        let chosen = &self.values;
        (0..chosen.len())
            .flat_map(move |one| (one + 1..chosen.len()).map(move |other| (one, other)))
            .map(move |(one, other)| ((one, chosen[one]), (other, chosen[other])))
    }
}

impl Subject {
    /// The cluster of a choice; `fixed` are network and subnet where they are not its own.
    pub fn cluster(&self, choice: &Choice, fixed: (&str, &str)) -> Cluster {
        let count = |option| choice.of(option).map_or(1, |count| count.parse().unwrap());
        cluster(
            self,
            self.template(choice, fixed),
            count("masters"),
            count("nodes"),
        )
    }

    /// What the driver sends for a cluster, with made-up secrets where it needs some.
    pub fn parameters(&self, cluster: &Cluster) -> Result<Parameters> {
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
        let problems = self.driver.validate(&cluster.template, Some(cluster));
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let nodes = cluster.tls().then_some(&nodes);
        self.driver.parameters(cluster, nodes, &trust)
    }

    /// All combinations of the crossed options, the others sprinkled in by the sum of what was chosen.
    pub fn every(&self) -> Vec<Choice> {
        let mut all = vec![Vec::new()];
        for (_, values) in &self.options[..self.crossed] {
            all = all
                .iter()
                .flat_map(|so_far: &Vec<usize>| (0..values.len()).map(|v| [&so_far[..], &[v]].concat()))
                .collect();
        }
        let whole = |(place, crossed): (usize, &Vec<usize>)| {
            let mut values = crossed.clone();
            for (at, (_, of)) in self.options[self.crossed..].iter().enumerate() {
                let sum: usize = crossed.iter().sum();
                values.push((sum / (at + 1) + place / (3 * at + 2)) % of.len());
            }
            self.choice(values)
        };
        all.iter().enumerate().map(whole).collect()
    }

    fn choice(&self, values: Vec<usize>) -> Choice {
        Choice {
            options: self.options,
            values,
        }
    }

    /// A few choices in which every value of every option meets every value of every other.
    pub fn pairwise(&self) -> Vec<Choice> {
        let mut open = self.all_pairs();
        let mut chosen = Vec::new();
        while let Some(&(one, other)) = open.first() {
            let mut values = vec![None; self.options.len()];
            values[one.0] = Some(one.1);
            values[other.0] = Some(other.1);
            for option in 0..self.options.len() {
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
                let count = self.options[option].1.len();
                // Of equals the one that is due, so that no option keeps to its first value.
                values[option] = (0..count)
                    .map(|v| (v + chosen.len()) % count)
                    .max_by_key(|v| closes(*v));
            }
            let choice = self.choice(values.into_iter().map(Option::unwrap_or_default).collect());
            for pair in choice.pairs() {
                open.remove(&pair);
            }
            chosen.push(choice);
        }
        chosen
    }

    fn all_pairs(&self) -> BTreeSet<Pair> {
        let values: Vec<(usize, usize)> = self
            .options
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
    pub fn missing(&self, choices: &[Choice]) -> Vec<String> {
        let mut open = self.all_pairs();
        for pair in choices.iter().flat_map(Choice::pairs) {
            open.remove(&pair);
        }
        let named = |(option, value): (usize, usize)| {
            let (name, values) = self.options[option];
            format!("{name} {}", values[value])
        };
        open.into_iter()
            .map(|(one, other)| format!("{} with {}", named(one), named(other)))
            .collect()
    }
}

/// A cluster of this template as a conductor has it when its stack is to be made.
pub fn cluster(subject: &Subject, template: TemplateSpec, masters: u32, nodes: u32) -> Cluster {
    let descriptor = subject.driver.descriptor();
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
        "cluster_distro": descriptor.provides[0].os,
        "driver": DriverRef { name: descriptor.name.clone(), version: descriptor.version.clone() },
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
