//! Patches: changes of an object, attribute by attribute.

use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation, jsonptr};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::attribute_values::typed;
use crate::{Error, Problem, Result, one_line, shown};

/// A change of a template or a cluster, in the form of RFC 6902: `add`, `replace` and `remove` of attributes by path.
///
/// It is done as a whole or not at all, and what comes of it is checked like a new object.
///
/// ```
/// use magnum_core::Patch;
/// let patch = Patch::new().replace("/node_count", 8);
/// let read = Patch::from_json(&serde_json::json!([{"op": "replace", "path": "/node_count", "value": 8}]))?;
/// assert_eq!(patch, read);
/// # Ok::<(), magnum_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    operations: Vec<PatchOperation>,
}

impl Patch {
    /// A patch that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A patch as it comes over the wire: a list of objects with `op`, `path` and, but for a removal, `value`.
    ///
    /// # Errors
    /// `InvalidInput` when it is no such list.
    pub fn from_json(patch: &Value) -> Result<Self> {
        let operations = serde_json::from_value(patch.clone())
            .map_err(|error| Error::field("patch", patch, format!("no JSON patch (RFC 6902): {error}")))?;
        Ok(Self { operations })
    }

    /// Adds an attribute that has no value, or a key to a map.
    ///
    /// `path` is a JSON pointer like `/labels/flannel_backend`; without a slash it is an attribute's name.
    #[must_use]
    pub fn add(mut self, path: &str, value: impl Into<Value>) -> Self {
        let (path, value) = (pointer(path), value.into());
        self.operations
            .push(PatchOperation::Add(AddOperation { path, value }));
        self
    }

    /// Replaces the value of an attribute, or of a key in a map.
    #[must_use]
    pub fn replace(mut self, path: &str, value: impl Into<Value>) -> Self {
        let (path, value) = (pointer(path), value.into());
        self.operations
            .push(PatchOperation::Replace(ReplaceOperation { path, value }));
        self
    }

    /// Sets an attribute back to its default, or removes a key from a map.
    #[must_use]
    pub fn remove(mut self, path: &str) -> Self {
        let path = pointer(path);
        self.operations
            .push(PatchOperation::Remove(RemoveOperation { path }));
        self
    }

    /// This patch, then another one.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        self
    }

    /// The attributes that it names.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = String> {
        self.operations
            .iter()
            .filter_map(|operation| attribute(operation.path()))
    }

    /// What becomes of `document`, an object that has a key for each of its attributes.
    pub(crate) fn apply<T: DeserializeOwned>(
        &self,
        document: &Value,
        rule: impl Fn(&str) -> Rule,
    ) -> Result<T> {
        let mut changed = document.clone();
        let mut problems = Vec::new();
        for operation in &self.operations {
            problems.extend(apply_one(&mut changed, operation, &rule));
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        typed(document, changed)
    }
}

/// What a patch may do with an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    /// All; removed it is this.
    Free { default: Value },
    /// Not be removed.
    Kept { why: &'static str },
    /// Be replaced, or removed, which sets it to this; it always has a value, so it is never added.
    Counted { default: Value },
    /// Nothing.
    Fixed { why: String },
}

fn pointer(path: &str) -> jsonptr::PointerBuf {
    let rooted = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    // What is no pointer, because of a stray `~`, names an attribute that does not exist.
    jsonptr::PointerBuf::parse(rooted).unwrap_or_else(|_| jsonptr::PointerBuf::from_tokens([path]))
}

/// The attribute that a path leads to or into.
fn attribute(path: &jsonptr::Pointer) -> Option<String> {
    path.first().map(|token| token.decoded().into_owned())
}

fn apply_one(
    document: &mut Value,
    operation: &PatchOperation,
    rule: impl Fn(&str) -> Rule,
) -> Option<Problem> {
    let (given, verb) = match operation {
        PatchOperation::Add(add) => (add.value.clone(), "add"),
        PatchOperation::Replace(replace) => (replace.value.clone(), "replace"),
        PatchOperation::Remove(_) => (Value::Null, "remove"),
        PatchOperation::Move(_) | PatchOperation::Copy(_) | PatchOperation::Test(_) => {
            let path = operation.path();
            return Some(Problem::new("patch", path, "add, replace and remove are allowed"));
        }
    };
    let path = operation.path();
    let Some(attribute) = attribute(path) else {
        return Some(Problem::new(
            "patch",
            "",
            "a path names an attribute, like /node_count",
        ));
    };
    let field = shown(&path.to_string()[1..].replace('/', "."));
    let refused = |message: &str| {
        let value = match &given {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Some(Problem::new(&field, value, message))
    };
    let rule = rule(&attribute);
    if let Rule::Fixed { why } = &rule {
        return refused(why);
    }
    if path.count() > 1 {
        return json_patch::patch(document, std::slice::from_ref(operation))
            .err()
            .and_then(|error| refused(&one_line(&error.kind.to_string())));
    }
    let value = match (verb, rule) {
        ("add", Rule::Counted { .. }) => return refused("it always has a value: replace it"),
        ("add", _) if !document.get(&attribute).is_none_or(Value::is_null) => {
            return refused("it has a value: replace it");
        }
        ("remove", Rule::Kept { why }) => return refused(why),
        (_, Rule::Kept { why }) if given.is_null() => return refused(why),
        ("remove", Rule::Free { default } | Rule::Counted { default }) => default,
        _ => given.clone(),
    };
    if let Value::Object(fields) = document {
        fields.insert(attribute, value);
    }
    None
}

#[cfg(test)]
mod tests;
