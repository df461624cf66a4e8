use systemprompt_core::extension::prelude::*;

struct Mine;

impl Extension for Mine {}

register_extension!(Mine);

fn main() {}
