//! Finds the files in a subunit v1 stream: the details of tests' outcomes.
//!
//! ```text
//! successful: test_add [ multipart
//! Content-Type: application/octet-stream
//! .coverage.web-1
//! 3\r\n
//! abc0\r\n
//! ]
//! ```

use std::io::{self, BufRead, Read};

use super::chunks::Chunk;

/// The longest line in bytes. The rest of a longer one counts as another line.
const LONGEST_LINE: u64 = 1 << 20;

/// How many bytes of a file come out at a time, at most.
const LONGEST_CHUNK: u64 = 1 << 20;

const OUTCOMES: [&str; 7] =
    ["success", "successful", "failure", "error", "skip", "xfail", "uxsuccess"];

const MULTIPART: &str = " [ multipart";

/// Returns whether a stream that begins with `head` is of v1.
///
/// Any text may be around what a test runner writes, but stestr and testrepository write nothing else. So the first line decides.
pub(super) fn is_v1(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let Some((command, rest)) = str::from_utf8(line).ok().and_then(|line| line.split_once(": "))
    else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match command {
        "test" | "testing" | "tags" => !rest.is_empty(),
        "time" => rest.split_once('-').is_some_and(|(year, _)| is_number(year)),
        "progress" => {
            matches!(rest, "push" | "pop") || is_number(rest.trim_start_matches(['+', '-']))
        }
        _ => false,
    }
}

/// Reads the files of a stream.
#[derive(Debug)]
pub(super) struct Details<R> {
    input: R,
    place: Place,
    test_id: String,
    name: String,
    content: Vec<u8>,
}

/// Where in the stream the next byte is.
#[derive(Debug)]
enum Place {
    /// Outside of details.
    Lines,
    /// Before the type of a file, or the end of details.
    Type,
    /// In a file, with so many bytes of the chunk left.
    Content(u64),
}

impl<R: BufRead> Details<R> {
    pub(super) fn new(input: R) -> Self {
        let (test_id, name, content) = Default::default();
        Self { input, place: Place::Lines, test_id, name, content }
    }

    /// Returns the next bytes of a file, or `None` at the end of the stream.
    pub(super) fn next_chunk(&mut self) -> io::Result<Option<Chunk<'_>>> {
        let is_last = loop {
            match self.place {
                Place::Lines => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    self.look_for_details(&line);
                }
                Place::Type => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    self.look_for_file(&line)?;
                }
                Place::Content(0) => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    match length(&line) {
                        Some(0) => {
                            self.place = Place::Type;
                            self.content.clear();
                            break true;
                        }
                        Some(length) => self.place = Place::Content(length),
                        // The file is cut. What comes next may be outside of details.
                        None => self.look_for_details(&line),
                    }
                }
                Place::Content(left) => {
                    self.content.clear();
                    let wanted = left.min(LONGEST_CHUNK);
                    let read = self.input.by_ref().take(wanted).read_to_end(&mut self.content)?;
                    self.place = Place::Content(left - read as u64);
                    if read == 0 {
                        return Ok(None);
                    }
                    break false;
                }
            }
        };
        let (test_id, name) = (Some(self.test_id.as_str()), self.name.as_str());
        Ok(Some(Chunk { route: None, test_id, name, content: &self.content, is_last }))
    }

    /// Returns the next line with its end, or `None` at the end of the stream. No text that matters is other than UTF-8.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        Ok((!line.is_empty()).then(|| String::from_utf8(line).unwrap_or_default()))
    }

    fn look_for_details(&mut self, line: &str) {
        self.place = Place::Lines;
        if let Some(test_id) = test_with_details(line) {
            self.test_id = test_id.to_owned();
            self.place = Place::Type;
        }
    }

    fn look_for_file(&mut self, line: &str) -> io::Result<()> {
        if !line.starts_with("Content-Type: ") {
            self.look_for_details(line);
            return Ok(());
        }
        if let Some(name) = self.line()? {
            self.name = name.trim_end_matches('\n').to_owned();
            self.place = Place::Content(0);
        }
        Ok(())
    }
}

/// Returns the test with the outcome that a line says, if files follow.
fn test_with_details(line: &str) -> Option<&str> {
    let (outcome, rest) = line.split_once(' ')?;
    let outcome = outcome.strip_suffix(':').unwrap_or(outcome);
    OUTCOMES.contains(&outcome).then_some(())?;
    rest.strip_suffix('\n')?.strip_suffix(MULTIPART)
}

/// Returns the length of a chunk. A line that is no length ends the file.
fn length(line: &str) -> Option<u64> {
    let digits = line.strip_suffix("\r\n")?;
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hexadecimal.then_some(())?;
    u64::from_str_radix(digits, 16).ok()
}
