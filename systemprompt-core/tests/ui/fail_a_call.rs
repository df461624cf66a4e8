use systemprompt_core::extension::prelude::*;

struct Mine(u8);

impl Mine {
    fn new() -> Self {
        Self(1)
    }
}

impl Extension for Mine {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("mine", "1.0.0")
    }
}

register_extension!(Mine::new());

fn main() {}
