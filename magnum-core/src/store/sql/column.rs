//! How values look in columns.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

/// A text as a column holds it: some databases cannot hold the character NUL, so it is written as twice the
/// character after it, and that one with the next behind it. Texts stay in their order, byte for byte.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['\0', '\u{1}']) {
        Cow::Owned(text.replace('\u{1}', "\u{1}\u{2}").replace('\0', "\u{1}\u{1}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that a column holds.
pub(super) fn unescaped(held: String) -> String {
    if !held.contains('\u{1}') {
        return held;
    }
    let mut text = String::with_capacity(held.len());
    let mut characters = held.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1}' => text.push(match characters.next() {
                Some('\u{1}') => '\0',
                _ => '\u{1}',
            }),
            plain => text.push(plain),
        }
    }
    text
}

/// A time at which something is due, in milliseconds, never too early.
pub(super) fn due(at: Timestamp) -> i64 {
    let whole = at.as_millisecond();
    let more = at.as_nanosecond() > i128::from(whole) * 1_000_000;
    whole.saturating_add(i64::from(more))
}

/// The time of a number of milliseconds.
pub(super) fn instant(milliseconds: i64) -> Timestamp {
    let limit = if milliseconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(milliseconds).unwrap_or(limit)
}

/// A length of time in whole milliseconds; what would reach beyond all timestamps is cut.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    const LIMIT: i64 = 1000 * 60 * 60 * 24 * 365 * 1000;
    i64::try_from(duration.as_millis()).unwrap_or(LIMIT).min(LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escaping_is_undone(text in r"[\x00-\x03a]{0,8}|.{0,20}") {
            prop_assert!(!escaped(&text).contains('\0'));
            prop_assert_eq!(unescaped(escaped(&text).into_owned()), text);
        }

        #[test]
        fn escaping_keeps_the_order(left in r"[\x00-\x03a]{0,8}|.{0,20}", right in r"[\x00-\x03a]{0,8}|.{0,20}") {
            prop_assert_eq!(escaped(&left).cmp(&escaped(&right)), left.cmp(&right));
        }

        #[test]
        fn due_times_are_never_early(nanoseconds in any::<i64>()) {
            let at = Timestamp::from_nanosecond(nanoseconds.into()).unwrap();
            let kept = instant(due(at));
            prop_assert!(kept >= at);
            prop_assert!(kept.duration_since(at) < jiff::SignedDuration::from_millis(1));
        }
    }

    #[test]
    fn extremes_are_kept_within_range() {
        assert_eq!(instant(i64::MAX), Timestamp::MAX);
        assert_eq!(instant(i64::MIN), Timestamp::MIN);
        assert!(milliseconds(Duration::MAX) > 0);
        assert_eq!(milliseconds(Duration::from_secs(2)), 2000);
    }
}
