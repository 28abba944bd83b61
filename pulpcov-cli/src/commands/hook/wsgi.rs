//! The marked import in a WSGI script, for servers that start Python without its site-packages.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;
use pulpcov_core::output::WholeFile;

use super::interpreter::Interpreter;
use crate::exit::Failure;

const BEGIN: &str = "# pulpcov hook: begin. `pulpcov hook uninstall` removes these lines.";
const END: &str = "# pulpcov hook: end";

/// Returns the script with the import before its first ordinary statement. An older import is replaced.
pub(super) fn marked(script: &Path, interpreter: &Interpreter) -> Result<Vec<u8>, Failure> {
    let original = unmarked(&read(script)?);
    let keep = interpreter.head_of(script)?.min(count_lines_before_mark(script)?);
    let lines: Vec<&[u8]> = original.split_inclusive(|byte| *byte == b'\n').collect();
    let (head, rest) = lines.split_at(keep.min(lines.len()));
    let line_break = if original.windows(2).any(|pair| pair == b"\r\n") { "\r\n" } else { "\n" };
    let mut text = head.concat();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.extend(line_break.as_bytes());
    }
    text.extend(block(&interpreter.site, line_break)?.as_bytes());
    text.extend(rest.concat());
    Ok(text)
}

/// Returns the script without the import.
pub(super) fn unmarked(script: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let mut kept = Vec::new();
    for line in script.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        if text == BEGIN.as_bytes() {
            inside = true;
        }
        if !inside {
            kept.extend(line);
        }
        if text == END.as_bytes() {
            inside = false;
        }
    }
    kept
}

/// Replaces the bytes of a script. Its owner and permissions stay.
pub(super) fn replace(script: &Path, bytes: &[u8]) -> Result<(), Failure> {
    // A link stands for its target.
    let target = script.canonicalize().map_err(|err| super::refusal_about(script, err))?;
    let owner = fs::metadata(&target).map_err(|err| super::refusal_about(script, err))?.uid();
    if ![0, owner].contains(&geteuid().as_raw()) {
        return Err(super::refusal_about(script, "cannot be changed: it belongs to another user"));
    }
    WholeFile::at(&target)
        .durable()
        .write(|out| Ok(out.write_all(bytes)?))
        .map_err(|err| super::refusal_about(script, format!("cannot be changed: {}", err.reason())))
}

pub(super) fn read(script: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(script).map_err(|err| super::refusal_about(script, err))
}

/// Returns the number of lines before the mark. A new mark goes where an old one is.
fn count_lines_before_mark(script: &Path) -> Result<usize, Failure> {
    let bytes = read(script)?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    Ok(lines.position(|line| line.trim_ascii_end() == BEGIN.as_bytes()).unwrap_or(usize::MAX))
}

fn block(site: &Path, line_break: &str) -> Result<String, Failure> {
    let site = site.to_str().ok_or_else(|| super::refusal_about(site, "is not UTF-8"))?;
    // A JSON string is also a valid Python string.
    let site = serde_json::Value::from(site);
    let lines = [
        BEGIN.to_owned(),
        "try:".to_owned(),
        format!("    __import__(\"sys\").path.append({site})"),
        "    __import__(\"pulpcov_hook\")".to_owned(),
        "except ImportError:".to_owned(),
        "    pass".to_owned(),
        END.to_owned(),
    ];
    Ok(lines.iter().flat_map(|line| [line, line_break]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmarking_gives_the_script_back() {
        for script in ["", "import app\n", "\"doc\"\r\nfrom app import application"] {
            let block = block(Path::new("/a \"b\"/site"), "\n").unwrap();
            assert_eq!(unmarked(format!("{block}{script}").as_bytes()), script.as_bytes());
            assert_eq!(unmarked(script.as_bytes()), script.as_bytes());
        }
    }
}
