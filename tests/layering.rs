//! The crates form a star: core in the middle, peers around it, then runtime, cli and the facade.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate of the family may depend on, of the family.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("systemprompt-core", &[]),
    ("systemprompt-governance", &["systemprompt-core"]),
    ("systemprompt-audit", &["systemprompt-core"]),
    ("systemprompt-identity", &["systemprompt-core"]),
    ("systemprompt-custody", &["systemprompt-core"]),
    ("systemprompt-providers", &["systemprompt-core"]),
    (
        "systemprompt-runtime",
        &[
            "systemprompt-core",
            "systemprompt-governance",
            "systemprompt-audit",
            "systemprompt-identity",
            "systemprompt-custody",
            "systemprompt-providers",
        ],
    ),
    (
        "systemprompt-cli",
        &[
            "systemprompt-core",
            "systemprompt-governance",
            "systemprompt-audit",
            "systemprompt-identity",
            "systemprompt-custody",
            "systemprompt-providers",
            "systemprompt-runtime",
        ],
    ),
    (
        "systemprompt",
        &[
            "systemprompt-core",
            "systemprompt-governance",
            "systemprompt-audit",
            "systemprompt-identity",
            "systemprompt-custody",
            "systemprompt-providers",
            "systemprompt-runtime",
            "systemprompt-cli",
        ],
    ),
];

/// Members that are not published and see only the facade.
const UNPUBLISHED: [&str; 3] =
    ["systemprompt-benches", "systemprompt-examples", "systemprompt-tests"];

/// What tests alone use, and which sees nothing of the family.
const TEST_SUPPORT: &str = "systemprompt-test-postgres";

fn family() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata");
    let uses = |package: &cargo_metadata::Package| {
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .filter(|dependency| dependency.name.starts_with("systemprompt"))
            .filter(|dependency| dependency.name != TEST_SUPPORT)
            .map(|dependency| dependency.name.clone())
            .collect()
    };
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.to_string(), uses(package)))
        .collect()
}

#[test]
fn peers_never_import_peers() {
    let family = family();
    for (name, allowed) in ALLOWED {
        let uses = family.get(name).unwrap_or_else(|| panic!("{name} is not a member"));
        let stray: Vec<_> = uses.iter().filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(stray.is_empty(), "{name} must not depend on {stray:?}");
    }
}

#[test]
fn every_member_has_its_place() {
    let placed: BTreeSet<_> = ALLOWED
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .chain(UNPUBLISHED.map(String::from))
        .chain([TEST_SUPPORT.to_owned()])
        .collect();
    let members: BTreeSet<_> = family().into_keys().collect();
    assert_eq!(members, placed);
}

#[test]
fn unpublished_members_see_the_facade_alone() {
    let family = family();
    for name in UNPUBLISHED {
        assert_eq!(family[name], BTreeSet::from(["systemprompt".to_owned()]), "{name}");
    }
}
