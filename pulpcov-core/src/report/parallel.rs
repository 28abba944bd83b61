//! Parts rendered on all cores, and written in order.

use std::io::Write;

use crate::Result;

/// How many parts are rendered at most before any of them is written.
#[cfg(feature = "parallel")]
const MOST_AT_ONCE: usize = 64;

/// How many bytes they should have. The contexts of a test suite make megabytes of a part.
#[cfg(feature = "parallel")]
const BYTES_AT_ONCE: usize = 16 << 20;

/// What is kept of a part until it is written.
pub(super) trait Rendered: Send {
    /// How many bytes it takes.
    #[cfg_attr(
        not(feature = "parallel"),
        expect(dead_code, reason = "one part at a time needs no measure")
    )]
    fn size(&self) -> usize;
}

impl Rendered for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }
}

/// Render each part, and hand what was rendered to `write` in order.
pub(super) fn write_in_order<W: Write + ?Sized, T: Sync, R: Rendered>(
    parts: &[T],
    out: &mut W,
    render: impl Fn(&T) -> Result<R> + Sync,
    mut write: impl FnMut(&mut W, R) -> Result<()>,
) -> Result<()> {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        let (mut rest, mut at_once) = (parts, 2);
        while !rest.is_empty() {
            let (parts, later) = rest.split_at(at_once.min(rest.len()));
            let rendered: Vec<Result<R>> = parts.par_iter().map(&render).collect();
            let mut bytes = 0;
            for part in rendered {
                let part = part?;
                bytes += part.size();
                write(out, part)?;
            }
            // As many as would have had the wanted size, if they are like these.
            let fitting = BYTES_AT_ONCE / (bytes / parts.len()).max(1);
            at_once = fitting.clamp(2, MOST_AT_ONCE.min(2 * at_once));
            rest = later;
        }
    }
    #[cfg(not(feature = "parallel"))]
    for part in parts {
        write(out, render(part)?)?;
    }
    Ok(())
}
