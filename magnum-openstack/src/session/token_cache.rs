//! Tokens kept per identity, one login at a time for each.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use jiff::Timestamp;
use magnum_core::Result;

use super::Token;

/// Under what a token is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Service,
    TrusteeDomainAdmin,
    Other([u8; 32]),
    Trust([u8; 32]),
    User([u8; 32]),
}

/// A login under way.
pub(crate) type Login = BoxFuture<'static, Result<Arc<Token>>>;

/// What the cache has.
pub(crate) enum Found {
    /// A token.
    Ready(Arc<Token>),
    /// A login to wait for; whoever waits drives it, and it ends with the last who does.
    Wait(Shared<Login>),
}

/// Tokens kept per identity. The lock is held for look-ups only.
pub(crate) struct TokenCache {
    slots: Mutex<Slots>,
    limit: usize,
}

#[derive(Default)]
struct Slots {
    by_key: HashMap<Key, Slot>,
    /// Counts uses; the slot with the smallest number was used longest ago.
    uses: u64,
}

#[derive(Default)]
struct Slot {
    token: Option<Arc<Token>>,
    login: Option<WeakShared<Login>>,
    used: u64,
}

impl TokenCache {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            slots: Mutex::default(),
            limit: limit.max(1),
        }
    }

    /// The kept token if it is fresh and not the `refused` one, else the login under way, else a new one.
    pub(crate) fn get(
        &self,
        key: &Key,
        now: Timestamp,
        refused: Option<&Arc<Token>>,
        login: impl FnOnce() -> Login,
    ) -> Found {
        let mut slots = self.lock();
        let slot = slots.slot(key, self.limit);
        let refused = |token: &Arc<Token>| refused.is_some_and(|other| other.value == token.value);
        slot.token
            .take_if(|token| token.renew_at <= now || refused(token));
        if let Some(token) = &slot.token {
            return Found::Ready(Arc::clone(token));
        }
        // A login that has ended left its token in the slot, or it failed: then it is tried anew.
        let under_way = slot.login.as_ref().and_then(WeakShared::upgrade);
        if let Some(login) = under_way.filter(|login| login.peek().is_none()) {
            return Found::Wait(login);
        }
        let login = login().shared();
        slot.login = login.downgrade();
        Found::Wait(login)
    }

    /// Keeps a token.
    pub(crate) fn put(&self, key: Key, token: &Arc<Token>) {
        let mut slots = self.lock();
        let slot = slots.slot(&key, self.limit);
        slot.token = Some(Arc::clone(token));
        slot.login = None;
    }

    /// Drops a token.
    pub(crate) fn forget(&self, key: &Key) {
        self.lock().by_key.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// The slot of a key, marked as used; the one used longest ago goes when there are too many.
    fn slot(&mut self, key: &Key, limit: usize) -> &mut Slot {
        self.uses += 1;
        if !self.by_key.contains_key(key) && self.by_key.len() >= limit {
            let oldest = self.by_key.iter().min_by_key(|(_, slot)| slot.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.by_key.remove(&oldest);
            }
        }
        let slot = self.by_key.entry(key.clone()).or_default();
        slot.used = self.uses;
        slot
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCache({} of {})", self.lock().by_key.len(), self.limit)
    }
}
