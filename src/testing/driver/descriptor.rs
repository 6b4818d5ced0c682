//! What a driver says of itself.

use magnum_core::{ClusterDriver, DriverDescriptor, TemplateSpec};

use super::matrix;
use super::report::Report;

pub(super) fn check(driver: &dyn ClusterDriver, report: &mut Report) {
    let descriptor = driver.descriptor();
    for what in problems(descriptor) {
        report.found("descriptor", &descriptor.name, what);
    }
    report.did(format!(
        "descriptor: {} kinds of cluster, {} labels, {} things that run",
        descriptor.provides.len(),
        descriptor.labels.len(),
        descriptor.runs.len()
    ));
    let mut asked = 0;
    for kind in &descriptor.provides {
        let case = matrix::plain(descriptor, kind);
        let odd = TemplateSpec {
            http_proxy: Some("odd".into()),
            insecure_registry: Some("a b".into()),
            ..case.template.clone()
        };
        for template in [&case.template, &odd] {
            asked += 1;
            let problems = driver.validate(template, None);
            if problems != driver.validate(template, None) {
                report.found(
                    "validate",
                    case.to_string(),
                    "two answers to the same question differ",
                );
            }
            for problem in problems {
                if problem.field.is_empty() || problem.message.is_empty() {
                    report.found(
                        "validate",
                        case.to_string(),
                        format!("{problem:?} lacks field or sentence"),
                    );
                }
            }
        }
    }
    report.did(format!("validate: {asked} templates asked about twice"));
}

fn problems(descriptor: &DriverDescriptor) -> Vec<String> {
    let mut found = Vec::new();
    let mut demand = |good: bool, what: String| {
        if !good {
            found.push(what);
        }
    };
    let plain = |text: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(fits)
    };
    demand(
        plain(&descriptor.name),
        format!(
            "its name {:?} is not of small letters, digits, _ and -",
            descriptor.name
        ),
    );
    let numbers = descriptor
        .version
        .split('.')
        .filter(|part| part.parse::<u32>().is_ok());
    demand(
        numbers.count() == 3 && descriptor.version.split('.').count() == 3,
        format!("its version {:?} is not like 1.0.0", descriptor.version),
    );
    demand(
        !descriptor.provides.is_empty(),
        "it makes no kind of cluster".to_owned(),
    );
    for kind in &descriptor.provides {
        demand(
            plain(&kind.os) && plain(&kind.coe),
            format!("{kind} is not of small letters, digits, _ and -"),
        );
    }
    for (name, choice) in [
        ("network", &descriptor.network_drivers),
        ("volume", &descriptor.volume_drivers),
        ("storage", &descriptor.storage_drivers),
    ] {
        let known = choice
            .default
            .as_ref()
            .is_none_or(|default| choice.allowed.contains(default));
        demand(
            known,
            format!(
                "the default of its {name} drivers, {:?}, is not among them",
                choice.default
            ),
        );
    }
    let (least, most) = descriptor.masters;
    demand(
        least <= most,
        format!("it has at least {least} masters and at most {most}"),
    );
    for schema in &descriptor.labels {
        demand(
            !schema.meaning.is_empty(),
            format!("the label {} has no meaning", schema.key),
        );
        demand(
            plain(&schema.key),
            format!(
                "the label {:?} is not of small letters, digits, _ and -",
                schema.key
            ),
        );
    }
    let mut keys: Vec<&str> = descriptor
        .labels
        .iter()
        .map(|schema| schema.key.as_str())
        .collect();
    keys.sort_unstable();
    let count = keys.len();
    keys.dedup();
    demand(count == keys.len(), "it has a label twice".to_owned());
    found
}
