//! Stores: where the library keeps what it must not forget.

mod memory;
mod refusal;
#[cfg(feature = "sql")]
mod sql;

pub use memory::MemoryStore;
#[cfg(feature = "sql")]
pub use sql::SqlStore;
