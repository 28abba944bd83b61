//! Finds the line of an offset in a text.

use memchr::memchr_iter;

use super::not_python::NotPython;

/// The offsets at which lines start.
#[derive(Debug)]
pub(super) struct LineIndex {
    starts: Vec<u32>,
    /// For each block of the text, the number of lines that start at or before the block's first
    /// byte. This makes lookups fast, because they only search the few lines of a block.
    before_blocks: Vec<u32>,
}

impl LineIndex {
    /// The number of bytes in a block.
    const BLOCK: usize = 64;

    pub(super) fn new(text: &str) -> Result<Self, NotPython> {
        if i32::try_from(text.len()).is_err() {
            return Err(NotPython::new("source of more than 2 GiB", None));
        }
        let newlines = || memchr_iter(b'\n', text.as_bytes());
        let mut starts = Vec::with_capacity(newlines().count() + 1);
        starts.push(0);
        starts.extend(newlines().map(|at| at as u32 + 1));
        let mut before_blocks = Vec::with_capacity(text.len() / Self::BLOCK + 1);
        let mut lines = 0;
        for block in (0..=text.len()).step_by(Self::BLOCK) {
            let rest = starts.get(lines..).unwrap_or_default();
            lines += rest.iter().take_while(|&&start| start as usize <= block).count();
            before_blocks.push(lines as u32);
        }
        Ok(Self { starts, before_blocks })
    }

    /// Returns the number of lines, including an empty line after the last newline.
    pub(super) fn line_count(&self) -> i32 {
        self.starts.len() as i32
    }

    /// Returns the offsets at which lines start.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Returns the line of an offset, counted from 1.
    pub(super) fn line_at(&self, offset: usize) -> i32 {
        let before = self.before_blocks.get(offset / Self::BLOCK).or(self.before_blocks.last());
        let before = before.map_or(0, |&lines| lines as usize);
        let rest = self.starts.get(before..).unwrap_or_default();
        let inside = rest.iter().take_while(|&&start| start as usize <= offset).count();
        (before + inside) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_line_of_every_offset() {
        let long = "x".repeat(300);
        for text in
            ["", "\n", "a", "a\nb\n", &format!("{long}\n\n{long}\nb\n{}c", "\n".repeat(200))]
        {
            let index = LineIndex::new(text).unwrap();
            for offset in 0..=text.len() + 70 {
                let passed = text.bytes().take(offset).filter(|&byte| byte == b'\n').count();
                assert_eq!(index.line_at(offset), passed as i32 + 1, "{offset} in {text:?}");
            }
        }
    }
}
