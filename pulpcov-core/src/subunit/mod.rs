//! Data files that are attached to subunit streams, in which test runners such as stestr and testrepository report results.
//!
//! [`Attachments`] reads them from a stream of any version. A [`Decoder`] finds the packets of a stream of version 2 and all that is
//! between them, and [`Packet::encode`] writes packets.
//!
//! - `packet`, `fields`: a packet, read from its bytes and written to them.
//! - `decoder`: finds packets in a stream.
//! - `signature`, `checksums`: decide in linear time what is a packet.
//! - `v1`: finds files in streams of version 1.
//! - `route_pattern`: which routes settings are for.
//! - `version`: tells a stream by its first bytes.
//! - `chunks`: the files of a stream of any version, chunk by chunk.
//! - `attachments`: puts the chunks of data files together.
//!
//! # Examples
//!
//! See [`Attachments`].

mod attachments;
mod checksums;
mod chunks;
mod decoder;
mod error;
mod fields;
mod packet;
mod route_pattern;
mod signature;
#[cfg(test)]
mod tests;
mod v1;
mod version;

pub use attachments::{Attachment, AttachmentId, Attachments, Collector, Incomplete, Part};
pub use chunks::{Chunk, Chunks};
pub use decoder::{Decoder, Piece, damaged_packets};
pub use packet::{FilePart, MAX_PACKET, Packet, Status, Timestamp};
pub use route_pattern::RoutePattern;
pub use version::{Version, looks_like_subunit};
