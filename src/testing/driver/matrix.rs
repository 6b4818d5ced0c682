//! The ways in which a driver's clusters can be asked for, as far as its descriptor tells.

use std::collections::BTreeSet;
use std::fmt;

use magnum_core::{ClusterType, DriverDescriptor, LabelType, TemplateSpec};

use super::place::{NETWORK, image};

/// One way to ask for a cluster.
#[derive(Clone)]
pub(super) struct Case {
    /// In words: each option that is not as by default.
    shown: String,
    pub(super) template: TemplateSpec,
    pub(super) masters: u32,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

type Set = Box<dyn Fn(&mut Case)>;

/// An option and its values, the first of which is the default.
struct Choice {
    name: String,
    values: Vec<(String, Set)>,
}

impl Choice {
    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            values: vec![("by default".to_owned(), Box::new(|_| {}))],
        }
    }

    fn with(mut self, shown: impl Into<String>, set: impl Fn(&mut Case) + 'static) -> Self {
        self.values.push((shown.into(), Box::new(set)));
        self
    }
}

/// The plainest cluster of a kind.
pub(super) fn plain(descriptor: &DriverDescriptor, kind: &ClusterType) -> Case {
    let mut template = TemplateSpec::new(&kind.coe, image(&kind.os), "public").with_keypair("testkey");
    template.server_type = kind.server_type;
    template.fixed_network = descriptor.only_fixed_network.then(|| NETWORK.to_owned());
    Case {
        shown: format!("{kind}"),
        template,
        masters: descriptor.masters.0.max(1),
    }
}

/// All ways in which each value of each option meets each of each other, the plainest first.
pub(super) fn cases(descriptor: &DriverDescriptor) -> Vec<Case> {
    let choices = choices(descriptor);
    let sizes: Vec<usize> = choices.iter().map(|choice| choice.values.len()).collect();
    let mut all = Vec::new();
    for kind in &descriptor.provides {
        for chosen in pairwise(&sizes) {
            let mut case = plain(descriptor, kind);
            for (choice, value) in choices.iter().zip(chosen) {
                let (shown, set) = &choice.values[value];
                set(&mut case);
                if value > 0 {
                    case.shown += &format!(", {} {shown}", choice.name);
                }
            }
            all.push(case);
        }
    }
    all
}

fn choices(descriptor: &DriverDescriptor) -> Vec<Choice> {
    let mut all = Vec::new();
    if descriptor.tls {
        all.push(Choice::new("TLS").with("disabled", |case| case.template.tls_disabled = true));
    }
    if descriptor.master_lb {
        all.push(
            Choice::new("load balancer")
                .with("off", |case| case.template.master_lb_enabled = Some(false))
                .with("on", |case| case.template.master_lb_enabled = Some(true)),
        );
    }
    if descriptor.private_only {
        all.push(
            Choice::new("floating IPs").with("off", |case| case.template.floating_ip_enabled = Some(false)),
        );
    }
    let (least, most) = descriptor.masters;
    if most > least {
        let several = most.min(least.max(1) + 2);
        all.push(Choice::new("masters").with(several.to_string(), move |case| case.masters = several));
    }
    if descriptor.fixed_network && !descriptor.only_fixed_network {
        all.push(Choice::new("network").with("existing", |case| {
            case.template.fixed_network = Some(NETWORK.into());
        }));
    }
    for (name, choice, set) in [
        (
            "network driver",
            &descriptor.network_drivers,
            (|case, value| case.template.network_driver = Some(value)) as fn(&mut Case, String),
        ),
        ("volume driver", &descriptor.volume_drivers, |case, value| {
            case.template.volume_driver = Some(value);
        }),
        ("storage driver", &descriptor.storage_drivers, |case, value| {
            case.template.docker_storage_driver = Some(value);
        }),
    ] {
        let others = choice
            .allowed
            .iter()
            .filter(|v| Some(*v) != choice.default.as_ref());
        let whole = others.fold(Choice::new(name), |so_far, value| {
            let given = value.clone();
            so_far.with(value, move |case| set(case, given.clone()))
        });
        all.push(whole);
    }
    if descriptor.docker_volume_size.is_some() {
        all.push(
            Choice::new("volume for Docker")
                .with("of 5 GB", |case| case.template.docker_volume_size = Some(5)),
        );
    }
    if descriptor.registry {
        all.push(Choice::new("registry").with("enabled", |case| case.template.registry_enabled = true));
    }
    if descriptor.apiserver_port {
        all.push(Choice::new("port").with("8443", |case| case.template.apiserver_port = Some(8443)));
    }
    all.push(Choice::new("proxies").with("given", |case| {
        case.template.http_proxy = Some("http://proxy.example:3128".into());
        case.template.https_proxy = Some("http://proxy.example:3129".into());
        case.template.no_proxy = Some("example.org,10.0.0.0/8".into());
    }));
    for schema in &descriptor.labels {
        let mut choice = Choice::new(format!("label {}", schema.key));
        for value in good_values(&schema.value) {
            let (key, given) = (schema.key.clone(), value.clone());
            choice = choice.with(value, move |case| {
                case.template.labels.insert(key.clone(), given.clone());
            });
        }
        all.push(choice);
    }
    all.retain(|choice| choice.values.len() > 1);
    all
}

/// Values that a label of this form takes; none where only the driver knows any.
pub(super) fn good_values(value: &LabelType) -> Vec<String> {
    match value {
        LabelType::Boolean => vec!["true".into(), "false".into()],
        LabelType::Integer { min, max } => vec![(min + (max - min) / 2).to_string()],
        LabelType::OneOf(words) => words.clone(),
        LabelType::SomeOf(words) => words.iter().take(1).cloned().chain([words.join(",")]).collect(),
        LabelType::Ipv4Cidr => vec!["10.200.0.0/16".into()],
        LabelType::Version { least, most } => vec![least.clone(), most.clone()],
        LabelType::Path => vec!["/tmp/kit".into()],
        _ => Vec::new(),
    }
}

/// Which value of each option: rows in which every two values of different options meet, the first all zeroes.
fn pairwise(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut open = BTreeSet::new();
    for one in 0..sizes.len() {
        for other in one + 1..sizes.len() {
            for a in 0..sizes[one] {
                open.extend((0..sizes[other]).map(|b| ((one, a), (other, b))));
            }
        }
    }
    // Alone, an option has no other to meet.
    let mut rows = vec![vec![0; sizes.len()]];
    if sizes.len() == 1 {
        rows.extend((1..sizes[0]).map(|value| vec![value]));
    }
    close(&mut open, &rows[0]);
    while let Some(&((one, a), (other, b))) = open.first() {
        let mut row: Vec<Option<usize>> = vec![None; sizes.len()];
        row[one] = Some(a);
        row[other] = Some(b);
        for at in 0..sizes.len() {
            if row[at].is_some() {
                continue;
            }
            let closes = |value: usize| {
                let set = row.iter().enumerate().filter_map(|(o, v)| Some((o, (*v)?)));
                set.filter(|&known| {
                    let this = (at, value);
                    open.contains(&(this.min(known), this.max(known)))
                })
                .count()
            };
            // Of equals the default, so that a case has as little as it can that is unusual.
            row[at] = (0..sizes[at]).rev().max_by_key(|value| closes(*value));
        }
        let row: Vec<usize> = row.into_iter().map(Option::unwrap_or_default).collect();
        close(&mut open, &row);
        rows.push(row);
    }
    rows
}

/// A value of an option together with a value of another.
type Pair = ((usize, usize), (usize, usize));

fn close(open: &mut BTreeSet<Pair>, row: &[usize]) {
    for one in 0..row.len() {
        for other in one + 1..row.len() {
            open.remove(&((one, row[one]), (other, row[other])));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_two_values_meet_and_the_first_row_is_the_plainest() {
        for sizes in [&[2, 3, 2, 4][..], &[3], &[], &[2, 2, 2, 2, 2, 2]] {
            let rows = pairwise(sizes);
            assert!(rows[0].iter().all(|value| *value == 0));
            for one in 0..sizes.len() {
                for a in 0..sizes[one] {
                    assert!(rows.iter().any(|row| row[one] == a));
                    for other in one + 1..sizes.len() {
                        for b in 0..sizes[other] {
                            assert!(rows.iter().any(|row| row[one] == a && row[other] == b));
                        }
                    }
                }
            }
        }
    }
}
