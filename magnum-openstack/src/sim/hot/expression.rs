//! Expressions: values of a template with their function calls recognised.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::condition::Conditions;
use super::error::{ErrorKind, HeatError};
use super::function::Function;
use super::node::Node;
use super::version::Version;

/// A value that may contain function calls. `if` is already decided: conditions depend on
/// parameters only, so the branch not taken never gets here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    /// A value without calls.
    Value(Value),
    List(Vec<Expr>),
    Map(Vec<(String, Expr)>),
    Call(Box<Call>),
    /// A branch that does not exist: the item around it is left out.
    Omitted,
}

/// One function call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) function: Function,
    /// The name as written.
    pub(crate) name: String,
    pub(crate) args: Expr,
    pub(crate) version: Version,
}

impl Call {
    /// The resource and the attribute that a `get_attr` asks for, as far as they are literal.
    pub(crate) fn attribute(&self) -> Option<(String, Option<String>)> {
        if self.function != Function::GetAttr {
            return None;
        }
        let item = |index: usize| match &self.args {
            Expr::Value(Value::Array(items)) => items.get(index).cloned(),
            Expr::List(items) => items.get(index).and_then(Expr::as_value),
            _ => None,
        };
        match (item(0), item(1)) {
            (Some(Value::String(resource)), Some(Value::String(attribute))) => {
                Some((resource, Some(attribute)))
            }
            (Some(Value::String(resource)), _) => Some((resource, None)),
            _ => None,
        }
    }
}

/// What parsing needs to know.
pub(crate) struct Reading<'a> {
    pub(crate) version: Version,
    pub(crate) conditions: &'a Conditions<'a>,
}

impl Expr {
    /// Recognises the calls in `node`, which stands at `path`.
    ///
    /// # Errors
    /// `StackValidationFailed` when the arguments of a call do not have its form.
    pub(crate) fn read(node: &Node, path: &str, reading: &Reading<'_>) -> Result<Self, HeatError> {
        match node {
            Node::List(items) => {
                let items: Result<Vec<_>, _> = items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| Self::read(item, &format!("{path}[{i}]"), reading))
                    .collect();
                Ok(Self::List(items?).folded())
            }
            Node::Map(entries) => {
                if let [(name, args)] = entries.as_slice()
                    && let Some(function) = Function::in_value(name, reading.version)
                {
                    return Self::read_call(function, name, args, &format!("{path}.{name}"), reading);
                }
                let entries: Result<Vec<_>, HeatError> = entries
                    .iter()
                    .map(|(k, v)| Ok((k.clone(), Self::read(v, &format!("{path}.{k}"), reading)?)))
                    .collect();
                Ok(Self::Map(entries?).folded())
            }
            scalar => Ok(Self::Value(scalar.to_value())),
        }
    }

    fn read_call(
        function: Function,
        name: &str,
        args: &Node,
        path: &str,
        reading: &Reading<'_>,
    ) -> Result<Self, HeatError> {
        if function == Function::If {
            return Self::read_if(name, args, path, reading);
        }
        if function == Function::Removed {
            return Err(HeatError::new(
                ErrorKind::InvalidTemplateVersion,
                format!(
                    "The template version is invalid: The function {name} is not supported in this version of HOT."
                ),
            ));
        }
        let args = Self::read(args, path, reading)?;
        super::form::check_form(function, name, &args, reading.version)
            .map_err(|text| HeatError::validation_at([path], text))?;
        Ok(Self::Call(Box::new(Call {
            function,
            name: name.to_owned(),
            args,
            version: reading.version,
        })))
    }

    fn read_if(name: &str, args: &Node, path: &str, reading: &Reading<'_>) -> Result<Self, HeatError> {
        let (condition, then, otherwise) = match args.as_list() {
            Some([condition, then, otherwise]) => (condition, then, Some(otherwise)),
            Some([condition, then]) if reading.version >= Version::V20210416 => (condition, then, None),
            _ => {
                let text = format!(
                    "Arguments to \"{name}\" must be of the form: [condition_name, value_if_true, value_if_false]"
                );
                return Err(HeatError::validation_at([path], text));
            }
        };
        match (reading.conditions.decide(condition, path)?, otherwise) {
            (true, _) => Self::read(then, path, reading),
            (false, Some(otherwise)) => Self::read(otherwise, path, reading),
            (false, None) => Ok(Self::Omitted),
        }
    }

    /// The same expression, as one value if no call is in it.
    fn folded(self) -> Self {
        match self {
            Self::List(items) if items.iter().all(|i| matches!(i, Self::Value(_))) => {
                Self::Value(Value::Array(
                    items
                        .into_iter()
                        .filter_map(|i| if let Self::Value(v) = i { Some(v) } else { None })
                        .collect(),
                ))
            }
            Self::Map(entries)
                if entries.iter().all(|(_, e)| matches!(e, Self::Value(_))) && !ordered(&entries) =>
            {
                Self::Value(Value::Object(
                    entries
                        .into_iter()
                        .filter_map(|(k, e)| {
                            if let Self::Value(v) = e {
                                Some((k, v))
                            } else {
                                None
                            }
                        })
                        .collect::<Map<_, _>>(),
                ))
            }
            other => other,
        }
    }

    /// The expression as a value, if no call is in it.
    pub(crate) fn as_value(&self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::List(items) => items
                .iter()
                .map(Self::as_value)
                .collect::<Option<Vec<_>>>()
                .map(Value::Array),
            Self::Map(entries) => entries
                .iter()
                .map(|(k, e)| e.as_value().map(|v| (k.clone(), v)))
                .collect::<Option<Map<_, _>>>()
                .map(Value::Object),
            Self::Call(_) | Self::Omitted => None,
        }
    }

    /// The item of a map under `key`.
    pub(crate) fn entry(&self, key: &str) -> Option<Expr> {
        match self {
            Self::Value(value) => value.get(key).cloned().map(Self::Value),
            Self::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, e)| e.clone()),
            _ => None,
        }
    }

    /// Calls `visit` for every call in the expression with the path to it.
    pub(crate) fn walk(&self, path: &str, visit: &mut dyn FnMut(&Call, &str)) {
        match self {
            Self::Value(_) | Self::Omitted => {}
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.walk(&format!("{path}[{index}]"), visit);
                }
            }
            Self::Map(entries) => {
                for (key, item) in entries {
                    item.walk(&format!("{path}.{key}"), visit);
                }
            }
            Self::Call(call) => {
                visit(call, path);
                call.args.walk(&format!("{path}.{}", call.name), visit);
            }
        }
    }

    /// The resources the expression refers to, each with the path of the first reference.
    pub(crate) fn references(&self, path: &str) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut seen = BTreeSet::new();
        self.walk(path, &mut |call, path| {
            let target = match call.function {
                Function::GetResource => call.args.as_value(),
                Function::GetAttr => match &call.args {
                    Self::Value(Value::Array(items)) => items.first().cloned(),
                    Self::List(items) => items.first().and_then(Self::as_value),
                    _ => None,
                },
                _ => None,
            };
            if let Some(Value::String(name)) = target
                && seen.insert(name.clone())
            {
                found.push((name, path.to_owned()));
            }
        });
        found
    }
}

/// Whether a map's order matters to its reader: only `for_each` of `repeat` does, and it is the
/// caller that looks; keep every map with more than one list in it as written.
fn ordered(entries: &[(String, Expr)]) -> bool {
    entries
        .iter()
        .filter(|(_, e)| matches!(e, Expr::Value(Value::Array(_))))
        .count()
        > 1
}
