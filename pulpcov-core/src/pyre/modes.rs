//! The flags of a pattern.

use super::case::Fold;

/// The flags that change the meaning of a pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Modes {
    pub(super) ascii: bool,
    pub(super) dot_all: bool,
    pub(super) ignore_case: bool,
    pub(super) multi_line: bool,
    pub(super) verbose: bool,
}

impl Modes {
    pub(super) fn set(&mut self, flag: char, on: bool) {
        match flag {
            'a' => self.ascii = on,
            'u' => self.ascii = !on,
            'i' => self.ignore_case = on,
            'm' => self.multi_line = on,
            's' => self.dot_all = on,
            _ => self.verbose = on,
        }
    }

    pub(super) fn fold(self) -> Fold {
        match (self.ignore_case, self.ascii) {
            (false, _) => Fold::Exact,
            (true, true) => Fold::Ascii,
            (true, false) => Fold::Unicode,
        }
    }
}
