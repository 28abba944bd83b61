//! Short hashes of what a file is made from.

/// Returns a hash of texts.
pub(super) fn hash_of<'s>(parts: impl IntoIterator<Item = &'s str>) -> String {
    let mut inputs = Inputs::default();
    parts.into_iter().for_each(|part| inputs.add(part));
    inputs.finish()
}

/// Hashes a sequence of texts and lists of numbers. Lengths are hashed too, so that different
/// sequences never feed the same bytes to the hash.
#[derive(Default)]
pub(super) struct Inputs {
    hasher: blake3::Hasher,
    numbers: Vec<u8>,
}

impl Inputs {
    pub(super) fn add(&mut self, text: &str) {
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }

    pub(super) fn add_numbers(&mut self, numbers: impl Iterator<Item = i32>) {
        self.numbers.clear();
        self.numbers.extend(numbers.flat_map(i32::to_le_bytes));
        self.hasher.update(&(self.numbers.len() as u64).to_le_bytes());
        self.hasher.update(&self.numbers);
    }

    pub(super) fn finish(&self) -> String {
        short_hash(&self.hasher.finalize())
    }
}

fn short_hash(hash: &blake3::Hash) -> String {
    hash.to_hex().get(..32).unwrap_or_default().to_owned()
}

/// Returns a hash of the content of a file.
pub(super) fn hash_of_content(content: &[u8]) -> String {
    short_hash(&blake3::hash(content))
}
