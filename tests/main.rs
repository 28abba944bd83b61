//! The command as users run it, and the library on every data file there is.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod analyze;
mod attacks;
mod authors;
mod browser;
mod chromium;
mod commands;
mod data_root;
mod enemy;
mod faults;
mod formats;
mod hook;
mod hook_places;
mod hook_refusals;
mod hook_signals;
mod hooked;
mod hostile;
mod html;
mod memory;
mod mutated;
mod outputs;
mod parity;
mod plugins;
mod properties;
mod python_facts;
mod pythons;
mod readers;
mod report;
mod sample;
mod services;
mod sources;
mod support;
mod watch;
