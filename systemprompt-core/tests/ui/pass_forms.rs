#![forbid(unsafe_code)]
#![deny(warnings)]

mod inner {
    pub struct Unit;
}

struct Made(u32);

struct Generic<T>(T);

use systemprompt_core::extension::prelude::*;

impl Extension for inner::Unit {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("unit", "1.0.0")
    }
}

impl Extension for Made {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new(format!("made-{}", self.0), "1.0.0")
    }
}

impl Extension for Generic<u8> {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new(format!("generic-{}", self.0), "1.0.0")
    }
}

register_extension!(crate::inner::Unit);
register_extension!(Made, Made(7));
register_extension!(Generic<u8>, Generic(9),);

fn main() {
    let registry = TypedExtensionRegistry::discover().unwrap();
    let ids: Vec<_> = registry.iter().map(|extension| extension.id().to_owned()).collect();
    assert_eq!(ids, ["generic-9", "made-7", "unit"]);
}
