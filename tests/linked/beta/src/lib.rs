//! Extensions whose ids sort before and after those of the other crates.

use systemprompt::extension::prelude::*;

pub struct Zeta;

impl Extension for Zeta {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("zeta", "2.3.4")
    }
}

register_extension!(Zeta);

pub struct Beta;

impl Extension for Beta {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("beta", "0.1.0")
    }
}

register_extension!(Beta);
