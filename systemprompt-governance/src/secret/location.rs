use std::fmt::Write as _;

use systemprompt_core::decision::SecretLocation;

use super::Scanner;

/// Longest key that a path shows; a longer one shows as its position.
const MAX_KEY_BYTES: usize = 64;

/// The way from the root to a node; each level lives on the stack of the walk.
#[derive(Clone, Copy)]
pub(super) struct Trail<'a> {
    parent: Option<&'a Trail<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Index(usize),
    Key(usize, &'a str),
    HiddenKey(usize),
}

impl<'a> Trail<'a> {
    pub(super) const ROOT: Trail<'static> = Trail { parent: None, step: Step::Root };

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    pub(super) fn key(&'a self, index: usize, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(index, key) }
    }

    /// The key number `index`, which is itself a secret.
    pub(super) fn hidden_key(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::HiddenKey(index) }
    }

    /// The positions of the members and items on the way.
    pub(super) fn positions(&self) -> Vec<usize> {
        let mut positions = Vec::new();
        let mut at = Some(self);
        while let Some(trail) = at {
            match trail.step {
                Step::Root => {}
                Step::Index(index) | Step::Key(index, _) | Step::HiddenKey(index) => {
                    positions.push(index);
                }
            }
            at = trail.parent;
        }
        positions.reverse();
        positions
    }

    /// Renders the path; no part of it holds a secret.
    pub(super) fn locate(&self, scanner: &Scanner) -> SecretLocation {
        let path = self.render(scanner, false);
        // Two harmless keys can still spell a secret together.
        let clean = !scanner.engine().any(&path);
        SecretLocation::new(if clean { path } else { self.render(scanner, true) })
    }

    fn render(&self, scanner: &Scanner, hide_keys: bool) -> String {
        let mut steps = vec![self.step];
        let mut at = self.parent;
        while let Some(trail) = at {
            steps.push(trail.step);
            at = trail.parent;
        }
        let mut path = String::from("$");
        for step in steps.into_iter().rev() {
            match step {
                Step::Root => {}
                Step::Key(_, key) if !hide_keys && shown(scanner, key) => push_key(&mut path, key),
                Step::Index(index) => push(&mut path, format_args!("[{index}]")),
                Step::Key(index, _) | Step::HiddenKey(index) => {
                    push(&mut path, format_args!("[key:{index}]"));
                }
            }
        }
        path
    }
}

fn shown(scanner: &Scanner, key: &str) -> bool {
    key.len() <= MAX_KEY_BYTES && !scanner.engine().any(key)
}

fn push_key(path: &mut String, key: &str) {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && key.starts_with(|first: char| !first.is_ascii_digit());
    if plain {
        path.push('.');
        path.push_str(key);
        return;
    }
    path.push_str("[\"");
    for unit in key.chars() {
        match unit {
            '"' | '\\' => {
                path.push('\\');
                path.push(unit);
            }
            ' '..='~' => path.push(unit),
            _ => unit.encode_utf16(&mut [0; 2]).iter().for_each(|code| {
                push(path, format_args!("\\u{code:04x}"));
            }),
        }
    }
    path.push_str("\"]");
}

fn push(path: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = path.write_fmt(text);
}
