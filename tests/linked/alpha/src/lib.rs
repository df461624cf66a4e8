//! Two extensions; `alpha-late` asks to come late, `alpha-needy` needs a crate that sorts after it.

use systemprompt::extension::prelude::*;

pub struct Late;

impl Extension for Late {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("alpha-late", "1.0.0").order(100)
    }
}

register_extension!(Late);

pub struct Needy;

impl Extension for Needy {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("alpha-needy", "1.2.0").requires("zeta", "^2")
    }
}

register_extension!(Needy);
