//! TOML files, through the `toml` crate, as Python's `tomllib` reads them.
//!
//! Only the tables that are ours are turned into values: the rest of a `pyproject.toml` has to be
//! TOML, and nothing more is asked of it.

use toml::de::{DeTable, DeValue};

use super::value::{Datetime, Value};

/// A parsed file.
#[derive(Debug)]
pub(super) struct Toml<'t>(DeTable<'t>);

/// A table of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a>(&'a DeTable<'a>);

/// Why a text is not TOML.
#[derive(Debug, thiserror::Error)]
#[error("{message} (at line {line}, column {column})")]
pub(super) struct TomlError {
    message: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// Counted from 1, in characters.
    pub(super) column: usize,
}

/// The name of a value that should have been a table.
#[derive(Debug)]
pub(super) struct NotATable(pub(super) String);

impl<'t> Toml<'t> {
    /// Parse `text`.
    pub(super) fn parse(text: &'t str) -> Result<Self, TomlError> {
        if text.starts_with('\u{feff}') {
            // The toml crate skips it; Python's tomllib does not.
            let message = "Invalid statement: a byte order mark begins the text".to_owned();
            return Err(TomlError { message, line: 1, column: 1 });
        }
        let table = DeTable::parse(text).map_err(|error| located(text, &error))?;
        Ok(Self(table.into_inner()))
    }

    /// The table of that dotted name, if there is one.
    pub(super) fn table(&self, name: &str) -> Result<Option<Table<'_>>, NotATable> {
        let mut table = &self.0;
        let mut end = 0;
        for part in name.split('.') {
            end += part.len();
            match table.get(part).map(|value| value.get_ref()) {
                None => return Ok(None),
                Some(DeValue::Table(inner)) => table = inner,
                Some(_) => return Err(NotATable(name[..end].to_owned())),
            }
            end += 1;
        }
        Ok(Some(Table(table)))
    }
}

impl<'a> Table<'a> {
    /// The names in it, in file order.
    pub(super) fn keys(self) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(|key| key.get_ref().as_ref())
    }

    /// The value of that name.
    pub(super) fn get(self, key: &str) -> Option<Value> {
        self.0.get(key).map(|value| convert(value.get_ref()))
    }
}

fn located(text: &str, error: &toml::de::Error) -> TomlError {
    let offset = error.span().map_or(text.len(), |span| span.start);
    let before = text.get(..offset).unwrap_or(text);
    let (line, last) = before.split('\n').enumerate().last().unwrap_or((0, ""));
    let message = error.message().replace('\n', " ");
    TomlError { message, line: line + 1, column: last.chars().count() + 1 }
}

fn convert(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(integer) => Value::Integer(decimal(integer.as_str(), integer.radix())),
        // The crate has checked the form; a number too large is infinite, as in Python.
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(datetime) => Value::Datetime(convert_datetime(datetime)),
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| convert(value.get_ref())).collect())
        }
        DeValue::Table(table) => Value::Table(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().as_ref(), convert(value.get_ref())))
                .collect(),
        ),
    }
}

/// The digits of an integer in base ten, without sign if positive.
fn decimal(digits: &str, radix: u32) -> String {
    let prefix = match radix {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ if digits == "-0" => return "0".to_owned(),
        _ => return digits.strip_prefix('+').unwrap_or(digits).to_owned(),
    };
    // What is no number of 128 bits stays as it was written: no setting is that large.
    match i128::from_str_radix(digits, radix) {
        Ok(number) => number.to_string(),
        Err(_) => format!("{prefix}{digits}"),
    }
}

fn convert_datetime(datetime: &toml::value::Datetime) -> Datetime {
    Datetime {
        date: datetime.date.map(|date| (date.year, date.month, date.day)),
        time: datetime.time.map(|time| {
            let micros = time.nanosecond.unwrap_or(0) / 1000;
            (time.hour, time.minute, time.second.unwrap_or(0), micros)
        }),
        offset: datetime.offset.map(|offset| match offset {
            toml::value::Offset::Z => 0,
            toml::value::Offset::Custom { minutes } => minutes,
        }),
    }
}
