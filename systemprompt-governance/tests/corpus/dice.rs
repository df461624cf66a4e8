//! Values drawn for the holes of templates, the same in every run.

use bip39::Mnemonic;
use sha2::{Digest as _, Sha256};

/// A small generator, so that a failure repeats.
pub(crate) struct Dice(pub(crate) u64);

/// A filled template, and what was put into it.
pub(crate) struct Filled {
    pub(crate) text: String,
    pub(crate) parts: Vec<String>,
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

/// Names of the holes that take a length.
const CLASSES: &str = "aLhHultdbBwpsSrkKqmnT";

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    /// Fills the holes of a template; other braces stay, for programs have some of their own.
    ///
    /// `{wif}` and `{xprv}` are keys of purses and `{phrase}` restores one, all with their checksum.
    /// `{a36}` letters and digits, `{L}` letters, `{h}` and `{H}` hex, `{u}` and `{l}` one case and digits,
    /// `{t}` base32, `{d}` digits, `{b}` base64, `{B}` base58, `{w}` base64url, `{p12}` a password a machine made, `{pw}`
    /// one a person chose, `{uuid}`. As people make values up: `{s}` and `{S}` the alphabet in order, and
    /// hex, `{r}` some hex again and again, `{k}` and `{K}` letters and digits again and again, `{q}` a few
    /// keys next to each other, `{m}` letters with crosses in the middle, `{n}` digits in order, `{T}`
    /// base32 in order, `{U}` a UUID in order.
    pub(crate) fn fill(&mut self, template: &str) -> String {
        self.fill_parts(template).text
    }

    /// As [`Dice::fill`], with what was drawn.
    pub(crate) fn fill_parts(&mut self, template: &str) -> Filled {
        let mut filled = Filled { text: String::new(), parts: Vec::new() };
        let mut rest = template;
        while let Some((plain, tail)) = rest.split_once('{') {
            filled.text += plain;
            let hole = tail.split_once('}').filter(|(hole, _)| is_hole(hole));
            let Some((hole, after)) = hole else {
                filled.text.push('{');
                rest = tail;
                continue;
            };
            let part = self.hole(hole);
            filled.text += &part;
            filled.parts.push(part);
            rest = after;
        }
        filled.text += rest;
        filled
    }

    fn hole(&mut self, hole: &str) -> String {
        match hole {
            "uuid" => return ["h8", "h4", "h4", "h4", "h12"].map(|part| self.hole(part)).join("-"),
            "U" => return ["S8", "n4", "S4", "n4", "S12"].map(|part| self.hole(part)).join("-"),
            "pw" => return self.chosen(),
            "wif" => {
                let compressed = self.below(2);
                return self.base58_check(&[0x80], 32, &[1][..compressed]);
            }
            "xprv" => return self.base58_check(&[0x04, 0x88, 0xad, 0xe4], 74, &[]),
            "phrase" => {
                let length = 16 + 4 * self.below(5);
                let entropy = self.bytes(length);
                return Mnemonic::from_entropy(&entropy).unwrap().to_string();
            }
            _ => {}
        }
        let (class, count) = hole.split_at(1);
        let count: usize = count.parse().unwrap();
        let alphabet = match class {
            "a" => [LOWER, UPPER, DIGITS].concat(),
            "L" => [LOWER, UPPER].concat(),
            "h" => "0123456789abcdef".into(),
            "H" => "0123456789ABCDEF".into(),
            "u" => [UPPER, DIGITS].concat(),
            "l" => [LOWER, DIGITS].concat(),
            "t" => [UPPER, "234567"].concat(),
            "d" => DIGITS.into(),
            "b" => [LOWER, UPPER, DIGITS, "+/"].concat(),
            "B" => [LOWER, UPPER, DIGITS].concat().replace(['0', 'O', 'I', 'l'], ""),
            "w" => [LOWER, UPPER, DIGITS, "-_"].concat(),
            "p" => [LOWER, UPPER, DIGITS, "!#%*+?^~"].concat(),
            _ => return self.made_up(class, count),
        };
        loop {
            let part: String = (0..count).map(|_| self.one(&alphabet)).collect();
            let kinds = [char::is_alphabetic as fn(char) -> bool, |c| c.is_ascii_digit()];
            let dull = count >= 8 && !"dL".contains(class);
            if !dull || kinds.iter().all(|kind| part.chars().filter(|c| kind(*c)).count() > 1) {
                return part;
            }
        }
    }

    /// As people type when any value will do.
    fn made_up(&mut self, class: &str, count: usize) -> String {
        let (block, from) = match class {
            "r" => (self.hole("h8"), 0),
            "k" => (self.hole("l10"), 0),
            "K" => (self.hole("u10"), 0),
            "q" => ("asd2fj7k".into(), self.below(8)),
            "m" => {
                let crossed = count / 3;
                let before = self.hole(&format!("a{}", crossed));
                let after = self.hole(&format!("a{}", count - 2 * crossed));
                return before + &"X".repeat(crossed) + &after;
            }
            "s" => ([LOWER, DIGITS].concat(), self.below(36)),
            "S" => ([DIGITS, "abcdef"].concat(), self.below(16)),
            "n" => (DIGITS.into(), self.below(10)),
            "T" => ([UPPER, "234567"].concat(), self.below(32)),
            other => panic!("no class `{other}`"),
        };
        block.chars().cycle().skip(from).take(count).collect()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }

    fn base58_check(&mut self, version: &[u8], count: usize, end: &[u8]) -> String {
        let mut bytes = [version, &self.bytes(count), end].concat();
        let sum = Sha256::digest(Sha256::digest(&bytes));
        bytes.extend(&sum[..4]);
        bs58::encode(bytes).into_string()
    }

    /// As people choose them.
    fn chosen(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "Summer", "dragon", "Winter", "monkey", "Berlin", "letme1n", "Qwerty", "falcon",
            "S3rver", "kitten", "Admin", "coffee",
        ];
        let word = WORDS[self.below(WORDS.len())];
        let tail = ["{d2}!", "{d4}", "#{d3}", "@{d4}", "{d1}$", "{a4}{d2}"][self.below(6)];
        word.to_owned() + &self.fill(tail)
    }

    fn one(&mut self, alphabet: &str) -> char {
        char::from(alphabet.as_bytes()[self.below(alphabet.len())])
    }
}

fn is_hole(text: &str) -> bool {
    let Some(class) = text.get(..1) else { return false };
    matches!(text, "uuid" | "U" | "pw" | "wif" | "xprv" | "phrase")
        || (CLASSES.contains(class) && text[1..].parse::<usize>().is_ok())
}
