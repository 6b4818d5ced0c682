//! Labels: their values, others, and unknown ones.

use std::sync::Arc;

use magnum_core::{ClusterDriver, LabelType, Problem};

use super::matrix;
use super::place::Place;
use super::report::Report;

pub(super) async fn check(driver: &Arc<dyn ClusterDriver>, report: &mut Report) {
    let place = match Place::with(driver).await {
        Ok(place) => place,
        Err(error) => return report.found("matrix", "a host with this driver", error.to_string()),
    };
    let descriptor = driver.descriptor();
    let Some(kind) = descriptor.provides.first() else {
        return;
    };
    let (mut taken, mut refused) = (0, 0);
    // What else goes wrong with a template is for other rules.
    let of_label = async |key: &str, value: &str| -> Vec<Problem> {
        let case = matrix::plain(descriptor, kind);
        let template = case.template.with_label(key, value);
        match place.magnum.create_template(&place.cx, template).await {
            Ok(_) => Vec::new(),
            Err(error) => error.problems().to_vec(),
        }
    };
    let names = |problems: &[Problem], key: &str| {
        problems
            .iter()
            .any(|problem| problem.field == format!("labels.{key}"))
    };
    for schema in &descriptor.labels {
        let field = format!("labels.{}", schema.key);
        if let Some(default) = &schema.default {
            let problems = of_label(&schema.key, default).await;
            // A label may be for something that the plainest cluster has not; its form is not to blame then.
            let form = |problem: &&Problem| problem.field == field && problem.message.contains("allowed");
            if let Some(problem) = problems.iter().find(form) {
                report.found(
                    "descriptor",
                    &field,
                    format!("its default {default:?} is refused: {}", problem.message),
                );
            }
        }
        for value in bad_values(&schema.value) {
            if names(&of_label(&schema.key, &value).await, &schema.key) {
                refused += 1;
            } else {
                report.found("labels", &field, format!("{value:?} is not refused by its name"));
            }
        }
        taken += matrix::good_values(&schema.value).len();
    }
    if !names(&of_label("kit_unknown_label", "x").await, "kit_unknown_label") {
        report.found(
            "labels",
            "labels.kit_unknown_label",
            "an unknown label is accepted",
        );
    }
    report.did(format!(
        "labels: {refused} wrong values and an unknown label refused by name; {taken} right values are in the matrix"
    ));
}

fn bad_values(value: &LabelType) -> Vec<String> {
    let mut bad: Vec<String> = match value {
        LabelType::Boolean => vec!["yes".into(), "True ".into()],
        LabelType::Integer { min, max } => {
            vec![
                (min - 1).to_string(),
                (max + 1).to_string(),
                "1.5".into(),
                "many".into(),
            ]
        }
        LabelType::OneOf(words) => vec![format!("{}x", words.first().map_or("", String::as_str))],
        LabelType::SomeOf(words) => vec!["kit-unknown".into(), format!("{},", words.join(","))],
        LabelType::Ipv4Cidr => vec!["10.0.0.0".into(), "2001:db8::/32".into(), "10.0.0.0/33".into()],
        LabelType::Version { .. } => vec!["v0.0.1".into(), "latest".into()],
        LabelType::Path => vec!["relative/path".into(), "/a/../b".into()],
        LabelType::Text { most } => return vec!["x".repeat(most + 1)],
        _ => Vec::new(),
    };
    bad.extend([
        "$(touch kit)".to_owned(),
        "'; touch kit; '".to_owned(),
        "a\nb".to_owned(),
    ]);
    bad
}
