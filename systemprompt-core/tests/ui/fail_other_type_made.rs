use systemprompt_core::extension::prelude::*;

struct Mine;

impl Extension for Mine {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("mine", "1.0.0")
    }
}

register_extension!(Mine, "mine");

fn main() {}
