//! An option's value, read as the type that the option has.
//!
//! In INI files every value is text; TOML values have types, and text is taken for a number or a
//! boolean too. Variables are replaced in all text. The rules are those of coverage.py's
//! `HandyConfigParser` and `TomlConfigParser`.

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

/// One option of a file, with all that is needed to read and to refuse it.
pub(super) struct Setting<'a> {
    /// The section as it stands in the file.
    pub(super) section: &'a str,
    pub(super) option: &'a str,
    pub(super) raw: Raw,
    pub(super) env: Env<'a>,
}

impl Setting<'_> {
    /// `1`, `yes`, `true`, `on` and their opposites in any case; in TOML `true` or `"true"`.
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

    /// A whole number of 64 bits.
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

    /// A number, infinite and not-a-number included.
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

    /// Text.
    pub(super) fn text(&self) -> Result<String, Cause> {
        match self.substituted()? {
            Raw::Ini(text) => Ok(text),
            // coverage.py keeps a value of any type, and writes it as Python does.
            Raw::Toml(value) => Ok(value.in_text()),
        }
    }

    /// A value that text or a number stand for, but that coverage.py shows otherwise.
    pub(super) fn odd_value(&self) -> Option<Value> {
        match &self.raw {
            Raw::Toml(value @ (Value::Array(_) | Value::Boolean(_))) => Some(value.clone()),
            _ => None,
        }
    }

    /// A path, with `~` expanded.
    pub(super) fn file(&self) -> Result<String, Cause> {
        match self.substituted()? {
            Raw::Ini(text) | Raw::Toml(Value::Text(text)) => Ok(expand_user(&text, self.env)),
            Raw::Toml(value) => Err(self.refused(&format!("is not a string: {value}"))),
        }
    }

    /// In INI text, whatever stands between commas and line ends; in TOML a list of text.
    pub(super) fn list(&self) -> Result<Vec<String>, Cause> {
        match &self.raw {
            Raw::Ini(text) => Ok(non_blank(substitute(text, self.env)?.split(['\n', ',']))),
            Raw::Toml(value) => self.text_list(value),
        }
    }

    /// Regular expressions, one a line.
    pub(super) fn patterns(&self) -> Result<Vec<String>, Cause> {
        let patterns = match &self.raw {
            Raw::Ini(text) => non_blank(split_lines(&substitute(text, self.env)?)),
            Raw::Toml(value) => non_blank(self.text_list(value)?.iter().map(String::as_str)),
        };
        patterns.iter().try_for_each(|pattern| self.check_pattern(pattern))?;
        Ok(patterns)
    }

    /// What a plugin gets: INI text with variables replaced, TOML values as they are.
    pub(super) fn plugin_value(&self) -> Result<Value, Cause> {
        match &self.raw {
            Raw::Ini(text) => Ok(Value::Text(substitute(text, self.env)?)),
            Raw::Toml(value) => Ok(value.clone()),
        }
    }

    /// The value, with variables replaced if it is text.
    fn substituted(&self) -> Result<Raw, Cause> {
        Ok(match &self.raw {
            Raw::Ini(text) => Raw::Ini(substitute(text, self.env)?),
            Raw::Toml(Value::Text(text)) => Raw::Toml(Value::Text(substitute(text, self.env)?)),
            Raw::Toml(value) => Raw::Toml(value.clone()),
        })
    }

    /// Messages have the value as it was written: variables are replaced in the items.
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

    /// coverage.py names an INI file's section here without its prefix.
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
