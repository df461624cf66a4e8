//! Extensions are found at link time, in one order, whatever the optimiser does.

use std::fs;
use std::process::Command;

const LINKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/linked");

/// Builds and runs the host of `tests/linked` in a profile.
fn host(profile: &str) -> Vec<String> {
    let mut target = std::env::current_exe().expect("own path");
    while target.pop() && !target.join("debug").exists() && !target.join("release").exists() {}
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--package", "linked-host", "--profile", profile])
        .arg("--manifest-path")
        .arg(format!("{LINKED}/Cargo.toml"))
        .arg("--target-dir")
        .arg(target.join("linked"))
        .output()
        .expect("cargo");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{profile}: {errors}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_order_is_the_same_in_debug_release_and_lto_and_a_crate_nobody_names_is_reported() {
    // The same versions as everything else, so that nothing has to be fetched.
    fs::copy(format!("{LINKED}/../../Cargo.lock"), format!("{LINKED}/Cargo.lock"))
        .expect("lock file");
    let debug = host("dev");
    assert_eq!(debug[..4], ["beta", "zeta", "alpha-needy", "alpha-late"]);
    let require = debug.last().expect("a line");
    assert!(require.starts_with("require: ") && require.contains("silent"), "{require}");
    for profile in ["release", "lto"] {
        assert_eq!(host(profile), debug, "{profile}");
    }
}
