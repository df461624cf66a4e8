//! The other readings of a text in which a secret may hide: decoded, normalised, put together.
//!
//! Each step runs only where a cheap look finds something for it to do, and derives only the stretch in
//! question with what stands shortly before it, because the name of a value matters. What is derived is
//! counted against a [`Budget`]; who runs out of it is told, and nothing is skipped silently.

mod compact;
mod concat;
mod edit;
mod encoded;
mod entity;
mod escape;
mod fold;
#[cfg(fuzzing)]
pub(super) mod fuzzed;
mod hex;
mod inflate;
mod map;
mod percent;
mod probe;
mod wide;

use std::borrow::Cow;
use std::ops::Range;

use self::concat::Concat;
use self::entity::Entity;
use self::escape::Escape;
use self::fold::Fold;
pub(super) use self::fold::{folded, visible};
pub(super) use self::map::Mapped;
use self::percent::Percent;
use self::wide::Wide;

/// How often a reading is read again.
const MAX_DEPTH: usize = 3;

/// Bytes that may be derived from one document for each of its own.
const EXPANSION: usize = 4;

/// Bytes that may be derived from any document, however short.
const FLOOR: usize = 64 * 1024;

/// Bytes that may be derived from any document, however long.
const CEILING: usize = 16 * 1024 * 1024;

/// Fewest bytes of a text that is written in another way, and still holds a secret.
const SHORTEST: usize = 14;

/// A step that leads from one reading to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Look-alikes, invisible and compatibility characters.
    Normalised,
    /// `%41`.
    Percent,
    /// `&#65;`.
    Entity,
    /// `\u0041`.
    Escape,
    /// Base64 and base64url.
    Base64,
    /// Base 16.
    Hex,
    /// Two bytes a character.
    Utf16,
    /// Compressed.
    Gzip,
    /// Literals that a program puts together.
    Concatenated,
    /// White space inside of a token.
    Compacted,
    /// Neighbouring strings of a document.
    Joined,
}

impl View {
    fn as_str(self) -> &'static str {
        match self {
            Self::Normalised => "normalised",
            Self::Percent => "percent",
            Self::Entity => "entity",
            Self::Escape => "escape",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Utf16 => "utf16",
            Self::Gzip => "gzip",
            Self::Concatenated => "concatenated",
            Self::Compacted => "compacted",
            Self::Joined => "joined",
        }
    }

    /// Whether chance may put words together in this reading, so that only formats count.
    pub(super) fn is_joined(self) -> bool {
        matches!(self, Self::Compacted | Self::Joined)
    }
}

/// The steps from a text to a reading of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ViewPath {
    steps: [Option<View>; MAX_DEPTH + 2],
}

impl ViewPath {
    /// The text as it stands.
    pub(super) const PLAIN: Self = Self { steps: [None; MAX_DEPTH + 2] };

    /// This path and one step more.
    pub(super) fn then(mut self, view: View) -> Self {
        if let Some(step) = self.steps.iter_mut().find(|step| step.is_none()) {
            *step = Some(view);
        }
        self
    }

    fn depth(self) -> usize {
        self.steps.iter().flatten().count()
    }

    /// Whether it may be read once more.
    pub(super) fn goes_on(self) -> bool {
        self.depth() < MAX_DEPTH
    }

    /// Whether only formats count in this reading.
    pub(super) fn is_joined(self) -> bool {
        self.steps.iter().flatten().any(|view| view.is_joined())
    }

    /// `plain`, or the steps with `>` between them.
    pub(super) fn name(self) -> Cow<'static, str> {
        let mut steps = self.steps.iter().flatten().map(|view| view.as_str());
        let Some(first) = steps.next() else { return Cow::Borrowed("plain") };
        let rest: Vec<_> = steps.collect();
        if rest.is_empty() {
            return Cow::Borrowed(first);
        }
        Cow::Owned(format!("{first}>{}", rest.join(">")))
    }
}

/// What may still be derived from a document.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    overrun: bool,
}

impl Budget {
    /// For a document of so many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        let left = bytes.saturating_mul(EXPANSION).clamp(FLOOR, CEILING);
        Self { left, overrun: false }
    }

    /// Takes so many bytes; `false` when there are not as many.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.overrun = true,
        }
        !self.overrun
    }

    /// Whether something was not derived because the budget ran out.
    pub(super) fn is_overrun(&self) -> bool {
        self.overrun
    }

    fn left(&self) -> usize {
        self.left
    }
}

/// A reading of a stretch of a text.
pub(super) struct Derived {
    pub(super) view: View,
    /// The reading, and where in the text each part of it comes from.
    pub(super) mapped: Mapped,
    /// The stretches of the reading that are there for their names only, in order.
    contexts: Vec<Range<usize>>,
}

impl Derived {
    fn new(view: View, mapped: Mapped) -> Self {
        Self { view, mapped, contexts: Vec::new() }
    }

    /// Whether a stretch of the reading ends in what is there for its names only.
    pub(super) fn is_context(&self, span: &Range<usize>) -> bool {
        let index = self.contexts.partition_point(|context| context.start < span.end);
        let context = index.checked_sub(1).and_then(|index| self.contexts.get(index));
        context.is_some_and(|context| span.end <= context.end)
    }
}

/// Derives the readings of `text`. `runs` are its runs of token bytes that may be encoded.
pub(super) fn derive(
    text: &str,
    runs: &[Range<usize>],
    budget: &mut Budget,
    visit: &mut dyn FnMut(Derived, &mut Budget),
) {
    let bytes = text.as_bytes();
    if !text.is_ascii() {
        edit::derive::<Fold>(text, budget, visit);
    }
    if bytes.len() < SHORTEST {
        return;
    }
    if memchr::memchr3(b'%', b'&', b'\\', bytes).is_some() {
        edit::derive::<Percent>(text, budget, visit);
        edit::derive::<Entity>(text, budget, visit);
    }
    edit::derive::<Escape>(text, budget, visit);
    if memchr::memchr(0, bytes).is_some() {
        edit::derive::<Wide>(text, budget, visit);
    }
    if memchr::memchr3(b'"', b'\'', b'`', bytes).is_some() {
        edit::derive::<Concat>(text, budget, visit);
    }
    compact::derive(text, budget, visit);
    if !runs.is_empty() {
        encoded::derive(text, runs, budget, visit);
    }
}
