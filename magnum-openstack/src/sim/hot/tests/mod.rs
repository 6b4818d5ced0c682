//! Tests of the language, judged by what the real service answers.

mod functions;
mod parameters;
mod robustness;
mod scalars;
mod sections;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::condition::Conditions;
use super::evaluate::{Scope, evaluate};
use super::expression::{Expr, Reading};
use super::*;

const HEAD: &str = "
parameters:
  text: {type: string, default: hello}
  number: {type: number, default: '3'}
  flag: {type: boolean, default: 'yes'}
  list: {type: comma_delimited_list, default: 'a,b,c'}
  json: {type: json, default: {a: [1, two], b: {c: d}}}
";
const CONDITIONS: &str = "
conditions:
  yes_it_is: {equals: [{get_param: number}, 3]}
  no_it_is_not: {not: yes_it_is}
";

/// A scope with parameters and one file, and no resources.
struct Bare(ParameterValues);

impl Scope for Bare {
    fn parameter(&self, name: &str) -> Result<Value, HeatError> {
        self.0.get(name)
    }

    fn reference(&self, resource: &str) -> Result<Value, HeatError> {
        Ok(Value::String(resource.to_owned()))
    }

    fn attribute(&self, _: &str, _: Option<&str>, _: &[Value]) -> Result<Value, HeatError> {
        Ok(Value::Null)
    }

    fn file(&self, key: &str) -> Option<String> {
        (key == "f.txt").then(|| "content".to_owned())
    }

    fn facade(&self, _: &str) -> Result<Value, HeatError> {
        Ok(Value::Null)
    }
}

fn values(template: &Template, given: Map<String, Value>) -> Result<ParameterValues, HeatError> {
    Ok(ParameterValues::new(
        template.schemas()?,
        &given,
        &Map::new(),
        Pseudo::default(),
    ))
}

fn run(version: &str, expression: &str) -> Result<Value, HeatError> {
    let conditions = if version >= "2016-10-14" { CONDITIONS } else { "" };
    let template = Template::new(parse_template(&format!(
        "heat_template_version: {version}{HEAD}{conditions}"
    ))?)?;
    let scope = Bare(values(&template, Map::new())?);
    let lookup = |name: &str| scope.parameter(name);
    let conditions = Conditions::new(template.version, template.raw.get("conditions"), &lookup)?;
    let reading = Reading {
        version: template.version,
        conditions: &conditions,
    };
    let expr = Expr::read(&parse_document(expression)?, "path", &reading)?;
    evaluate(&expr, &scope)
}

#[test]
fn functions_give_what_the_service_gives() {
    let mut wrong = Vec::new();
    for (version, expression, valid, expected) in functions::CASES {
        match (run(version, expression), valid) {
            (Ok(value), true) => {
                let expected: Value = serde_json::from_str(expected).unwrap();
                if !super::number::same(&value, &expected) {
                    wrong.push(format!("{version} {expression}: {value}, not {expected}"));
                }
            }
            (Err(error), false) if error.text == *expected => {}
            (other, _) => wrong.push(format!("{version} {expression}: {other:?}, not {expected}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        functions::CASES.len(),
        wrong.join("\n")
    );
}

#[test]
fn scalars_are_read_as_the_service_reads_them() {
    let mut wrong = Vec::new();
    for (text, valid, expected) in scalars::CASES {
        match (parse_document(text), valid) {
            (Ok(node), true) => {
                let expected: Value = serde_json::from_str(expected).unwrap();
                if node.to_value() != expected {
                    wrong.push(format!("{text:?}: {}, not {expected}", node.to_value()));
                }
            }
            (Err(_), false) => {}
            (other, _) => wrong.push(format!("{text:?}: {other:?}, not {expected}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        scalars::CASES.len(),
        wrong.join("\n")
    );
}

fn judge(schema: &str, given: &str) -> Result<Value, HeatError> {
    let template = Template::new(parse_template(&format!(
        "heat_template_version: 2018-08-31\nparameters:\n  p: {schema}\n"
    ))?)?;
    let mut map = Map::new();
    let given: Value = serde_json::from_str(given).unwrap();
    if !given.is_null() {
        map.insert("p".to_owned(), given);
    }
    let values = values(&template, map)?;
    values.validate(true, &|_, _| Ok(()))?;
    values.get("p")
}

#[test]
fn parameters_are_judged_as_the_service_judges_them() {
    let mut wrong = Vec::new();
    for (schema, given, valid, expected) in parameters::CASES {
        match (judge(schema, given), valid) {
            (Ok(value), true) => {
                let expected: Value = serde_json::from_str(expected).unwrap();
                if !super::number::same(&value, &expected) {
                    wrong.push(format!("{schema} {given}: {value}, not {expected}"));
                }
            }
            (Err(error), false) if format!("{}|{error}", error.kind.name()) == *expected => {}
            (other, _) => wrong.push(format!("{schema} {given}: {other:?}, not {expected}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        parameters::CASES.len(),
        wrong.join("\n")
    );
}

/// Files by name, for environments.
fn files(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}
