//! What we build on: permissive licences, one registry, and a reason for every direct dependency.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(format!("{ROOT}/Cargo.toml"))
        .other_options(["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .expect("cargo metadata")
}

fn deny() -> toml::Table {
    fs::read_to_string(format!("{ROOT}/deny.toml")).unwrap().parse().unwrap()
}

#[test]
fn every_licence_is_on_the_list() {
    let deny = deny();
    let allowed: BTreeSet<_> =
        deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(|l| l.as_str()).collect();
    for package in metadata().packages {
        let text = package.license.as_deref().unwrap_or_default().replace('/', " OR ");
        let expression = spdx::Expression::parse_mode(&text, spdx::ParseMode::LAX)
            .unwrap_or_else(|error| panic!("{}: `{text}`: {error}", package.name));
        let fine = expression.evaluate(|requirement| {
            requirement.license.id().is_some_and(|id| allowed.contains(id.name))
        });
        assert!(fine, "{} {} is licensed `{text}`", package.name, package.version);
    }
}

#[test]
fn every_package_comes_from_the_registry() {
    for package in metadata().packages {
        let registry = package.source.as_ref().is_none_or(|source| source.is_crates_io());
        assert!(registry, "{} comes from {:?}", package.name, package.source);
    }
}

#[test]
fn no_banned_package_is_built() {
    let deny = deny();
    let banned: BTreeSet<_> = deny["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|ban| ban["crate"].as_str())
        .collect();
    // The lock file also names what a dependency could build; the tree is what is built.
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--workspace", "--all-features", "--target", "all"])
        .args(["--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"])
        .current_dir(ROOT)
        .output()
        .expect("cargo tree");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8_lossy(&tree.stdout);
    let built: BTreeSet<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(built.contains("serde"), "{text}");
    assert_eq!(built.intersection(&banned).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let reasons = fs::read_to_string(format!("{ROOT}/docs/dependencies.md")).unwrap();
    let explained: BTreeSet<_> =
        reasons.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let direct: BTreeSet<_> = metadata()
        .workspace_packages()
        .iter()
        .flat_map(|package| package.dependencies.clone())
        .filter(|dependency| !dependency.name.starts_with("systemprompt"))
        .filter(|dependency| dependency.kind != DependencyKind::Build)
        .map(|dependency| dependency.name)
        .collect();
    let missing: Vec<_> = direct.iter().filter(|name| !explained.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "docs/dependencies.md has no line for {missing:?}");
    let stale: Vec<_> = explained.iter().filter(|name| !direct.contains(**name)).collect();
    assert!(stale.is_empty(), "docs/dependencies.md explains what is not used: {stale:?}");
}
