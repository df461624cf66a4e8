//! Values drawn for the holes of templates, the same in every run.

/// A small generator, so that a failure repeats.
pub(crate) struct Dice(pub(crate) u64);

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    /// Fills the holes of a template: `{a36}` letters and digits, `{L}` letters, `{h}` and `{H}` hex, `{u}`
    /// and `{l}` one case and digits, `{t}` base32, `{d}` digits, `{b}` base64, `{w}` base64url, `{p12}` a
    /// password a machine made, `{pw}` one a person chose, `{uuid}`.
    pub(crate) fn fill(&mut self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((plain, tail)) = rest.split_once('{') {
            let (hole, tail) = tail.split_once('}').unwrap();
            text += plain;
            text += &self.hole(hole);
            rest = tail;
        }
        text + rest
    }

    fn hole(&mut self, hole: &str) -> String {
        match hole {
            "uuid" => return ["h8", "h4", "h4", "h4", "h12"].map(|part| self.hole(part)).join("-"),
            "pw" => return self.chosen(),
            _ => {}
        }
        let (class, count) = hole.split_at(1);
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
            "w" => [LOWER, UPPER, DIGITS, "-_"].concat(),
            "p" => [LOWER, UPPER, DIGITS, "!#%*+?^~"].concat(),
            other => panic!("no class `{other}`"),
        };
        let count: usize = count.parse().unwrap();
        loop {
            let part: String = (0..count).map(|_| self.one(&alphabet)).collect();
            let kinds = [char::is_alphabetic as fn(char) -> bool, |c| c.is_ascii_digit()];
            let dull = count >= 8 && !"dL".contains(class);
            if !dull || kinds.iter().all(|kind| part.chars().filter(|c| kind(*c)).count() > 1) {
                return part;
            }
        }
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
