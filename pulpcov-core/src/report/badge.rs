//! A badge with the total percentage.
//!
//! [`write_json`] writes the JSON that the [endpoint badge] of Shields reads, and [`write_svg`] a picture that needs no server.
//!
//! | at least | colour | in the picture |
//! |---|---|---|
//! | 95 % | `brightgreen` | `#2a7f0d` |
//! | 90 % | `green` | `#4b7a0b` |
//! | 75 % | `yellowgreen` | `#6b7410` |
//! | 60 % | `yellow` | `#8a6a00` |
//! | 40 % | `orange` | `#a85a1a` |
//! | less | `red` | `#b8402e` |
//!
//! The counts are compared exactly: 94.9999 % is not 95 %. White text on each colour of the picture has a contrast of at least 5.
//!
//! [endpoint badge]: https://shields.io/badges/endpoint-badge

use std::io::Write;

use crate::Result;
use crate::results::{Numbers, Precision, display_covered};
use crate::text::printable;

/// The steps: the percentage, the name of the colour, and the colour of the picture.
const STEPS: [(u128, &str, &str); 6] = [
    (95, "brightgreen", "#2a7f0d"),
    (90, "green", "#4b7a0b"),
    (75, "yellowgreen", "#6b7410"),
    (60, "yellow", "#8a6a00"),
    (40, "orange", "#a85a1a"),
    (0, "red", "#b8402e"),
];

/// The width of a character of the picture, in tenths of a pixel. The picture says how wide its texts are, so other fonts
/// fit, too.
const CHARACTER: usize = 66;

/// The space beside a text, in pixels.
const MARGIN: usize = 6;

/// How a badge is written.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::badge::{Options, write_json};
/// use pulpcov_core::results::Numbers;
///
/// let totals = Numbers { statements: 200, missing: 26, ..Numbers::default() };
/// let mut out = Vec::new();
/// write_json(totals, &Options::new(), &mut out)?;
/// assert_eq!(
///     out,
///     b"{\"schemaVersion\":1,\"label\":\"coverage\",\"message\":\"87%\",\"color\":\"yellowgreen\"}\n",
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    label: String,
    precision: Precision,
}

impl Default for Options {
    fn default() -> Self {
        Self { label: "coverage".to_owned(), precision: Precision::default() }
    }
}

impl Options {
    /// Creates the defaults: the label `coverage`, and a percentage without decimals.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the text on the left.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the number of decimals.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    fn message(&self, totals: Numbers) -> String {
        format!("{}%", display_covered(totals.percent_covered(), self.precision))
    }
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    schema_version: u32,
    label: &'a str,
    message: String,
    color: &'static str,
}

/// Writes the JSON that the endpoint badge of Shields reads.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_json(totals: Numbers, options: &Options, mut out: impl Write) -> Result<()> {
    let endpoint = Endpoint {
        schema_version: 1,
        label: &options.label,
        message: options.message(totals),
        color: step(totals).1,
    };
    serde_json::to_writer(&mut out, &endpoint).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

/// Writes the badge as a picture in SVG. It loads nothing, and says in its title what it shows.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::badge::{Options, write_svg};
/// use pulpcov_core::results::Numbers;
///
/// let mut out = Vec::new();
/// write_svg(Numbers::default(), &Options::new().label("<tests>"), &mut out)?;
/// assert!(String::from_utf8_lossy(&out).contains("<title>&lt;tests&gt;: 100%</title>"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write_svg(totals: Numbers, options: &Options, mut out: impl Write) -> Result<()> {
    let message = options.message(totals);
    let (left, right) = (width(&options.label), width(&message));
    let (label, colour) = (escaped(&options.label), step(totals).2);
    let all = left + right;
    let text = |text: &str, start: usize, width: usize| {
        let length = width - 2 * MARGIN;
        format!("<text x=\"{}\" y=\"14\" textLength=\"{length}\">{text}</text>", start + MARGIN)
    };
    Ok(writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{label}: {message}\">\
         <title>{label}: {message}</title>\
         <clipPath id=\"r\"><rect width=\"{all}\" height=\"20\" rx=\"3\"/></clipPath>\
         <g clip-path=\"url(#r)\"><rect width=\"{left}\" height=\"20\" fill=\"#444\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/></g>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,Geneva,sans-serif\" font-size=\"11\">{}{}</g></svg>",
        text(&label, 0, left),
        text(&message, left, right),
    )?)
}

/// Returns the step that the counts reach.
fn step(totals: Numbers) -> (u128, &'static str, &'static str) {
    let (covered, all) = totals.ratio_covered();
    let reaches = |&&(percent, ..): &&(u128, &str, &str)| {
        (covered as u128).saturating_mul(100) >= (all as u128).saturating_mul(percent)
    };
    *STEPS.iter().find(reaches).unwrap_or(&STEPS[STEPS.len() - 1])
}

/// Returns the width of a part of the picture, in pixels.
fn width(text: &str) -> usize {
    (text.chars().count() * CHARACTER).div_ceil(10) + 2 * MARGIN
}

/// Escapes text for XML.
fn escaped(text: &str) -> String {
    let text = printable(text).replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_exact() {
        let colour =
            |statements, missing| step(Numbers { statements, missing, ..Numbers::default() }).1;
        assert_eq!(colour(0, 0), "brightgreen");
        assert_eq!(colour(20, 1), "brightgreen");
        assert_eq!(colour(20_000, 1_001), "green");
        assert_eq!(colour(10, 1), "green");
        assert_eq!(colour(4, 1), "yellowgreen");
        assert_eq!(colour(5, 2), "yellow");
        assert_eq!(colour(5, 3), "orange");
        assert_eq!(colour(5, 4), "red");
    }
}
