//! Parts rendered on all cores, and written in order.

use std::io::Write;

use crate::Result;

/// How many parts are rendered before any of them is written: a bound on memory.
#[cfg(feature = "parallel")]
const AT_ONCE: usize = 64;

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
    for parts in parts.chunks(AT_ONCE) {
        use rayon::prelude::*;
        let buffers: Vec<Result<Vec<u8>>> = parts.par_iter().map(rendered).collect();
        for buffer in buffers {
            write(out, &buffer?)?;
        }
    }
    #[cfg(not(feature = "parallel"))]
    for part in parts {
        write(out, &rendered(part)?)?;
    }
    Ok(())
}
