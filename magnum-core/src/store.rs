//! Stores: where the library keeps what it must not forget.

mod memory;
mod refusal;

pub use memory::MemoryStore;
