//! The engine: what happens to stacks, and when.

pub(crate) mod begin;
pub(crate) mod decision;
pub(crate) mod finish;
pub(crate) mod load;
pub(crate) mod nested;
pub(crate) mod queue;
pub(crate) mod scope;
pub(crate) mod signal;
pub(crate) mod traversal;
pub(crate) mod validate;
pub(crate) mod work;
