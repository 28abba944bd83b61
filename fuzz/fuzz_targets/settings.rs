//! Reads settings of pulpcov from any bytes. The first byte selects the kind of file. Gates with these settings judge any
//! file.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use pulpcov_core::ErrorKind;
use pulpcov_core::config::Loader;
use pulpcov_core::gates::GateFile;
use pulpcov_core::results::Numbers;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((kind, content)) = bytes.split_first() else { return Corpus::Reject };
    let name = ["pulpcov.toml", "pyproject.toml", "setup.cfg"][usize::from(kind % 3)];
    let loader = Loader::new("/nonexistent", |_| None);
    match loader.parse_own(name, content) {
        Ok(Some(settings)) => {
            let numbers = |statements, missing| Numbers {
                files: 1,
                statements,
                missing,
                branches: missing,
                missing_branches: missing,
                ..Numbers::default()
            };
            let files = ["src/a.py", "/src/a.py", "a"].map(|name| GateFile {
                flapping: (usize::MAX, 1),
                is_new: name.len() > 1,
                ..GateFile::new(name, numbers(usize::MAX >> 8, 3))
            });
            if let Ok(verdict) = settings.gate.gate().judge(files, None, |_| true) {
                verdict.failing_files().for_each(|file| assert!(!file.remedies().is_empty()));
                assert!(verdict.updated(None, &[]).len() <= 3);
            }
        }
        Ok(None) => {}
        Err(error) => {
            assert!([ErrorKind::Config, ErrorKind::Pattern].contains(&error.kind()), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
    Corpus::Keep
});
