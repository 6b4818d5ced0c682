//! What a property test's numbers choose.

/// Small choices out of one number.
pub(super) struct Choice(pub(super) u64);

impl Choice {
    pub(super) fn of(&mut self, count: u64) -> u64 {
        let chosen = self.0 % count;
        // Bits that are used up are mixed into those that are left, so that a number never runs out.
        self.0 = (self.0 / count).rotate_left(7) ^ self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        chosen
    }

    /// One of these.
    pub(super) fn among<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u64::try_from(items.len()).expect("few items");
        items[usize::try_from(self.of(count)).expect("few items")]
    }
}
