//! The address of a source on a website.

use crate::{Error, ErrorKind, Result};

/// A template with `{path}` and `{line}`, and the folder that paths start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceUrl {
    template: String,
    folder: String,
}

impl SourceUrl {
    pub(super) fn new(template: &str, folder: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Err(Error::new(
                ErrorKind::Config,
                format!("the address of sources {why}: {template:?}"),
            ))
        };
        // Other schemes could run a script.
        if !["https://", "http://"].iter().any(|scheme| template.starts_with(scheme)) {
            return wrong("must begin with https:// or http://");
        }
        match template.contains("{path}") {
            true => Ok(Self { template: template.to_owned(), folder: folder.to_owned() }),
            false => wrong("must have {path}"),
        }
    }

    /// Returns the address of a file. `{line}` stays in it.
    pub(super) fn of(&self, name: &str) -> String {
        let name = match self.folder.is_empty() {
            true => name.replace('\\', "/"),
            false => format!("{}/{name}", self.folder).replace('\\', "/"),
        };
        let mut path = String::with_capacity(name.len());
        for &byte in name.as_bytes() {
            // Unreserved characters (RFC 3986, section 2.3), and the slash.
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
        }
        self.template.replace("{path}", &path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_part_of_an_address() {
        let url = SourceUrl::new("https://example.org/{path}#L{line}", "").unwrap();
        assert_eq!(url.of("src/a b.py"), "https://example.org/src/a%20b.py#L{line}");
        assert_eq!(url.of("a\\é?#\".py"), "https://example.org/a/%C3%A9%3F%23%22.py#L{line}");
        let url = SourceUrl::new("http://example.org/{path}", "my app/src").unwrap();
        assert_eq!(url.of("a.py"), "http://example.org/my%20app/src/a.py");
        for wrong in ["", "example.org/{path}", "https://example.org", "javascript://{path}"] {
            assert_eq!(SourceUrl::new(wrong, "").unwrap_err().kind(), ErrorKind::Config, "{wrong}");
        }
    }
}
