//! Parses names of data files. A name is any text, or is built from parts that parsing must find
//! again.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pulpcov_core::discover::DataFileName;

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Any { base: &'a str, name: &'a str },
    Suffix(&'a str),
    Parts { host: &'a str, pid: u32, random: u64, hash: Option<u64> },
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Any { base, name } => check_parse(base, name),
        Input::Suffix(suffix) => check_parse(".coverage", &format!(".coverage.{suffix}")),
        Input::Parts { host, pid, random, hash } => check_built_name(host, pid, random, hash),
    }
});

fn check_parse(base: &str, name: &str) {
    let parsed = DataFileName::parse(base, name);
    let rest = name.strip_prefix(base).filter(|rest| rest.starts_with('.'));
    assert_eq!(parsed.is_some(), rest.is_some());
    let Some(DataFileName { base: parsed_base, host, pid, random, hash, .. }) = parsed else {
        return;
    };
    assert_eq!(parsed_base, base);
    // Host, pid and random part exist together or not at all. A hash exists only with them.
    assert!(host.is_some() == pid.is_some() && pid.is_some() == random.is_some());
    assert!(hash.is_none() || host.is_some());
    assert!(host.as_deref() != Some("") && random.as_deref() != Some(""));
    if let (Some(host), Some(random)) = (host, random) {
        let modern = format!("{base}.{host}.pid");
        let classic = format!("{base}.{host}.");
        assert!(name.starts_with(&modern) || name.starts_with(&classic));
        assert!(
            name.contains(&random) && hash.is_none_or(|hash| name.ends_with(&format!(".H{hash}h")))
        );
    }
}

fn check_built_name(host: &str, pid: u32, random: u64, hash: Option<u64>) {
    if host.is_empty() {
        return;
    }
    let tail = hash.map_or(String::new(), |hash| format!(".H{hash:x}h"));
    let modern = format!("data.{host}.pid{pid}.X{random:x}x{tail}");
    let parsed = DataFileName::parse("data", &modern).expect("it starts with the base");
    assert_eq!(parsed.host.as_deref(), Some(host));
    assert_eq!(parsed.pid, Some(pid));
    assert_eq!(parsed.random, Some(format!("{random:x}")));
    assert_eq!(parsed.hash, hash.map(|hash| format!("{hash:x}")));

    let classic = DataFileName::parse("data", &format!("data.{host}.{pid}.{random:06}"));
    let classic = classic.expect("it starts with the base");
    assert_eq!((classic.host.as_deref(), classic.pid), (Some(host), Some(pid)));
}
