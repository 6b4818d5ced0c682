//! The one decision whether a request is sent again.

use std::time::Duration;

use jiff::Timestamp;

/// How often a request is sent at most.
pub(crate) const ATTEMPTS: u32 = 5;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Why an attempt did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The peer surely saw nothing of it.
    NotSent,
    /// The connection broke; it may have had its effect.
    Lost,
    /// The attempt's time was up; it may have had its effect.
    TimedOut,
    /// The service answered with this status.
    Status { code: u16, after: Option<Duration> },
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It stays at that.
    GiveUp,
    /// Send it again after a pause.
    Again(Duration),
}

/// Decides after the `attempt`-th failed attempt (counted from 1), with `remaining` time for the call.
///
/// What is not repeatable is sent again only when it surely had no effect: it never left, or the service
/// refused to look at it (429). `jitter` in 0..=1 spreads callers that failed together.
pub(crate) fn verdict(
    repeatable: bool,
    failure: Failure,
    attempt: u32,
    remaining: Duration,
    jitter: f64,
) -> Verdict {
    if attempt >= ATTEMPTS {
        return Verdict::GiveUp;
    }
    let asked = match failure {
        Failure::NotSent => None,
        Failure::Status { code: 429, after } => after,
        // Nova's and Cinder's older way to say 429; only with Retry-After is it not about size.
        Failure::Status {
            code: 413,
            after: Some(after),
        } => Some(after),
        Failure::Lost | Failure::TimedOut if repeatable => None,
        Failure::Status {
            code: 408 | 500 | 502..=504,
            after,
        } if repeatable => after,
        Failure::Lost | Failure::TimedOut | Failure::Status { .. } => return Verdict::GiveUp,
    };
    let pause = asked.unwrap_or_else(|| backoff(attempt, jitter));
    if pause >= remaining {
        return Verdict::GiveUp;
    }
    Verdict::Again(pause)
}

/// Doubles from half a second up to a quarter of a minute; the second half of each pause is jitter.
fn backoff(attempt: u32, jitter: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled
        .min(LONGEST_PAUSE)
        .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// The pause that `Retry-After` asks for: seconds, or a date.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLENTY: Duration = Duration::from_secs(100);

    fn status(code: u16, after: Option<u64>) -> Failure {
        Failure::Status {
            code,
            after: after.map(Duration::from_secs),
        }
    }

    #[test]
    fn facts_decide() {
        let pause = Verdict::Again(Duration::from_millis(500));
        let asked = |seconds| Verdict::Again(Duration::from_secs(seconds));
        let table = [
            // (failure, verdict for a POST, verdict for a GET)
            (Failure::NotSent, pause, pause),
            (Failure::Lost, Verdict::GiveUp, pause),
            (Failure::TimedOut, Verdict::GiveUp, pause),
            (status(429, None), pause, pause),
            (status(429, Some(7)), asked(7), asked(7)),
            (status(429, Some(1000)), Verdict::GiveUp, Verdict::GiveUp),
            (status(413, None), Verdict::GiveUp, Verdict::GiveUp),
            (status(413, Some(3)), asked(3), asked(3)),
            (status(408, None), Verdict::GiveUp, pause),
            (status(500, None), Verdict::GiveUp, pause),
            (status(501, None), Verdict::GiveUp, Verdict::GiveUp),
            (status(503, Some(4)), Verdict::GiveUp, asked(4)),
            (status(504, None), Verdict::GiveUp, pause),
            (status(400, None), Verdict::GiveUp, Verdict::GiveUp),
            (status(401, None), Verdict::GiveUp, Verdict::GiveUp),
            (status(409, None), Verdict::GiveUp, Verdict::GiveUp),
        ];
        for (failure, post, get) in table {
            assert_eq!(verdict(false, failure, 1, PLENTY, 1.0), post, "POST, {failure:?}");
            assert_eq!(verdict(true, failure, 1, PLENTY, 1.0), get, "GET, {failure:?}");
        }
    }

    #[test]
    fn attempts_and_time_end() {
        assert_eq!(
            verdict(true, Failure::NotSent, ATTEMPTS, PLENTY, 0.0),
            Verdict::GiveUp
        );
        let short = Duration::from_millis(10);
        assert_eq!(verdict(true, Failure::NotSent, 1, short, 0.0), Verdict::GiveUp);
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pauses: Vec<_> = (1..=40).map(|attempt| backoff(attempt, 1.0)).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
        assert_eq!(backoff(1, 0.0), Duration::from_millis(250));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(retry_after(" 5 ", now), Some(Duration::from_secs(5)));
        assert_eq!(
            retry_after("Thu, 01 Jan 2026 00:00:30 GMT", now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            retry_after("Wed, 31 Dec 2025 23:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("soon", now), None);
    }
}
