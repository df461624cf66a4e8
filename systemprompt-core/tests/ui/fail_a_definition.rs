use systemprompt_core::extension::prelude::*;

register_extension!(struct Mine;);

fn main() {}
