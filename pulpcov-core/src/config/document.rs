//! A config file of either dialect, and its sections by the names that coverage.py looks for.

use super::error::Cause;
use super::ini::Ini;
use super::toml::{NotATable, Table, Toml};
use super::value::Value;
use crate::Position;

/// A parsed config file.
#[derive(Debug)]
pub(super) enum Document<'t> {
    Ini(Ini),
    Toml(Toml<'t>),
}

/// A section of a config file.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// The name as the file writes it.
    pub(super) name: String,
    body: Body<'a>,
}

#[derive(Debug)]
enum Body<'a> {
    Ini(&'a Ini),
    Toml(Table<'a>),
}

/// An option's value before it is read as the option's type.
#[derive(Debug)]
pub(super) enum Raw {
    Ini(String),
    Toml(Value),
}

/// The reason why a file could not be parsed, and the position.
pub(super) struct SyntaxError {
    /// Line breaks in the reason come from this crate, never from the file.
    pub(super) reason: String,
    pub(super) position: Position,
}

impl<'t> Document<'t> {
    /// Parses `text`, the content of the file `name`: as TOML if the name ends in `.toml`, else as
    /// INI.
    pub(super) fn parse(name: &str, text: &'t str) -> Result<Self, SyntaxError> {
        if is_toml(name) {
            return Toml::parse(text).map(Self::Toml).map_err(|error| SyntaxError {
                reason: error.to_string(),
                position: Position::Line { line: error.line, column: Some(error.column) },
            });
        }
        Ini::parse(text).map(Self::Ini).map_err(|error| SyntaxError {
            reason: error.message(name),
            position: Position::Line { line: error.line(), column: None },
        })
    }

    /// Returns the section `name` with coverage's prefix. In one of coverage's own files (`is_own_file`),
    /// the section may lack the prefix; a section with the prefix wins.
    pub(super) fn section(
        &self,
        name: &str,
        is_own_file: bool,
    ) -> Result<Option<Section<'_>>, Cause> {
        let prefix = match self {
            Self::Ini(_) => "coverage:",
            Self::Toml(_) => "tool.coverage.",
        };
        for prefix in [Some(prefix), is_own_file.then_some("")].into_iter().flatten() {
            let name = format!("{prefix}{name}");
            if let Some(body) = self.body(&name)? {
                return Ok(Some(Section { name, body }));
            }
        }
        Ok(None)
    }

    fn body(&self, name: &str) -> Result<Option<Body<'_>>, Cause> {
        match self {
            Self::Ini(ini) => Ok(ini.has_section(name).then_some(Body::Ini(ini))),
            Self::Toml(toml) => match toml.table(name) {
                Ok(table) => Ok(table.map(Body::Toml)),
                Err(NotATable { name, line, supports_in }) => {
                    Err(Cause::NotATable { name, line, supports_in })
                }
            },
        }
    }
}

impl Section<'_> {
    /// Returns the names of the options. TOML options are in file order; INI options that come from
    /// `[DEFAULT]` follow the section's own.
    pub(super) fn options(&self) -> Vec<&str> {
        match self.body {
            Body::Ini(ini) => ini.options(&self.name),
            Body::Toml(table) => table.keys().collect(),
        }
    }

    /// Returns the line of `option`, counted from 1.
    pub(super) fn line(&self, option: &str) -> Option<usize> {
        match self.body {
            Body::Ini(ini) => ini.line(&self.name, option),
            Body::Toml(table) => table.line(option),
        }
    }

    /// Returns the value of `option`.
    pub(super) fn get(&self, option: &str) -> Option<Raw> {
        match self.body {
            Body::Ini(ini) => ini.get(&self.name, option).map(|text| Raw::Ini(text.to_owned())),
            Body::Toml(table) => table.get(option).map(Raw::Toml),
        }
    }
}

/// Returns whether Python's `os.path.splitext` finds the extension `.toml` in `name`. The name
/// `.toml` alone has no extension.
fn is_toml(name: &str) -> bool {
    let base = name.rsplit(std::path::is_separator).next().unwrap_or(name);
    base.trim_start_matches('.').strip_suffix(".toml").is_some_and(|stem| !stem.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_toml;

    #[test]
    fn which_names_are_toml() {
        for name in ["a.toml", ".coveragerc.toml", "x/.a.toml", "a.b.toml"] {
            assert!(is_toml(name), "{name}");
        }
        for name in [".toml", "..toml", "x/.toml", "toml", "a.toml/b", "a.TOML", ".coveragerc"] {
            assert!(!is_toml(name), "{name}");
        }
    }
}
