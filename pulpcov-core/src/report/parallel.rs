//! Rendering on all cores, with output in order.

use crate::Result;

/// The maximum number of parts that are rendered but not yet written.
const MOST_AT_ONCE: usize = 64;

/// The maximum number of bytes that these parts should take. Two parts are always allowed. The
/// contexts of a test suite can make one part several megabytes long.
const BYTES_AT_ONCE: usize = 16 << 20;

/// A rendered part that waits to be written.
pub(super) trait Rendered: Send {
    /// Returns the size of the part in bytes.
    fn size(&self) -> usize;
}

impl Rendered for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }
}

/// Renders each part, and passes the rendered parts to `write` in order. While `write` runs, other
/// threads render the next parts.
pub(super) fn render_in_order<W: ?Sized, T: Sync, R: Rendered>(
    parts: &[T],
    out: &mut W,
    render: impl Fn(&T) -> Result<R> + Sync,
    mut write: impl FnMut(&mut W, R) -> Result<()>,
) -> Result<()> {
    use std::collections::VecDeque;
    use std::sync::mpsc;

    let render = &render;
    rayon::in_place_scope(|scope| {
        let mut rest = parts.iter();
        let mut begun = VecDeque::new();
        let (mut at_once, mut size) = (2_usize, 0);
        loop {
            for part in rest.by_ref().take(at_once.saturating_sub(begun.len())) {
                let (done, result) = mpsc::channel();
                // If another part has failed, the receiver is gone, and sending does nothing.
                scope.spawn(move |_| drop(done.send(render(part))));
                begun.push_back(result);
            }
            // The channel only closes without a rendered part if `render` panicked. The panic
            // continues when the scope ends.
            let Some(part) = begun.pop_front().and_then(wait_for) else { return Ok(()) };
            let part = part?;
            // Expect the next parts to be about as large as the largest of the recent ones.
            size = part.size().max(size - size / 8);
            at_once = (BYTES_AT_ONCE / size.max(1)).clamp(2, MOST_AT_ONCE.min(2 * at_once));
            write(out, part)?;
        }
    })
}

/// Waits for a rendered part. Returns `None` if the sender is gone.
#[expect(clippy::needless_pass_by_value, reason = "there is one result")]
fn wait_for<R>(result: std::sync::mpsc::Receiver<R>) -> Option<R> {
    use std::sync::mpsc::TryRecvError;

    if rayon::current_thread_index().is_none() {
        return result.recv().ok();
    }
    // This is a thread of the rayon pool, and may be the only one. So it has to run other tasks
    // while it waits.
    loop {
        match result.try_recv() {
            Ok(result) => return Some(result),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {
                if rayon::yield_now() != Some(rayon::Yield::Executed) {
                    std::thread::yield_now();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{Error, ErrorKind};

    fn write_all(
        parts: &[usize],
        render: impl Fn(&usize) -> Result<Vec<u8>> + Sync,
    ) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        render_in_order(parts, &mut out, render, |out, part| {
            out.extend(part);
            Ok(())
        })?;
        Ok(out)
    }

    #[test]
    fn parts_are_written_in_order_on_threads_of_any_pool() {
        let parts: Vec<usize> = (0..500).collect();
        let expected: Vec<u8> = parts.iter().map(|part| (part % 251) as u8).collect();
        let render = |part: &usize| {
            std::thread::sleep(std::time::Duration::from_micros(*part as u64 * 7 % 50));
            Ok(vec![(part % 251) as u8])
        };
        assert_eq!(write_all(&parts, render).unwrap(), expected);
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| write_all(&parts, render)).unwrap(), expected);
        }
        assert!(write_all(&[], render).unwrap().is_empty());
    }

    #[test]
    fn what_is_rendered_waits_for_what_is_written() {
        let (waiting, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let render = |size: &usize| {
            let waiting = waiting.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(waiting, Ordering::SeqCst);
            Ok(vec![0; *size])
        };
        let most_of = |size: usize| {
            most.store(0, Ordering::SeqCst);
            render_in_order(&vec![size; 300], &mut std::io::sink(), render, |_, _| {
                std::thread::sleep(std::time::Duration::from_micros(100));
                waiting.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
            .unwrap();
            most.load(Ordering::SeqCst)
        };
        assert!(most_of(1) <= MOST_AT_ONCE + 1);
        assert!(most_of(BYTES_AT_ONCE / 4) <= 4 + 1);
        assert!(most_of(BYTES_AT_ONCE * 2) <= 2 + 1);
    }

    #[test]
    fn the_first_error_ends_it() {
        let render = |part: &usize| match part {
            7 | 9 => Err(Error::new(ErrorKind::NoSource, part.to_string())),
            _ => Ok(Vec::new()),
        };
        let parts: Vec<usize> = (0..100).collect();
        assert_eq!(write_all(&parts, render).unwrap_err().reason(), "7");
    }

    #[test]
    #[should_panic(expected = "no part")]
    fn a_panic_goes_on() {
        let _ =
            write_all(&[1, 2, 3], |part| if *part == 2 { panic!("no part") } else { Ok(vec![]) });
    }
}
