use systemprompt_core::extension::prelude::*;

struct Mine;

register_extension!(Mine);

fn main() {}
