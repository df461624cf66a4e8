//! Prints the extensions it finds, in order, and what `require` says about the one that is missing.

use linked_alpha as _;
use linked_beta as _;
use systemprompt::extension::TypedExtensionRegistry;

fn main() {
    let registry = match TypedExtensionRegistry::discover() {
        Ok(registry) => registry,
        Err(error) => return println!("discover: {error}"),
    };
    for extension in registry.extensions() {
        println!("{}", extension.id());
    }
    match registry.require(["beta", "silent"]) {
        Ok(()) => println!("require: nothing missing"),
        Err(error) => println!("require: {error}"),
    }
}
