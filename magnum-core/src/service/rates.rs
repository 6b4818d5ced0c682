//! How often somebody may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::{Error, ErrorKind, Result};

/// More askers than this are not told apart: those who have not asked for a minute are forgotten.
const MOST: usize = 10_000;

/// Counts requests by who makes them, in this process: so many a minute, and as many at once.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    left: Mutex<HashMap<String, Left>>,
}

/// What somebody has left, and since when.
#[derive(Clone, Copy, Debug)]
struct Left {
    requests: f64,
    at: Timestamp,
}

impl Rates {
    /// Counts a request of `who`.
    ///
    /// # Errors
    /// `RateLimited` says when the next one will be taken.
    pub(crate) fn count(&self, now: Timestamp, who: &str, per_minute: u32) -> Result<()> {
        let most = f64::from(per_minute.max(1));
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(who) {
            all.retain(|_, left| seconds_since(left.at, now) < 60.0);
        }
        let before = all.get(who).copied().unwrap_or(Left {
            requests: most,
            at: now,
        });
        let regained = seconds_since(before.at, now) * most / 60.0;
        let requests = (before.requests + regained).min(most);
        if requests < 1.0 {
            let wait = ((1.0 - requests) * 60.0 / most).ceil();
            let message = format!("more than {per_minute} requests a minute; the next is taken in {wait} s");
            return Err(Error::new(ErrorKind::RateLimited, message));
        }
        if all.len() < MOST || all.contains_key(who) {
            let requests = requests - 1.0;
            all.insert(who.to_owned(), Left { requests, at: now });
        }
        Ok(())
    }
}

fn seconds_since(before: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(before).as_secs_f64().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn so_many_at_once_and_so_many_a_minute() {
        let rates = Rates::default();
        let taken = |second, who| {
            (0..100)
                .filter(|_| rates.count(at(second), who, 30).is_ok())
                .count()
        };
        assert_eq!(taken(0, "a"), 30);
        assert_eq!(taken(0, "a"), 0);
        assert_eq!(taken(0, "b"), 30, "others are not held up");
        assert_eq!(taken(10, "a"), 5);
        assert_eq!(taken(1000, "a"), 30, "what is not used is not saved up");
        let error = rates.count(at(1000), "a", 30).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert!(error.to_string().contains("the next is taken in 2 s"), "{error}");
        assert_eq!(taken(900, "a"), 0, "a clock that goes back gives nothing");
    }

    #[test]
    fn it_forgets_who_has_long_not_asked() {
        let rates = Rates::default();
        for who in 0..MOST + 10 {
            rates.count(at(0), &who.to_string(), 1).unwrap();
        }
        assert_eq!(rates.left.lock().unwrap().len(), MOST);
        assert!(rates.count(at(1), "0", 1).is_err(), "those known stay limited");
        rates.count(at(61), "new", 1).unwrap();
        assert_eq!(rates.left.lock().unwrap().len(), 1);
    }
}
