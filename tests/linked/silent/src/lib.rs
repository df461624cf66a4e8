//! A dependency of the host that no code names, so the linker leaves it out.

use systemprompt::extension::prelude::*;

pub struct Silent;

impl Extension for Silent {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("silent", "1.0.0")
    }
}

register_extension!(Silent);
