//! Conditions: named truths over parameters.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::error::HeatError;
use super::function::Function;
use super::node::Node;
use super::number::same;
use super::printing::py_str;
use super::version::Version;

/// How a condition learns a parameter's value.
pub(crate) type ParameterLookup<'a> = dyn Fn(&str) -> Result<Value, HeatError> + 'a;

/// The `conditions` section, evaluated on demand.
pub(crate) struct Conditions<'a> {
    version: Version,
    definitions: Vec<(String, Node)>,
    parameter: &'a ParameterLookup<'a>,
    known: RefCell<BTreeMap<String, Option<bool>>>,
}

impl<'a> Conditions<'a> {
    /// The conditions of a template over the parameters that `parameter` finds.
    ///
    /// # Errors
    /// When the section is not a map of definitions.
    pub(crate) fn new(
        version: Version,
        section: Option<&Node>,
        parameter: &'a ParameterLookup<'a>,
    ) -> Result<Self, HeatError> {
        let definitions = match section {
            None => Vec::new(),
            Some(node) if node.is_falsy() => Vec::new(),
            Some(Node::Map(entries)) => entries.clone(),
            Some(other) => {
                let text = format!(
                    "Condition definitions must be a map. Found a {} instead",
                    other.type_name()
                );
                return Err(HeatError::validation(text).with_origin("Conditions validation error"));
            }
        };
        Ok(Self {
            version,
            definitions,
            parameter,
            known: RefCell::new(BTreeMap::new()),
        })
    }

    /// Evaluates every definition, to find mistakes early.
    pub(crate) fn validate(&self) -> Result<(), HeatError> {
        for (name, _) in &self.definitions {
            self.named(name)?;
        }
        Ok(())
    }

    /// Whether the condition `name` holds.
    fn named(&self, name: &str) -> Result<bool, HeatError> {
        let broken = |text: String| HeatError::validation(text).with_origin("Condition validation error");
        match self.known.borrow().get(name) {
            Some(Some(known)) => return Ok(*known),
            Some(None) => return Err(broken(format!("Circular definition for condition \"{name}\""))),
            None => {}
        }
        let Some((_, definition)) = self.definitions.iter().find(|(n, _)| n == name) else {
            return Err(HeatError::validation(format!("Invalid condition \"{name}\"")));
        };
        self.known.borrow_mut().insert(name.to_owned(), None);
        let path = format!("conditions.{name}");
        let invalid = |value: &Value| {
            broken(format!(
                "The definition of condition \"{name}\" is invalid: {}",
                py_str(value)
            ))
        };
        let result = match definition {
            Node::Bool(b) => *b,
            Node::Map(_) => match self.resolve(definition, &path)? {
                Value::Bool(b) => b,
                other => return Err(invalid(&other)),
            },
            other => return Err(invalid(&other.to_value())),
        };
        self.known.borrow_mut().insert(name.to_owned(), Some(result));
        Ok(result)
    }

    /// Whether the condition that `node` names or spells holds.
    ///
    /// # Errors
    /// When it is no condition.
    pub(crate) fn decide(&self, node: &Node, path: &str) -> Result<bool, HeatError> {
        let value = self.resolve(node, path)?;
        self.truth(&value)
    }

    fn truth(&self, value: &Value) -> Result<bool, HeatError> {
        match value {
            Value::Bool(b) => Ok(*b),
            Value::Null => Ok(true),
            Value::String(name) => self.named(name),
            other => Err(HeatError::validation(format!(
                "Invalid condition \"{}\"",
                py_str(other)
            ))),
        }
    }

    fn resolve(&self, node: &Node, path: &str) -> Result<Value, HeatError> {
        match node {
            Node::List(items) => {
                let values: Result<Vec<_>, _> = items.iter().map(|i| self.resolve(i, path)).collect();
                Ok(Value::Array(values?))
            }
            Node::Map(entries) => {
                if let [(name, args)] = entries.as_slice() {
                    let inner = format!("{path}.{name}");
                    if let Some(function) = Function::in_condition(name, self.version) {
                        return self.call(function, name, args, &inner);
                    }
                    if Function::in_value(name, self.version).is_some() {
                        let text =
                            format!("The function {name} is not supported in this context: conditions.");
                        return Err(HeatError::validation_at(
                            [inner],
                            format!("Invalid function \"{name}\"; {text}"),
                        ));
                    }
                }
                let values: Result<serde_json::Map<_, _>, HeatError> = entries
                    .iter()
                    .map(|(k, v)| Ok((k.clone(), self.resolve(v, path)?)))
                    .collect();
                Ok(Value::Object(values?))
            }
            scalar => Ok(scalar.to_value()),
        }
    }

    fn call(&self, function: Function, name: &str, args: &Node, path: &str) -> Result<Value, HeatError> {
        let fail = |text: String| HeatError::validation_at([path], text);
        match function {
            Function::GetParam => {
                let args = self.resolve(args, path)?;
                super::evaluate::get_param(name, &args, self.parameter)
            }
            Function::Equals => match args.as_list() {
                Some([left, right]) => Ok(Value::Bool(same(
                    &self.resolve(left, path)?,
                    &self.resolve(right, path)?,
                ))),
                _ => Err(fail(format!(
                    "Arguments to \"{name}\" must be of the form: [value_1, value_2]"
                ))),
            },
            Function::Not => {
                if *args == Node::Null {
                    return Err(fail(format!("Argument to \"{name}\" must be a condition")));
                }
                Ok(Value::Bool(!self.decide(args, path)?))
            }
            Function::And | Function::Or => {
                let Some(items) = args.as_list() else {
                    return Err(fail(format!(
                        "Arguments to \"{name}\" must be a list of conditions"
                    )));
                };
                if items.len() < 2 {
                    return Err(fail(format!(
                        "The minimum number of condition arguments to \"{name}\" is 2."
                    )));
                }
                let all = function == Function::And;
                for item in items {
                    if self.decide(item, path)? != all {
                        return Ok(Value::Bool(!all));
                    }
                }
                Ok(Value::Bool(all))
            }
            Function::Contains => match args.as_list() {
                Some([item, list]) => {
                    super::collections::contains(name, &self.resolve(item, path)?, &self.resolve(list, path)?)
                        .map_err(fail)
                }
                _ => Err(fail(format!(
                    "Arguments to \"{name}\" must be of the form: [value1, [value1, value2]]"
                ))),
            },
            _ => Err(fail(format!(
                "The function {name} is not evaluated by this cloud."
            ))),
        }
    }
}
