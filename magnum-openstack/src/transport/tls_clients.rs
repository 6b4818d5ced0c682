//! A bounded number of clients, one per TLS profile.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use magnum_core::TlsProfile;

type Make = dyn Fn(&TlsProfile) -> reqwest::Result<reqwest::Client> + Send + Sync;

/// Clients by TLS profile; the one used longest ago goes when there are too many.
pub(super) struct TlsClients {
    clients: Mutex<(u64, HashMap<TlsProfile, Kept>)>,
    limit: usize,
    make: Box<Make>,
}

struct Kept {
    client: reqwest::Client,
    used: u64,
}

impl TlsClients {
    pub(super) fn new(
        limit: usize,
        make: impl Fn(&TlsProfile) -> reqwest::Result<reqwest::Client> + Send + Sync + 'static,
    ) -> Self {
        Self {
            clients: Mutex::default(),
            limit: limit.max(1),
            make: Box::new(make),
        }
    }

    /// The client of a profile.
    pub(super) fn get(&self, profile: &TlsProfile) -> reqwest::Result<reqwest::Client> {
        let mut guard = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let (uses, clients) = &mut *guard;
        *uses += 1;
        if let Some(kept) = clients.get_mut(profile) {
            kept.used = *uses;
            return Ok(kept.client.clone());
        }
        let client = (self.make)(profile)?;
        if clients.len() >= self.limit {
            let oldest = clients.iter().min_by_key(|(_, kept)| kept.used);
            if let Some(oldest) = oldest.map(|(profile, _)| profile.clone()) {
                clients.remove(&oldest);
            }
        }
        let kept = Kept {
            client: client.clone(),
            used: *uses,
        };
        clients.insert(profile.clone(), kept);
        Ok(client)
    }

    #[cfg(test)]
    fn profiles(&self) -> Vec<TlsProfile> {
        let guard = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.keys().cloned().collect()
    }
}

impl fmt::Debug for TlsClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guard = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "TlsClients({} of {})", guard.1.len(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn the_client_used_longest_ago_goes() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let clients = TlsClients::new(2, move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(reqwest::Client::new())
        });
        let profile = |name: &str| TlsProfile::default().with_roots(name);
        for name in ["a", "b", "a", "c", "a"] {
            clients.get(&profile(name)).unwrap();
        }
        assert_eq!(made.load(Ordering::Relaxed), 3);
        let kept = clients.profiles();
        assert!(kept.contains(&profile("a")) && kept.contains(&profile("c")) && kept.len() == 2);
    }
}
