//! Detection of a stream by its first bytes.

use super::packet::{Packet, SIGNATURE};
use super::signature::Claim;
use super::v1::is_v1;

/// The number of bytes at the start of a stream that are enough to detect its version.
pub(super) const HEAD: usize = 512;

/// A version of the format of subunit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Lines of text, with files in them. stestr and testrepository keep this version on disk.
    V1,
    /// Packets, between which text may be. Test runners write this version.
    V2,
}

impl Version {
    /// Returns the version of a stream that begins with `head`, or `None` if it is not seen to be a stream. 512 bytes are enough,
    /// unless text comes before the first packet.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::subunit::Version;
    ///
    /// assert_eq!(Version::of(b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"), Some(Version::V2));
    /// assert_eq!(Version::of(b"test: test_add\n"), Some(Version::V1));
    /// assert_eq!(Version::of(b"SQLite format 3\0"), None);
    /// ```
    pub fn of(head: &[u8]) -> Option<Self> {
        let mut signatures = memchr::memchr_iter(SIGNATURE, head);
        if signatures.any(|at| begins_packet(head, at)) {
            Some(Self::V2)
        } else {
            is_v1(head).then_some(Self::V1)
        }
    }
}

/// Returns whether a file that begins with `head` is seen to be a subunit stream of any version. 512 bytes are enough, unless text
/// comes before the first packet.
///
/// # Examples
///
/// ```
/// use pulpcov_core::subunit::looks_like_subunit;
///
/// assert!(looks_like_subunit(b"building\n\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"));
/// assert!(!looks_like_subunit("a text with ³\n".as_bytes()));
/// ```
pub fn looks_like_subunit(head: &[u8]) -> bool {
    Version::of(head).is_some()
}

/// Returns whether a packet begins at a signature. If it is cut, the place must be one where the format allows a packet: at the start,
/// or after a line.
fn begins_packet(head: &[u8], at: usize) -> bool {
    let bytes = head.get(at..).unwrap_or_default();
    match Claim::of(bytes) {
        Claim::Whole(length) => bytes.get(..length).and_then(Packet::decode).is_some(),
        Claim::Part => at == 0 || head.get(at - 1) == Some(&b'\n'),
        Claim::False => false,
    }
}
