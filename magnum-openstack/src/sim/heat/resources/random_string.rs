//! `OS::Heat::RandomString`.

use serde_json::{Map, Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};

#[derive(Debug)]
pub(crate) struct RandomString;

fn characters(class: &str) -> &'static str {
    match class {
        "letters" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "uppercase" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "lowercase" => "abcdefghijklmnopqrstuvwxyz",
        "digits" => "0123456789",
        "hexdigits" => "0123456789ABCDEF",
        "octdigits" => "01234567",
        _ => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    }
}

impl RandomString {
    fn pick(op: &mut Operation<'_>, letters: &str) -> Option<char> {
        let letters: Vec<char> = letters.chars().collect();
        let count = u64::try_from(letters.len()).ok().filter(|n| *n > 0)?;
        let at = op.world.seed_mut().next_u64() % count;
        letters.get(usize::try_from(at).ok()?).copied()
    }
}

impl Plugin for RandomString {
    fn kind(&self) -> &'static str {
        "OS::Heat::RandomString"
    }

    fn properties(&self) -> Vec<Prop> {
        let classes = [
            "lettersdigits",
            "letters",
            "lowercase",
            "uppercase",
            "digits",
            "hexdigits",
            "octdigits",
        ];
        let class = Prop::keys(
            "*",
            vec![
                Prop::text("class")
                    .constrained(Constraint::allowed(&classes))
                    .default("lettersdigits"),
                Prop::integer("min")
                    .constrained(Constraint::range(Some(1), Some(512)))
                    .default(1),
            ],
        );
        let sequence = Prop::keys(
            "*",
            vec![
                Prop::text("sequence").required(),
                Prop::integer("min")
                    .constrained(Constraint::range(Some(1), Some(512)))
                    .default(1),
            ],
        );
        vec![
            Prop::integer("length")
                .constrained(Constraint::range(Some(1), Some(512)))
                .default(32),
            Prop::text("sequence").constrained(Constraint::allowed(&classes)),
            Prop::list_of("character_classes", class)
                .constrained(Constraint::length(Some(1), None))
                .default(json!([{"class": "lettersdigits", "min": 1}])),
            Prop::list_of("character_sequences", sequence),
            Prop::text("salt"),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["value"])
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let length = properties.get("length").and_then(Value::as_u64).unwrap_or(32);
        let length = usize::try_from(length).unwrap_or(32);
        let mut pools: Vec<(String, u64)> = Vec::new();
        let minimum = |entry: &Map<String, Value>| entry.get("min").and_then(Value::as_u64).unwrap_or(1);
        for entry in properties
            .get("character_sequences")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(entry) = entry.as_object() {
                pools.push((text(entry, "sequence").unwrap_or_default(), minimum(entry)));
            }
        }
        if let Some(class) = text(&properties, "sequence") {
            pools.push((characters(&class).to_owned(), 1));
        } else if pools.is_empty() {
            for entry in properties
                .get("character_classes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if let Some(entry) = entry.as_object() {
                    pools.push((
                        characters(&text(entry, "class").unwrap_or_default()).to_owned(),
                        minimum(entry),
                    ));
                }
            }
        }
        let mut out: Vec<char> = Vec::new();
        for (letters, minimum) in &pools {
            for _ in 0..*minimum {
                out.extend(Self::pick(op, letters));
            }
        }
        let all: String = pools.iter().map(|(letters, _)| letters.as_str()).collect();
        while out.len() < length {
            match Self::pick(op, &all) {
                Some(letter) => out.push(letter),
                None => break,
            }
        }
        out.truncate(length);
        for at in (1..out.len()).rev() {
            let other = op.world.seed_mut().next_u64() % (u64::try_from(at).unwrap_or(0) + 1);
            out.swap(at, usize::try_from(other).unwrap_or(0));
        }
        op.keep("value", out.into_iter().collect::<String>());
        let name = op.physical_name()?;
        op.set_physical_id(name);
        Ok(Step::Done)
    }

    fn reference(&self, view: &View<'_>) -> String {
        view.resource
            .data_text("value")
            .unwrap_or(&view.resource.name)
            .to_owned()
    }

    fn attribute(&self, view: &View<'_>, _name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        Ok(Attribute::whole(json!(view.resource.data_text("value"))))
    }
}
