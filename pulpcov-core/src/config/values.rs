//! Reads an option's value as the option's type.
//!
//! In INI files every value is text. TOML values have types, but a string is accepted where a
//! number or a boolean is expected. Variables are replaced in all text. The rules are those of
//! coverage.py's `HandyConfigParser` and `TomlConfigParser`.

use super::document::Raw;
use super::error::Cause;
use super::home::expand_user;
use super::substitute::substitute;
use super::value::Value;
use crate::pyre;
use crate::pytext::{parse_float, parse_int, split_lines, strip};
use crate::text::py_repr;

/// Looks up an environment variable.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One option of a file, with everything needed to read its value or to report an error.
pub(super) struct Setting<'a> {
    /// The section's name as the file writes it.
    pub(super) section: &'a str,
    pub(super) option: &'a str,
    pub(super) raw: Raw,
    pub(super) env: Env<'a>,
}

impl Setting<'_> {
    /// Reads a boolean. In INI, it is `1`, `yes`, `true`, `on`, `0`, `no`, `false` or `off`, in any
    /// case. In TOML, it is `true`, `false`, or one of these two as a string.
    pub(super) fn boolean(&self) -> Result<bool, Cause> {
        match self.substituted()? {
            Raw::Ini(text) => match text.to_lowercase().as_str() {
                "1" | "yes" | "true" | "on" => Ok(true),
                "0" | "no" | "false" | "off" => Ok(false),
                _ => Err(Cause::Value(format!("Not a boolean: {text}"))),
            },
            Raw::Toml(Value::Boolean(boolean)) => Ok(boolean),
            Raw::Toml(value) => self.convert(&value, "a boolean", |text| match text {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            }),
        }
    }

    /// Reads an integer of 64 bits.
    pub(super) fn integer(&self) -> Result<i64, Cause> {
        match self.substituted()? {
            Raw::Ini(text) => parse_int(&text).ok_or_else(|| {
                let text = py_repr(&text);
                Cause::Value(format!("invalid literal for int() with base 10: {text}"))
            }),
            // In Python, booleans are integers.
            Raw::Toml(Value::Boolean(boolean)) => Ok(boolean.into()),
            Raw::Toml(Value::Integer(digits)) => {
                digits.parse().map_err(|_| self.refused(&format!("is out of range: {digits}")))
            }
            Raw::Toml(value) => self.convert(&value, "an integer", parse_int),
        }
    }

    /// Reads a floating point number. Infinities and not-a-number are accepted.
    pub(super) fn float(&self) -> Result<f64, Cause> {
        match self.substituted()? {
            Raw::Ini(text) => parse_float(&text).ok_or_else(|| {
                Cause::Value(format!("could not convert string to float: {}", py_repr(&text)))
            }),
            Raw::Toml(Value::Float(number)) => Ok(number),
            Raw::Toml(Value::Boolean(boolean)) => Ok(boolean.into()),
            Raw::Toml(Value::Integer(digits)) => {
                self.convert(&Value::Text(digits), "a float", parse_float)
            }
            Raw::Toml(value) => self.convert(&value, "a float", parse_float),
        }
    }

    /// Reads text.
    pub(super) fn text(&self) -> Result<String, Cause> {
        match self.substituted()? {
            Raw::Ini(text) => Ok(text),
            // coverage.py keeps a value of any type and writes it as Python does.
            Raw::Toml(value) => Ok(value.in_text()),
        }
    }

    /// Returns the value if it is a TOML list or boolean. If the option is text or a number,
    /// `coverage debug config` shows the list or boolean instead of the converted value.
    pub(super) fn original_value(&self) -> Option<Value> {
        match &self.raw {
            Raw::Toml(value @ (Value::Array(_) | Value::Boolean(_))) => Some(value.clone()),
            _ => None,
        }
    }

    /// Reads a path and expands `~`.
    pub(super) fn file(&self) -> Result<String, Cause> {
        match self.substituted()? {
            Raw::Ini(text) | Raw::Toml(Value::Text(text)) => Ok(expand_user(&text, self.env)),
            Raw::Toml(value) => Err(self.refused(&format!("is not a string: {value}"))),
        }
    }

    /// Reads a list: INI text is split at commas and line ends, TOML has a list of strings.
    pub(super) fn list(&self) -> Result<Vec<String>, Cause> {
        match &self.raw {
            Raw::Ini(text) => Ok(non_blank(substitute(text, self.env)?.split(['\n', ',']))),
            Raw::Toml(value) => self.text_list(value),
        }
    }

    /// Reads regular expressions: one a line in INI, a list of strings in TOML.
    pub(super) fn patterns(&self) -> Result<Vec<String>, Cause> {
        let patterns = match &self.raw {
            Raw::Ini(text) => non_blank(split_lines(&substitute(text, self.env)?)),
            Raw::Toml(value) => non_blank(self.text_list(value)?.iter().map(String::as_str)),
        };
        patterns.iter().try_for_each(|pattern| self.check_pattern(pattern))?;
        Ok(patterns)
    }

    /// Returns the value for a plugin: INI text with variables replaced, or the TOML value
    /// unchanged.
    pub(super) fn plugin_value(&self) -> Result<Value, Cause> {
        match &self.raw {
            Raw::Ini(text) => Ok(Value::Text(substitute(text, self.env)?)),
            Raw::Toml(value) => Ok(value.clone()),
        }
    }

    /// Returns the value. If it is text, variables in it are replaced.
    fn substituted(&self) -> Result<Raw, Cause> {
        Ok(match &self.raw {
            Raw::Ini(text) => Raw::Ini(substitute(text, self.env)?),
            Raw::Toml(Value::Text(text)) => Raw::Toml(Value::Text(substitute(text, self.env)?)),
            Raw::Toml(value) => Raw::Toml(value.clone()),
        })
    }

    /// Reads a TOML list of strings and replaces variables in each item. Error messages quote the
    /// value as the file writes it.
    fn text_list(&self, value: &Value) -> Result<Vec<String>, Cause> {
        let Value::Array(values) = value else {
            return Err(self.refused(&format!("is not a list: {value}")));
        };
        let text = |value: &Value| match value {
            Value::Text(text) => Ok(substitute(text, self.env)?),
            value => Err(self.refused(&format!("is not a list of strings: {value}"))),
        };
        values.iter().map(text).collect()
    }

    fn check_pattern(&self, pattern: &str) -> Result<(), Cause> {
        pyre::check(pattern).map_err(|reason| Cause::Pattern {
            section: self.section_in_messages().to_owned(),
            option: self.option.to_owned(),
            value: pattern.to_owned(),
            reason,
        })
    }

    /// Returns the section's name as messages about patterns give it: coverage.py omits the prefix
    /// of an INI section there.
    fn section_in_messages(&self) -> &str {
        match self.raw {
            Raw::Ini(_) => self.section.strip_prefix("coverage:").unwrap_or(self.section),
            Raw::Toml(_) => self.section,
        }
    }

    fn convert<T>(
        &self,
        value: &Value,
        description: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Cause> {
        let Value::Text(text) = value else {
            return Err(self.refused(&format!("is not {description}: {value}")));
        };
        parse(text)
            .ok_or_else(|| self.refused(&format!("couldn't convert to {description}: {value}")))
    }

    fn refused(&self, problem: &str) -> Cause {
        Cause::Value(format!("Option [{}]{} {problem}", self.section, self.option))
    }
}

fn non_blank<'t>(values: impl Iterator<Item = &'t str>) -> Vec<String> {
    values.map(strip).filter(|value| !value.is_empty()).map(str::to_owned).collect()
}
