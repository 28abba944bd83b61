//! Facts in the form in which `coverage debug` prints them.

use crate::pytext::float_repr;

/// A value in the output of [`format_info`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Info {
    /// A single value, as Python's `str` writes it.
    Text(String),
    /// A list of values, printed one a line.
    List(Vec<String>),
}

impl Info {
    pub(super) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }
}

/// A value that `coverage debug` can print.
pub(super) trait Show {
    fn show(&self) -> Info;
}

impl Show for bool {
    fn show(&self) -> Info {
        Info::text(if *self { "True" } else { "False" })
    }
}

impl Show for i64 {
    fn show(&self) -> Info {
        Info::text(self.to_string())
    }
}

impl Show for f64 {
    fn show(&self) -> Info {
        Info::text(float_repr(*self))
    }
}

impl Show for String {
    fn show(&self) -> Info {
        Info::text(self)
    }
}

impl Show for Vec<String> {
    fn show(&self) -> Info {
        Info::List(self.clone())
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> Info {
        self.as_ref().map_or_else(|| Info::text("None"), Show::show)
    }
}

/// Formats facts under a headline, as the parts of `coverage debug` print them.
///
/// The form is that of coverage.py's `write_formatted_info`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::{Info, format_info};
///
/// let info = [("one", Info::Text("1".into())), ("none", Info::List(vec![]))];
/// assert_eq!(
///     format_info("numbers", &info),
///     "-- numbers ---------------------------------------------------\n\
///      \u{20}                           one: 1\n\
///      \u{20}                          none: -none-\n",
/// );
/// ```
pub fn format_info(header: &str, info: &[(&str, Info)]) -> String {
    let mut out = format!("--{:-<60}\n", format!(" {header} "));
    for (label, value) in info {
        let lines = match value {
            Info::List(lines) if lines.is_empty() => &["-none-".to_owned()],
            Info::List(lines) => lines.as_slice(),
            Info::Text(text) => std::slice::from_ref(text),
        };
        let mut prefix = format!("{label:>30}: ");
        for line in lines {
            out.push_str(&format!(" {prefix}{line}\n"));
            prefix = " ".repeat(32);
        }
    }
    out
}
