//! Private keys for simulations and tests.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use magnum_core::{KeySource, Result, Secret};

const KEYS: [&str; 8] = [
    include_str!("../fixtures/key-0.pem"),
    include_str!("../fixtures/key-1.pem"),
    include_str!("../fixtures/key-2.pem"),
    include_str!("../fixtures/key-3.pem"),
    include_str!("../fixtures/key-4.pem"),
    include_str!("../fixtures/key-5.pem"),
    include_str!("../fixtures/key-6.pem"),
    include_str!("../fixtures/key-7.pem"),
];

/// Eight RSA-2048 keys that are **known to the whole world**: they are in this project's repository.
///
/// They cost no time and are the same in every run, which is what a simulation needs and nothing else may
/// use. Therefore an [`OpenSslAuthority`](crate::OpenSslAuthority) refuses them, as its own keys and in
/// requests, unless it was told to accept them.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use magnum_certs::{FixtureKeys, OpenSslAuthority};
/// use magnum_core::{Authority, ErrorKind};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> magnum_core::Result<()> {
/// let keys = Arc::new(FixtureKeys::danger_seeded(7));
/// let year = Duration::from_secs(365 * 24 * 3600);
///
/// let real = OpenSslAuthority::system(keys.clone());
/// let refused = real.create_ca("c1", year).await.map_err(|error| error.kind());
/// assert_eq!(refused.err(), Some(ErrorKind::Configuration));
///
/// let simulated = OpenSslAuthority::system(keys).danger_accept_fixture_keys();
/// simulated.create_ca("c1", year).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FixtureKeys {
    next: AtomicUsize,
}

impl FixtureKeys {
    /// Keys in an order that depends on `seed` only; after eight they come again.
    ///
    /// # Danger
    /// Whoever reads this project's repository has these keys.
    #[must_use]
    pub fn danger_seeded(seed: u64) -> Self {
        Self {
            next: AtomicUsize::new(usize::try_from(seed % 8).unwrap_or_default()),
        }
    }
}

#[async_trait]
impl KeySource for FixtureKeys {
    async fn generate(&self) -> Result<Secret> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % KEYS.len();
        Ok(Secret::new(KEYS[turn]))
    }
}
