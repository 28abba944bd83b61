//! Parses any bytes as a config file. The first byte selects INI or TOML.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use pulpcov_core::ErrorKind;
use pulpcov_core::config::{Loader, format_info};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((kind, content)) = bytes.split_first() else { return Corpus::Reject };
    let name = if kind % 2 == 0 { "my.ini" } else { "my.toml" };
    let loader = Loader::new("/nonexistent", |name| match name {
        "HOME" => Some("/home/me".to_owned()),
        "SET" => Some("one, two ${SET} $$".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    });
    match loader.parse(name, content) {
        Ok(loaded) => {
            assert_eq!(Some(&loaded), loader.parse(name, content).ok().as_ref());
            assert!(!format_info("config", &loaded.config.debug_info()).is_empty());
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
    Corpus::Keep
});
