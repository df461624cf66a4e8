use systemprompt_core::extension::prelude::*;

register_extension!();

fn main() {}
