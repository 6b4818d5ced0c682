//! How long a stack waits for its nodes.

/// Heat's longest wait, in seconds.
const LONGEST: u32 = 43_200;

/// What `create_timeout` means when it is zero, in minutes.
const DEFAULT_MINUTES: u32 = 60;

/// Seconds that a node has to report, for a cluster that is given up after so many minutes: somewhat less, so that
/// the stack fails with the node that is missing and not with nothing but a time-out.
pub(crate) fn node_wait(create_timeout: u32) -> u32 {
    let minutes = if create_timeout == 0 {
        DEFAULT_MINUTES
    } else {
        create_timeout
    };
    let whole = minutes.saturating_mul(60);
    let margin = (whole / 10).clamp(15, 300);
    (whole - margin).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::node_wait;

    #[test]
    fn the_wait_is_within_the_time_out_and_heats_range() {
        assert_eq!(node_wait(60), 3300);
        assert_eq!(node_wait(0), 3300);
        assert_eq!(node_wait(1), 45);
        assert_eq!(node_wait(10), 540);
        assert_eq!(node_wait(u32::MAX), 43_200);
    }
}
