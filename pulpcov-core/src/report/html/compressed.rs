//! Text of a single file that is compressed.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::Result;

/// How hard the text is compressed, of 9. More would take twice as long, and save a twentieth.
const LEVEL: u32 = 4;

/// Returns a text as DEFLATE (RFC 1951) in base64. Browsers have `DecompressionStream` for it.
pub(super) fn compressed(text: &str) -> Result<String> {
    let mut encoder =
        DeflateEncoder::new(Vec::with_capacity(text.len() / 8), Compression::new(LEVEL));
    encoder.write_all(text.as_bytes())?;
    Ok(STANDARD.encode(encoder.finish()?))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;

    use super::*;

    #[test]
    fn text_comes_back() {
        let text = "<li id=t1 class=r>é = 1\n".repeat(1000);
        let packed = compressed(&text).unwrap();
        assert!(packed.len() < text.len() / 50);
        let bytes = STANDARD.decode(packed).unwrap();
        let mut back = String::new();
        DeflateDecoder::new(bytes.as_slice()).read_to_string(&mut back).unwrap();
        assert_eq!(back, text);
    }
}
