//! Combines a folder of data files into one: finds, reads, renames, merges, writes and deletes.
//!
//! [`Combiner`] runs these steps, reports each as an [`Event`], and loses no data if one of them fails:
//!
//! 1. An advisory lock keeps a second combine out of the same folders (`lock`).
//! 2. All cores read the inputs, a bounded number at a time, and merge each one as it arrives (`gather`,
//!    `worker`). A step that depends on the order of the inputs is done in that order (`sequencer`). An input
//!    that cannot be read stays where it is and is reported. Rows that take too much memory go to a temporary
//!    file (`spill`); so do rows of a data file that is appended to (`existing_data`).
//! 3. The outcomes of all inputs are collected (`input_summary`). If inputs contradict each other, the
//!    combine stops and names them (`contradiction`).
//! 4. The result is written to a temporary file, synced, and renamed into place (`store`) once no other
//!    process is writing the file that it replaces (`target_lock`). Then its folder is synced (`durable`).
//! 5. The inputs are deleted last, each only if it is still the file that was read (`delete`).
//! 6. If a combine is killed while it deletes, the next combine appends to the result instead of replacing it
//!    (`unfinished`).

mod combiner;
mod contradiction;
mod delete;
mod durable;
mod event;
mod existing_data;
mod gather;
mod input_summary;
mod lock;
#[cfg(feature = "archives")]
mod members;
mod sequencer;
mod spill;
mod store;
mod target_lock;
mod unfinished;
mod worker;

pub use combiner::{Combined, Combiner};
pub use event::Event;
pub use gather::Folded;
pub use store::{StoreFormat, store, store_new};
