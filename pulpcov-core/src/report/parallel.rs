//! Parts rendered on all cores, and written in order.

use std::io::Write;

use crate::Result;

/// How many parts are rendered at most before any of them is written.
#[cfg(feature = "parallel")]
const MOST_AT_ONCE: usize = 64;

/// How many bytes they should have. The contexts of a test suite make megabytes of a part.
#[cfg(feature = "parallel")]
const BYTES_AT_ONCE: usize = 16 << 20;

/// Render each part into a buffer, and hand the buffers to `write` in order.
pub(super) fn write_in_order<W: Write + ?Sized, T: Sync>(
    parts: &[T],
    out: &mut W,
    render: impl Fn(&T, &mut Vec<u8>) -> Result<()> + Sync,
    mut write: impl FnMut(&mut W, &[u8]) -> Result<()>,
) -> Result<()> {
    let rendered = |part: &T| {
        let mut buffer = Vec::new();
        render(part, &mut buffer).map(|()| buffer)
    };
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        let (mut rest, mut at_once) = (parts, 2);
        while !rest.is_empty() {
            let (parts, later) = rest.split_at(at_once.min(rest.len()));
            let buffers: Vec<Result<Vec<u8>>> = parts.par_iter().map(rendered).collect();
            let mut bytes = 0;
            for buffer in buffers {
                let buffer = buffer?;
                bytes += buffer.len();
                write(out, &buffer)?;
            }
            // As many as would have had the wanted size, if they are like these.
            let fitting = BYTES_AT_ONCE / (bytes / parts.len()).max(1);
            at_once = fitting.clamp(2, MOST_AT_ONCE.min(2 * at_once));
            rest = later;
        }
    }
    #[cfg(not(feature = "parallel"))]
    for part in parts {
        write(out, &rendered(part)?)?;
    }
    Ok(())
}
