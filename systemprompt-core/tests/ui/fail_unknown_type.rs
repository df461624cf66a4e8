use systemprompt_core::extension::prelude::*;

register_extension!(Mine);

fn main() {}
