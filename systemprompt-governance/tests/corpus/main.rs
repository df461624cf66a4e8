//! The secret scanner measured: on text that holds no secret, on credentials of many vendors in the places
//! where people write them.
//!
//! `cargo test -p systemprompt-governance --test corpus -- --nocapture` prints the tables.

#[cfg(test)]
mod benign;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod negatives;
#[cfg(test)]
mod places;
#[cfg(test)]
mod rate;
#[cfg(test)]
mod recall;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod snippets;
#[cfg(test)]
mod wild;

#[cfg(test)]
fn scanner() -> systemprompt_governance::secret::Scanner {
    use std::sync::LazyLock;
    use systemprompt_governance::secret::Scanner;

    static SHARED: LazyLock<Scanner> =
        LazyLock::new(|| Scanner::builder().fingerprint_key(&[7; 32]).build().unwrap());
    SHARED.clone()
}
