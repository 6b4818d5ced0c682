//! `OS::Heat::MultipartMime`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{names, software_config, text};
use crate::sim::World;
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};

#[derive(Debug)]
pub(crate) struct MultipartMime;

/// The text that a part's `config` is, or that is stored under it.
pub(crate) fn stored_text(world: &World, config: &str) -> String {
    world
        .heat
        .configs
        .get(config)
        .map_or_else(|| config.to_owned(), |stored| stored.config.clone())
}

fn part(content: &str, subtype: &str, filename: Option<&str>) -> String {
    let disposition = filename
        .map(|name| format!("Content-Disposition: attachment; filename=\"{name}\"\n"))
        .unwrap_or_default();
    if content.is_ascii() {
        return format!(
            "Content-Type: text/{subtype}; charset=\"us-ascii\"\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: 7bit\n{disposition}\n{content}"
        );
    }
    let encoded = BASE64_STANDARD.encode(content);
    let lines: Vec<&str> = (0..encoded.len())
        .step_by(76)
        .filter_map(|at| encoded.get(at..encoded.len().min(at + 76)))
        .collect();
    format!(
        "Content-Type: text/{subtype}; charset=\"utf-8\"\nMIME-Version: 1.0\n\
         Content-Transfer-Encoding: base64\n{disposition}\n{}\n",
        lines.join("\n")
    )
}

/// The parts of a multipart message, without its own header.
fn parts_of(message: &str) -> Vec<String> {
    let Some(boundary) = message
        .split("boundary=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .map(|boundary| format!("--{boundary}"))
    else {
        return vec![part(message, "plain", None)];
    };
    message
        .split(boundary.as_str())
        .skip(1)
        .filter(|piece| !piece.starts_with("--"))
        .map(|piece| piece.trim_start_matches('\n').trim_end_matches('\n').to_owned())
        .collect()
}

/// One message with these parts.
pub(crate) fn message(boundary: &str, parts: &[String]) -> String {
    let mut out = format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\nMIME-Version: 1.0\n\n");
    for part in parts {
        out.push_str(&format!("--{boundary}\n{part}\n"));
    }
    out.push_str(&format!("--{boundary}--\n"));
    out
}

impl Plugin for MultipartMime {
    fn kind(&self) -> &'static str {
        "OS::Heat::MultipartMime"
    }

    fn properties(&self) -> Vec<Prop> {
        let part = Prop::keys(
            "*",
            vec![
                Prop::text("config").required(),
                Prop::text("filename"),
                Prop::text("type")
                    .default("text")
                    .constrained(Constraint::allowed(&["text", "multipart"])),
                Prop::text("subtype"),
            ],
        );
        vec![
            Prop::list_of("parts", part),
            Prop::text("group").default("Heat::Ungrouped"),
            Prop::text("config"),
            Prop::map("options"),
            Prop::list("inputs"),
            Prop::list("outputs"),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["config"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let mut parts = Vec::new();
        for item in properties
            .get("parts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(item) = item.as_object() else { continue };
            let content = stored_text(
                op.world,
                item.get("config").and_then(Value::as_str).unwrap_or_default(),
            );
            if text(item, "type").as_deref() == Some("multipart") {
                parts.extend(parts_of(&content));
                continue;
            }
            let subtype = text(item, "subtype").unwrap_or_else(|| "plain".to_owned());
            parts.push(part(&content, &subtype, text(item, "filename").as_deref()));
        }
        let boundary = format!("==============={:019}==", op.world.seed_mut().next_u64() >> 1);
        let config = message(&boundary, &parts);
        software_config::store(op, &properties, config)?;
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        software_config::forget(op)
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let config = software_config::config_of(view);
        Ok(Attribute::whole(if name == "config" {
            config
        } else {
            json!({"config": config})
        }))
    }
}
