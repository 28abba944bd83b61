//! Random numbers that are the same in every run.

/// A small random generator (xorshift), which returns the same numbers in every run.
pub(crate) struct Random(u64);

impl Random {
    /// Starts a sequence that depends on the seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}
