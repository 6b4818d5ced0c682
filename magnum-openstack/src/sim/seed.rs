//! Repeatable randomness: identifiers and draws that depend on the seed alone.

use uuid::Uuid;

/// The cloud's only source of randomness.
///
/// Identifiers come from a counter, so they depend on the order of calls. Draws by label depend on the
/// labels only, so that the time a resource takes does not change when an unrelated call is added.
#[derive(Clone, Debug)]
pub struct Seed {
    seed: u64,
    counter: u64,
}

impl Seed {
    /// Starts from a number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next number of the sequence.
    pub fn next_u64(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        mix(self.seed ^ mix(self.counter))
    }

    /// The next number of the sequence, in `0.0..1.0`.
    pub fn next_fraction(&mut self) -> f64 {
        fraction(self.next_u64())
    }

    /// A number in `0.0..1.0` that depends on the seed and the labels only.
    #[must_use]
    pub fn fraction_of(&self, labels: &[&str]) -> f64 {
        // FNV-1a with a separator, so that ("ab", "c") and ("a", "bc") differ.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for label in labels {
            for byte in label.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        fraction(mix(self.seed ^ hash))
    }

    /// A fresh identifier as Nova, Neutron and Glance write it: with dashes.
    pub fn uuid(&mut self) -> String {
        self.next_uuid().hyphenated().to_string()
    }

    /// A fresh identifier as Keystone writes it: 32 hexadecimal digits.
    pub fn hex_id(&mut self) -> String {
        self.next_uuid().simple().to_string()
    }

    fn next_uuid(&mut self) -> Uuid {
        let (high, low) = (self.next_u64().to_be_bytes(), self.next_u64().to_be_bytes());
        let mut bytes = [0u8; 16];
        bytes[..8].copy_from_slice(&high);
        bytes[8..].copy_from_slice(&low);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The finalizer of SplitMix64.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[allow(clippy::cast_precision_loss)]
fn fraction(value: u64) -> f64 {
    // 53 bits are what an f64 holds exactly.
    (value >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_identifiers() {
        let (mut a, mut b) = (Seed::new(7), Seed::new(7));
        assert_eq!(a.uuid(), b.uuid());
        assert_ne!(a.uuid(), a.uuid());
        assert_ne!(Seed::new(8).uuid(), Seed::new(7).uuid());
    }

    #[test]
    fn a_draw_by_label_does_not_depend_on_the_order_of_calls() {
        let mut seed = Seed::new(7);
        let before = seed.fraction_of(&["server", "a"]);
        seed.next_u64();
        assert!((seed.fraction_of(&["server", "a"]) - before).abs() < f64::EPSILON);
        assert!((seed.fraction_of(&["server", "b"]) - before).abs() > f64::EPSILON);
        assert!((0.0..1.0).contains(&before));
    }
}
