//! A folder of data files into one: find, read, rename, merge, write, delete.
//!
//! [`Combiner`] does it all, and loses nothing on the way:
//!
//! 1. an advisory lock keeps a second combine out of the same folders (`lock`);
//! 2. the inputs are read on all cores, a bounded number at a time, and merged as they come;
//!    what cannot be read is left where it is and reported (`gather`), and what takes too much memory
//!    goes to a temporary file (`spill`), so do rows that are added to (`base`);
//! 3. the result is written to a temporary file, synced, and renamed into place (`store`);
//! 4. only then the inputs are deleted, each only if it is still the very file that was
//!    read (`delete`);
//! 5. should it be killed meanwhile, the next combine adds to the result instead of
//!    replacing it (`unfinished`).

mod base;
mod combiner;
mod delete;
mod event;
mod gather;
mod lock;
mod spill;
mod store;
mod turns;
mod unfinished;

pub use combiner::{Combined, Combiner};
pub use event::Event;
pub use gather::Folded;
pub use store::{StoreFormat, store, store_new};
