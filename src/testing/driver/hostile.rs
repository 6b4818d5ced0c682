//! Hostile values: each is refused by its field, or changes nothing but where it belongs.

use std::collections::BTreeMap;
use std::sync::Arc;

use magnum_core::{ClusterDriver, ClusterStatus, LabelType, Result, TemplateSpec};

use super::matrix;
use super::place::Place;
use super::report::Report;

type Set = fn(&mut TemplateSpec, String);

/// Attributes that tenants write freely and that go to servers.
const FIELDS: [(&str, Set); 9] = [
    ("http_proxy", |spec, value| spec.http_proxy = Some(value)),
    ("https_proxy", |spec, value| spec.https_proxy = Some(value)),
    ("no_proxy", |spec, value| spec.no_proxy = Some(value)),
    ("dns_nameserver", |spec, value| spec.dns_nameserver = Some(value)),
    ("insecure_registry", |spec, value| {
        spec.insecure_registry = Some(value)
    }),
    ("fixed_subnet", |spec, value| spec.fixed_subnet = Some(value)),
    ("docker_storage_driver", |spec, value| {
        spec.docker_storage_driver = Some(value);
    }),
    ("volume_driver", |spec, value| spec.volume_driver = Some(value)),
    ("network_driver", |spec, value| spec.network_driver = Some(value)),
];

const HOSTILE: [&str; 14] = [
    "kit'kit",
    "kit\"kit",
    "`touch kit`",
    "$(touch kit)",
    "a'; touch kit; '",
    "a\" && touch kit && \"",
    "a\ntouch kit",
    "a\r\nX-Header: kit",
    "\0",
    "{{kit}}",
    "- kit: [",
    "http://a/$(touch kit)",
    "10.0.0.1'`touch kit`",
    "ä\u{202e}kit",
];

/// What a shell reads: none of it may come to a script from a tenant.
const READ_BY_SHELLS: [char; 6] = ['\'', '"', '`', '$', '\n', '\\'];

pub(super) async fn check(driver: &Arc<dyn ClusterDriver>, report: &mut Report) {
    if let Err(error) = run(driver, report).await {
        report.found("hostile", "a cluster with a hostile value", error.to_string());
    }
}

async fn run(driver: &Arc<dyn ClusterDriver>, report: &mut Report) -> Result<()> {
    let descriptor = driver.descriptor();
    let Some(kind) = descriptor.provides.first() else {
        return Ok(());
    };
    let place = Place::with(driver).await?;
    let (mut refused, mut taken) = (0, Vec::new());
    let long = "x".repeat(70_000);
    let values = || HOSTILE.into_iter().chain([long.as_str()]);
    for (field, set) in FIELDS {
        for value in values() {
            let mut template = matrix::plain(descriptor, kind).template;
            set(&mut template, value.to_owned());
            ask(&place, field, value, template, &mut refused, &mut taken, report).await;
        }
    }
    let texts = descriptor.labels.iter();
    let texts = texts.filter(|schema| matches!(schema.value, LabelType::Text { .. }));
    for schema in texts {
        let field = format!("labels.{}", schema.key);
        for value in values() {
            let template = matrix::plain(descriptor, kind)
                .template
                .with_label(&schema.key, value);
            ask(&place, &field, value, template, &mut refused, &mut taken, report).await;
        }
    }
    let taken_count = taken.len();
    let plain = made(driver, matrix::plain(descriptor, kind).template, "").await?;
    for (field, value, template) in taken {
        let shown: String = value.chars().take(40).collect();
        let case = format!("{field} = {shown:?}");
        match (made(driver, template, &value).await?, &plain) {
            (Made::Whole(kinds, _), Made::Whole(usual, _)) if kinds != *usual => {
                report.found(
                    "hostile",
                    case,
                    format!("it makes {kinds:?} instead of {usual:?}"),
                );
            }
            (Made::Whole(_, true), _) => {
                report.found(
                    "hostile",
                    case,
                    "it came as it is into what a server is told at its boot",
                );
            }
            _ => {}
        }
    }
    report.did(format!(
        "hostile: {refused} values refused by their field, {taken_count} accepted and looked for on the servers"
    ));
    Ok(())
}

type Taken = Vec<(String, String, TemplateSpec)>;

async fn ask(
    place: &Place,
    field: &str,
    value: &str,
    template: TemplateSpec,
    refused: &mut usize,
    taken: &mut Taken,
    report: &mut Report,
) {
    match place.magnum.create_template(&place.cx, template.clone()).await {
        Ok(_) => taken.push((field.to_owned(), value.to_owned(), template)),
        Err(error) => {
            let base = field.split('_').next().unwrap_or(field);
            if error
                .problems()
                .iter()
                .any(|p| p.field == field || p.field.starts_with(base))
            {
                *refused += 1;
            } else {
                report.found("hostile", field, format!("refused, but not by its name: {error}"));
            }
        }
    }
}

/// What came of a cluster: how much there is of each kind, and whether the value is in a server's user data.
enum Made {
    Whole(BTreeMap<&'static str, usize>, bool),
    Failed,
}

async fn made(driver: &Arc<dyn ClusterDriver>, template: TemplateSpec, value: &str) -> Result<Made> {
    let place = Place::with(driver).await?;
    let masters = driver.descriptor().masters.0.max(1);
    let accepted = place
        .accept(template, |spec| spec.with_master_count(masters))
        .await;
    let Ok(accepted) = accepted else {
        return Ok(Made::Failed);
    };
    let ended = place.settled(accepted.id).await?;
    if ended.is_none_or(|cluster| cluster.status != ClusterStatus::CREATE_COMPLETE) {
        return Ok(Made::Failed);
    }
    let read = value.contains(READ_BY_SHELLS);
    let told = place.cloud.with(|world| {
        let mut servers = world.compute.servers();
        servers.any(|server| {
            server
                .user_data
                .as_ref()
                .is_some_and(|data| read && data.contains(value))
        })
    });
    Ok(Made::Whole(place.beyond().into_iter().collect(), told))
}
