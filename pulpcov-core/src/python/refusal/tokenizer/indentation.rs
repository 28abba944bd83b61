//! Reads the indentation at the start of lines.

use super::{MAX_INDENTS, Tokenizer};

impl Tokenizer<'_> {
    /// Reads the indentation of a line. Returns whether the line is blank or only a comment.
    pub(super) fn indentation(&mut self) -> Result<bool, ()> {
        let mut columns = (0, 0);
        let mut continued = 0;
        let c = loop {
            let c = self.next();
            match c {
                Some(b' ') => columns = (columns.0 + 1, columns.1 + 1),
                Some(b'\t') => columns = ((columns.0 / 8 + 1) * 8, columns.1 + 1),
                Some(b'\x0c') => columns = (0, 0),
                Some(b'\\') => {
                    if continued == 0 {
                        continued = columns.0;
                    }
                    self.continuation()?;
                }
                _ => break c,
            }
        };
        self.back(c);
        let is_blank = matches!(c, Some(b'#' | b'\n'));
        if !is_blank && self.brackets.is_empty() {
            self.indent(if continued == 0 { columns } else { (continued, continued) })?;
        }
        Ok(is_blank)
    }

    /// Opens or closes levels of indentation for a line that starts at `columns`.
    pub(super) fn indent(&mut self, columns: (usize, usize)) -> Result<(), ()> {
        const TABS: &str = "inconsistent use of tabs and spaces in indentation";
        let top = self.indents.last().copied().unwrap_or_default();
        if columns.0 > top.0 {
            if self.indents.len() > MAX_INDENTS {
                self.position = self.line_end;
                return self.refuse_with_code("too many levels of indentation");
            }
            if columns.1 <= top.1 {
                self.position = self.line_end;
                return self.refuse_with_code(TABS);
            }
            self.pending_indents += 1;
            self.indents.push(columns);
            return Ok(());
        }
        while self.indents.len() > 1 && self.indents.last().is_some_and(|level| level.0 > columns.0)
        {
            self.pending_indents -= 1;
            self.indents.pop();
        }
        let top = self.indents.last().copied().unwrap_or_default();
        if columns.0 != top.0 {
            self.position = self.line_end;
            return self.refuse_with_code("unindent does not match any outer indentation level");
        }
        if columns.1 != top.1 {
            self.position = self.line_end;
            return self.refuse_with_code(TABS);
        }
        Ok(())
    }
}
