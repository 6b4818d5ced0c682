//! The ports of identifiers and of randomness.

use std::fmt;

use uuid::Uuid;

use crate::{Error, Result};

/// Makes identifiers.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// A new random UUID.
    fn uuid(&self) -> Uuid;
}

/// Makes random bytes that nobody can guess.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills the buffer.
    ///
    /// # Errors
    /// `Internal` when the system has no randomness to give.
    fn fill(&self, buffer: &mut [u8]) -> Result<()>;
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl IdSource for SystemRandom {
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}

impl Entropy for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<()> {
        getrandom::fill(buffer)
            .map_err(|error| Error::internal(format!("the system has no randomness: {error}")))
    }
}
