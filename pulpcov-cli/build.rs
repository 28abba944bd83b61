//! Finds out which tiers of tests can run on this machine. The published package does not contain this file.

use std::process::Command;

/// The script that knows what each tier needs.
const RUN: &str = "../tests/run";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={RUN}");
    println!("cargo:rerun-if-env-changed=PATH");
    for tier in ["python", "services", "browser"] {
        println!("cargo:rustc-check-cfg=cfg(tier_{tier})");
        if Command::new(RUN).args(["--check", tier]).output().is_ok_and(|ran| ran.status.success())
        {
            println!("cargo:rustc-cfg=tier_{tier}");
        } else {
            // Installing a program changes one of these folders.
            println!("cargo:rerun-if-changed=/usr/bin");
            println!("cargo:rerun-if-changed=/usr/sbin");
        }
    }
}
