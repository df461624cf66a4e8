use systemprompt_core::extension::prelude::*;

register_extension!("mine");

fn main() {}
