//! Tests of the command as users run it, and of the library on data files of every kind.
//!
//! The modules are tiers, by what the tests need from the machine. `tests/run TIER` installs it. The build script finds
//! out which tiers can run here. Each other tier is one ignored test, which names the command to run.
//!
//! | Tier | Needs |
//! |---|---|
//! | `quick` | cargo |
//! | `python` | Python with venv, PyPI, and programs that read reports or disturb a combine |
//! | `services` | servers and brokers that the hook is tried with |
//! | `browser` | Chromium |
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![cfg_attr(
    not(all(tier_python, tier_services, tier_browser)),
    allow(dead_code, unused_imports, reason = "only all tiers together use all helpers")
)]

mod support;

#[cfg(tier_browser)]
mod browser;
#[cfg(tier_python)]
mod python;
mod quick;
#[cfg(tier_services)]
mod services;

/// What says that a tier is left out.
mod left_out {
    #[cfg(not(tier_python))]
    #[test]
    #[ignore = "something is missing: `tests/run python` installs or names it"]
    fn python() {}

    #[cfg(not(tier_services))]
    #[test]
    #[ignore = "something is missing: `tests/run services` installs or names it"]
    fn services() {}

    #[cfg(not(tier_browser))]
    #[test]
    #[ignore = "something is missing: `tests/run browser` installs or names it"]
    fn browser() {}
}
