//! Times, such as those between two saves.

use std::time::Duration;

use jiff::SignedDuration;

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses a time, and returns it in seconds. A number without a unit is seconds; all units of jiff's friendly format are
/// accepted.
pub(super) fn time(text: &str) -> Result<f64, String> {
    let has_unit = text.parse::<f64>().is_err();
    let with_unit = if has_unit { text.to_owned() } else { format!("{text}s") };
    let time = with_unit.parse::<SignedDuration>().ok().and_then(|time| time.try_into().ok());
    let time = time.filter(|time| (SHORTEST..=LONGEST).contains(time));
    time.map(|time: Duration| time.as_secs_f64()).ok_or_else(|| {
        "write a time from 10ms to 24h, such as 200ms, 5s, 2m, 1h; without a unit it is seconds"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_or_are_seconds() {
        for (text, seconds) in [
            ("5", Some(5.0)),
            ("0.5", Some(0.5)),
            ("5s", Some(5.0)),
            ("0.5s", Some(0.5)),
            ("200ms", Some(0.2)),
            ("2m", Some(120.0)),
            ("1h", Some(3600.0)),
            ("1.5h", Some(5400.0)),
            ("1h 30m", Some(5400.0)),
            ("10ms", Some(0.01)),
            ("24h", Some(86_400.0)),
            ("9ms", None),
            ("25h", None),
            ("0", None),
            ("-5s", None),
            ("", None),
            ("5 parsecs", None),
            ("nan", None),
            ("inf", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(time(text).ok(), seconds, "{text:?}");
        }
    }
}
