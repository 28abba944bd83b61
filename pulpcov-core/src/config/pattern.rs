//! stub
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct PatternError {
    message: String,
}
pub(super) fn check(p: &str) -> Result<(), PatternError> {
    fancy_regex::Regex::new(p).map(drop).map_err(|e| PatternError { message: e.to_string() })
}
