use systemprompt_core::extension::prelude::*;

struct Mine(u8);

impl Extension for Mine {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new(format!("mine-{}", self.0), "1.0.0")
    }
}

register_extension!(Mine);

fn main() {}
