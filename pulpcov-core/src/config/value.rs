//! Config values of any type. A TOML file can pass such values to a plugin.

use ordermap::OrderMap;

use std::fmt;

use crate::pytext::float_repr;
use crate::text::py_repr;

/// The value of an option that coverage.py hands to a plugin unchanged.
///
/// Values from INI files are always text. [`Display`](fmt::Display) writes a value as Python's
/// `repr` does, which is how coverage.py shows values in messages and in `debug config`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::Value;
///
/// let list = Value::Array(vec![Value::Text("it's".into()), Value::Boolean(true), Value::Float(1.0)]);
/// assert_eq!(list.to_string(), r#"["it's", True, 1.0]"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer, in decimal digits. It is text because Python's TOML integers have no upper
    /// limit.
    Integer(String),
    /// A floating point number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time of day, or both.
    Datetime(Datetime),
    /// A list.
    Array(Vec<Value>),
    /// A table.
    Table(OrderMap<String, Value>),
}

/// A TOML date, time of day, or date and time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Datetime {
    /// Year, month and day.
    pub date: Option<(u16, u8, u8)>,
    /// Hour, minute, second and microsecond.
    pub time: Option<(u8, u8, u8, u32)>,
    /// Minutes east of UTC.
    pub offset: Option<i16>,
}

impl Value {
    /// Returns the value as Python's `str` writes it.
    pub(super) fn in_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Datetime(datetime) => datetime.in_text(),
            value => value.to_string(),
        }
    }
}

impl Datetime {
    /// Returns the text that Python's `str` gives: `2024-02-29 12:30:00.500000+01:00`.
    fn in_text(&self) -> String {
        let mut parts = Vec::new();
        if let Some((year, month, day)) = self.date {
            parts.push(format!("{year:04}-{month:02}-{day:02}"));
        }
        if let Some((hour, minute, second, micros)) = self.time {
            let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
            parts.push(format!("{hour:02}:{minute:02}:{second:02}{fraction}"));
        }
        let offset = self.offset.map(|minutes| {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        });
        parts.join(" ") + &offset.unwrap_or_default()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&py_repr(text)),
            Self::Integer(digits) => f.write_str(digits),
            Self::Float(number) => f.write_str(&float_repr(*number)),
            Self::Boolean(true) => f.write_str("True"),
            Self::Boolean(false) => f.write_str("False"),
            Self::Datetime(datetime) => datetime.fmt(f),
            Self::Array(values) => write_joined(f, '[', values, ']'),
            Self::Table(table) => {
                let entries = table.iter().map(|(key, value)| format!("{}: {value}", py_repr(key)));
                write_joined(f, '{', entries, '}')
            }
        }
    }
}

fn write_joined(
    f: &mut fmt::Formatter<'_>,
    open: char,
    items: impl IntoIterator<Item = impl fmt::Display>,
    close: char,
) -> fmt::Result {
    write!(f, "{open}")?;
    for (at, item) in items.into_iter().enumerate() {
        write!(f, "{}{item}", if at == 0 { "" } else { ", " })?;
    }
    write!(f, "{close}")
}

/// Writes the `repr` of the equal object of Python's `datetime` module.
impl fmt::Display for Datetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match (self.date, self.time) {
            (Some(_), Some(_)) => "datetime",
            (Some(_), None) => "date",
            (None, _) => "time",
        };
        let date = self.date.into_iter().flat_map(|(y, m, d)| [y.into(), m.into(), d.into()]);
        let time = self.time.into_iter().flat_map(|(hour, minute, second, micros)| {
            let shown = if micros != 0 {
                4
            } else if second != 0 {
                3
            } else {
                2
            };
            [u32::from(hour), minute.into(), second.into(), micros].into_iter().take(shown)
        });
        let numbers: Vec<String> = date.chain(time).map(|number: u32| number.to_string()).collect();
        write!(f, "datetime.{class}({}", numbers.join(", "))?;
        match self.offset {
            None => f.write_str(")"),
            Some(0) => f.write_str(", tzinfo=datetime.timezone.utc)"),
            Some(minutes) => {
                write!(f, ", tzinfo=datetime.timezone({}))", timedelta(minutes))
            }
        }
    }
}

/// Returns the `repr` of a Python `timedelta`. Its seconds are never negative: a negative time has
/// negative days and the seconds to add to them.
fn timedelta(minutes: i16) -> String {
    let seconds = i32::from(minutes) * 60;
    match seconds.div_euclid(86400) {
        0 => format!("datetime.timedelta(seconds={seconds})"),
        days => {
            format!("datetime.timedelta(days={days}, seconds={})", seconds.rem_euclid(86400))
        }
    }
}
