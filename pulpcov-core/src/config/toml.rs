//! Reads TOML files with the `toml` crate, as Python's `tomllib` does.
//!
//! Only coverage's tables are converted to values. The rest of a `pyproject.toml` must be valid
//! TOML but is otherwise ignored.

use toml::de::{DeTable, DeValue};

use super::own::{Item, Table as OwnTable, Tree};
use super::value::{Datetime, Value};

/// A parsed TOML file.
#[derive(Debug)]
pub(super) struct Toml<'t> {
    text: &'t str,
    table: DeTable<'t>,
}

/// A table of a TOML file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
}

/// The reason why a text is not TOML.
#[derive(Debug, thiserror::Error)]
#[error("{message} (at line {line}, column {column})")]
pub(super) struct TomlError {
    message: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// Counted from 1, in characters.
    pub(super) column: usize,
}

/// The error for a value where a table belongs.
#[derive(Debug)]
pub(super) struct NotATable {
    pub(super) name: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// Whether Python can search the value with `in`: the value is at the end of the name, and is a
    /// list or a string.
    pub(super) supports_in: bool,
}

impl<'t> Toml<'t> {
    /// Parses `text`.
    pub(super) fn parse(text: &'t str) -> Result<Self, TomlError> {
        if text.starts_with('\u{feff}') {
            // The `toml` crate skips the byte order mark; Python's `tomllib` refuses it.
            let message = "Invalid statement: a byte order mark begins the text".to_owned();
            return Err(TomlError { message, line: 1, column: 1 });
        }
        let table = DeTable::parse(text).map_err(|error| located(text, &error))?;
        Ok(Self { text, table: table.into_inner() })
    }

    /// Returns the table of the whole file.
    pub(super) fn root(&self) -> Table<'_> {
        Table { text: self.text, table: &self.table }
    }

    /// Returns the table of the dotted name `name`, if there is one.
    pub(super) fn table(&self, name: &str) -> Result<Option<Table<'_>>, NotATable> {
        let mut table = &self.table;
        let mut end = 0;
        for part in name.split('.') {
            end += part.len();
            let Some(value) = table.get(part) else { return Ok(None) };
            let DeValue::Table(inner) = value.get_ref() else {
                let line = line_of(self.text, value.span().start);
                let can_contain = matches!(value.get_ref(), DeValue::Array(_) | DeValue::String(_));
                let supports_in = can_contain && end == name.len();
                return Err(NotATable { name: name[..end].to_owned(), line, supports_in });
            };
            table = inner;
            end += 1;
        }
        Ok(Some(Table { text: self.text, table }))
    }
}

impl<'a> Table<'a> {
    /// Returns the table's keys, in file order.
    pub(super) fn keys(self) -> impl Iterator<Item = &'a str> {
        self.table.keys().map(|key| key.get_ref().as_ref())
    }

    /// Returns the value of `key`.
    pub(super) fn get(self, key: &str) -> Option<Value> {
        self.table.get(key).map(|value| convert(value.get_ref()))
    }

    /// Returns the line in which the value of `key` begins, counted from 1.
    pub(super) fn line(self, key: &str) -> Option<usize> {
        self.table.get(key).map(|value| line_of(self.text, value.span().start))
    }
}

impl Table<'_> {
    /// Returns the content as settings of pulpcov, with the line of each. `name` is the name of the table.
    pub(super) fn tree(self, name: &str) -> OwnTable {
        let mut tree = OwnTable::default();
        for (key, value) in self.table {
            let key = key.get_ref().as_ref();
            tree.push(self.item(name, key, value));
        }
        tree
    }

    fn item(self, section: &str, key: &str, value: &::toml::Spanned<DeValue<'_>>) -> Item {
        let inner = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        let tree = match value.get_ref() {
            DeValue::String(text) => Tree::Text(text.clone().into_owned()),
            DeValue::Integer(number) => Tree::Number(decimal(number.as_str(), number.radix())),
            DeValue::Float(number) => Tree::Number(number.as_str().to_owned()),
            DeValue::Boolean(_) => Tree::Other("true or false"),
            DeValue::Datetime(_) => Tree::Other("a time"),
            DeValue::Array(values) => {
                Tree::List(values.iter().map(|value| self.item(section, key, value)).collect())
            }
            DeValue::Table(table) => Tree::Table(Table { text: self.text, table }.tree(&inner)),
        };
        Item::new(section, key, Some(line_of(self.text, value.span().start)), tree)
    }
}

/// Returns the line of the byte at `offset`, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
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
        // The `toml` crate has checked the syntax. A number that is too large becomes infinite, as
        // in Python.
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(datetime) => Value::Datetime(convert_datetime(datetime)),
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| convert(value.get_ref())).collect())
        }
        DeValue::Table(table) => Value::Table(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().as_ref().to_owned(), convert(value.get_ref())))
                .collect(),
        ),
    }
}

/// Returns an integer in base ten, without a sign if it is positive.
fn decimal(digits: &str, radix: u32) -> String {
    let prefix = match radix {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ if digits == "-0" => return "0".to_owned(),
        _ => return digits.strip_prefix('+').unwrap_or(digits).to_owned(),
    };
    // A number that does not fit in 128 bits stays as written: no setting is that large.
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
