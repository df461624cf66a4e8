//! Extensions that register themselves in this binary.

use systemprompt_core::extension::Capability;
use systemprompt_core::extension::prelude::*;

struct Zebra;

impl Extension for Zebra {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("zebra", "1.0.0")
    }
}

register_extension!(Zebra);

struct Ape {
    name: String,
}

impl Extension for Ape {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new(self.name.clone(), "0.1.0").requires("zebra", "^1")
    }
}

impl SchemaExtensionTyped for Ape {
    fn migrations(&self) -> Vec<Migration> {
        vec![Migration::new("0001", "CREATE TABLE apes (name TEXT);")]
    }
}

register_extension!(self::Ape, Ape { name: "ape".to_owned() });

#[test]
fn what_is_linked_is_found_in_order() {
    let registry = TypedExtensionRegistry::discover().unwrap();
    let seen: Vec<_> = registry.iter().map(|one| (one.id(), one.capabilities())).collect();
    assert_eq!(seen, [("zebra", vec![]), ("ape", vec![Capability::Schema])]);
    let site = registry.get("zebra").unwrap().site();
    assert_eq!(site.crate_name(), "systemprompt-core");
    assert!(site.file().ends_with("linked.rs") && site.line() > 0);
    registry.require(["ape", "zebra"]).unwrap();
}

#[test]
fn registries_are_independent_values() {
    let full = TypedExtensionRegistry::discover().unwrap();
    let less = TypedExtensionRegistry::discover().unwrap().disable(["ape"]).unwrap();
    let none = ExtensionBuilder::new().build().unwrap();
    assert_eq!(
        (full.extensions().len(), less.extensions().len(), none.extensions().len()),
        (2, 1, 0)
    );
}

#[test]
fn linked_and_named_extensions_meet_in_one_registry() {
    let both = ExtensionBuilder::new().linked().add(extension_entry!(Zebra)).build();
    let error = both.unwrap_err();
    assert!(matches!(error, ExtensionError::DuplicateId { .. }), "{error}");
}
