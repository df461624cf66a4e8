//! How many credentials are found, by the place they stand in, what they are made of, and whose they are.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::places::{PLACES, Takes, write};
use super::rate::{Rate, table};
use super::scanner;
use super::shapes::{Shape, shapes};

fn fits(shape: &Shape, takes: Takes) -> bool {
    match takes {
        Takes::All => true,
        Takes::Form => shape.by_form,
        Takes::Password => shape.class().contains("password"),
    }
}

/// Whether the credential itself is seen, and not just something beside it.
fn is_found(text: &str, value: &str, encoded: bool) -> bool {
    let at = text.find(value).map_or(0..text.len(), |start| start..start + value.len());
    scanner()
        .find_in_text(text)
        .iter()
        .any(|found| encoded || (found.span.start < at.end && at.start < found.span.end))
}

/// Every credential in every place.
#[test]
fn credentials_are_found_wherever_people_write_them() {
    let mut dice = Dice(4);
    let mut all = Rate::default();
    let (mut classes, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    let (mut places, mut owners) = (BTreeMap::new(), BTreeMap::new());
    for shape in shapes() {
        for (kind, _, place) in PLACES.iter().filter(|(_, takes, _)| fits(&shape, *takes)) {
            for name in &shape.names {
                let value = dice.fill(shape.template);
                let text = write(place, name, &value);
                let found = is_found(&text, &value, place.contains("{64}"));
                let of_form = if shape.by_form { "form" } else { "name" };
                let count = |rates: &mut BTreeMap<String, Rate>, key: String| {
                    rates.entry(key).or_default().count(found);
                };
                all.count(found);
                count(&mut classes, shape.class().to_owned());
                count(&mut kinds, format!("{kind} ({of_form})"));
                count(&mut places, format!("{:?} ({of_form})", place));
                count(&mut owners, format!("{} {} {}", shape.vendor, name, shape.template));
            }
        }
    }
    println!("{:.1} % of {}", all.percent(), all.1);
    table("by what the value is made of", &classes, 100.0);
    table("by kind of place", &kinds, 100.0);
    table("places where less than 85 % are found", &places, 85.0);
    table("credentials of which less than 85 % are found", &owners, 85.0);
    assert!(all.percent() >= FLOOR, "{:.1} %", all.percent());
}

/// Of all credentials in all places, what must be found, in percent.
const FLOOR: f64 = 60.0;

/// Every form is known where nothing but itself gives it away.
#[test]
fn forms_are_known_without_a_name() {
    let mut dice = Dice(5);
    let mut missed = Vec::new();
    let forms: Vec<Shape> = shapes().into_iter().filter(|shape| shape.by_form).collect();
    for shape in &forms {
        let values = (0..20).map(|_| dice.fill(shape.template));
        let found = values.filter(|value| is_found(value, value, false)).count();
        if found < 18 {
            missed.push(format!("{} {} {found} of 20", shape.vendor, shape.template));
        }
    }
    println!("unknown forms, {} of {}:\n{}", missed.len(), forms.len(), missed.join("\n"));
    assert!(missed.len() <= UNKNOWN_FORMS, "{} unknown", missed.len());
}

/// How many of the forms may be unknown.
const UNKNOWN_FORMS: usize = 80;

/// About as many, and as various, as people put together who compare scanners: each form alone and in a
/// place, each name in a few.
#[test]
fn a_sample_of_every_vendor_is_found() {
    const PLACES_EACH: usize = 5;
    let mut dice = Dice(7);
    let (mut forms, mut names) = (Rate::default(), Rate::default());
    for shape in shapes() {
        let fitting: Vec<_> = PLACES.iter().filter(|(_, takes, _)| fits(&shape, *takes)).collect();
        for _ in 0..PLACES_EACH {
            let name = shape.names[dice.below(shape.names.len())];
            let (_, _, place) = fitting[dice.below(fitting.len())];
            let value = dice.fill(shape.template);
            let text = write(place, name, &value);
            let found = is_found(&text, &value, place.contains("{64}"));
            if shape.by_form { forms.count(found) } else { names.count(found) }
        }
    }
    let all = Rate(forms.0 + names.0, forms.1 + names.1);
    println!(
        "{:.1} % of {}: by form {:.1} % of {}, by name {:.1} % of {}",
        all.percent(),
        all.1,
        forms.percent(),
        forms.1,
        names.percent(),
        names.1
    );
    assert!(all.1 >= 1_500, "{}", all.1);
    assert!(all.percent() >= SAMPLE_FLOOR, "{:.1} %", all.percent());
}

/// Of the sample, what must be found, in percent.
const SAMPLE_FLOOR: f64 = 65.0;
