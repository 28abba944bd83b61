//! Finds out which tiers of tests can run on this machine. The published package does not contain this file.

use std::path::Path;
use std::process::Command;

/// The programs that each tier needs. `tests/run` installs them.
const TIERS: [(&str, &[&str]); 3] = [
    ("python", &["python3", "git", "strace", "lcov", "xmllint"]),
    ("services", &["python3", "redis-server", "uwsgi", "apache2"]),
    ("browser", &["python3", "chromium", "chromedriver"]),
];

fn main() {
    println!("cargo:rerun-if-env-changed=PATH");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PULPCOV_TESTS");
    // Whoever asks for all tests does not want any to be left out.
    let wants_all = std::env::var("PULPCOV_TESTS").is_ok_and(|tests| tests == "all");
    for (tier, programs) in TIERS {
        println!("cargo:rustc-check-cfg=cfg(tier_{tier})");
        let missing: Vec<_> = programs.iter().filter(|program| !is_installed(program)).collect();
        assert!(!wants_all || missing.is_empty(), "the tests of tier {tier} need {missing:?}");
        if missing.is_empty() && has_venv() {
            println!("cargo:rustc-cfg=tier_{tier}");
        } else {
            // Installing a program changes one of these folders.
            println!("cargo:rerun-if-changed=/usr/bin");
            println!("cargo:rerun-if-changed=/usr/sbin");
        }
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(program));
    // Debian has some servers where only root looks for programs.
    found.any(|path| path.is_file()) || Path::new("/usr/sbin").join(program).is_file()
}

fn has_venv() -> bool {
    let check = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    check.is_ok_and(|output| output.status.success())
}
