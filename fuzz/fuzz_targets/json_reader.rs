//! Reads any bytes as a data file of coverage.py 4.x. Either the file is refused, or the data stays
//! the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::formats::read_bytes;
use pulpcov_fuzz::json_round_trip;

const SENTENCE: &[u8] = b"!coverage.py: This is a private format, don't read it directly!";

fuzz_target!(|bytes: &[u8]| {
    let _ = read_bytes(bytes);
    let file = [SENTENCE, bytes.strip_prefix(SENTENCE).unwrap_or(bytes)].concat();
    match read_bytes(&file) {
        Ok(decoded) => {
            let once = json_round_trip(&decoded.data);
            // If nothing but the tracer of a file is known, the file is written as one without
            // lines.
            if decoded.data.measurement().is_some() {
                assert_eq!(once, decoded.data);
            }
            assert_eq!(json_round_trip(&once), once);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
