//! The template language: parsing, parameters, functions, conditions and the dependency graph.
//!
//! Pure: nothing here knows a cloud, a clock or HTTP. What an expression needs from outside
//! (attributes, references, files) comes through `Scope`.

mod collections;
mod condition;
mod constraint;
mod digest;
mod environment;
mod error;
mod evaluate;
mod expression;
mod form;
mod function;
mod graph;
mod node;
mod number;
mod parameter;
mod parameter_values;
mod printing;
mod sections;
mod strings;
mod template;
mod url;
mod version;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use constraint::{Constraint, CustomCheck};
pub(crate) use environment::{Environment, RegistryEntry};
pub(crate) use error::{ErrorKind, HeatError};
pub(crate) use evaluate::{Scope, evaluate, evaluate_optional, select};
pub(crate) use expression::Expr;
pub(crate) use graph::check as check_graph;
pub(crate) use node::Node;
pub(crate) use number::{parse_bool, parse_number};
pub(crate) use parameter::{ParameterKind, ParameterSchema};
pub(crate) use parameter_values::{ParameterValues, Pseudo};
pub(crate) use printing::{dumps, py_repr, py_str};
pub(crate) use template::{Definition, DeletionPolicy, Output, Template};
#[cfg(test)]
pub(crate) use yaml::parse_document;
pub(crate) use yaml::parse_template;
