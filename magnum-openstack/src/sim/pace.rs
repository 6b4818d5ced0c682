//! How long things take.

use std::time::Duration;

use super::seed::Seed;

/// How fast the cloud's time model runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// Everything is ready the moment it is asked for.
    #[default]
    Instant,
    /// Durations divided by this factor; not above zero counts as one.
    Scaled(f64),
    /// Durations as an unhurried cloud has them.
    Real,
}

impl Pace {
    /// The duration at this pace.
    #[must_use]
    pub fn apply(self, real: Duration) -> Duration {
        match self {
            Self::Instant => Duration::ZERO,
            Self::Real => real,
            Self::Scaled(k) if k.is_finite() && k > 0.0 => {
                Duration::try_from_secs_f64(real.as_secs_f64() / k).unwrap_or(real)
            }
            Self::Scaled(_) => real,
        }
    }
}

/// What a kind of thing takes at [`Pace::Real`]: shortest and longest, in milliseconds.
const SPANS: &[(&str, u64, u64)] = &[
    ("OS::Nova::Server", 8_000, 25_000),
    ("boot", 40_000, 120_000),
    ("server-delete", 2_000, 6_000),
    ("OS::Octavia::LoadBalancer", 30_000, 90_000),
    ("OS::Octavia::Listener", 2_000, 5_000),
    ("OS::Octavia::Pool", 2_000, 5_000),
    ("OS::Octavia::PoolMember", 2_000, 5_000),
    ("OS::Octavia::HealthMonitor", 2_000, 5_000),
    ("OS::Cinder::Volume", 2_000, 8_000),
    ("OS::Cinder::VolumeAttachment", 2_000, 5_000),
    ("OS::Neutron::Router", 800, 3_000),
];

/// The span of everything that has none of its own.
const OTHER: (u64, u64) = (200, 1_500);

/// What a thing of this kind (a Heat resource type, `boot` or `server-delete`) and name takes at
/// [`Pace::Real`]. The same seed, kind and name give the same answer.
#[must_use]
pub fn real_duration(seed: &Seed, kind: &str, name: &str) -> Duration {
    let (low, high) = SPANS
        .iter()
        .find(|(k, ..)| *k == kind)
        .map_or(OTHER, |(_, low, high)| (*low, *high));
    let low = Duration::from_millis(low);
    let width = Duration::from_millis(high).saturating_sub(low);
    low + width.mul_f64(seed.fraction_of(&["duration", kind, name]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_divides_durations() {
        let hour = Duration::from_secs(3600);
        assert_eq!(Pace::Instant.apply(hour), Duration::ZERO);
        assert_eq!(Pace::Real.apply(hour), hour);
        assert_eq!(Pace::Scaled(60.0).apply(hour), Duration::from_secs(60));
        assert_eq!(Pace::Scaled(0.0).apply(hour), hour);
    }

    #[test]
    fn a_server_takes_longer_than_a_network() {
        let seed = Seed::new(1);
        assert!(
            real_duration(&seed, "OS::Nova::Server", "a") > real_duration(&seed, "OS::Neutron::Net", "a")
        );
    }
}
