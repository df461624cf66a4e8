/// The arguments of a call as they come in pieces. It tells when the object is whole, so that the block can
/// be closed before the answer ends, and drops what some servers say twice.
#[derive(Debug, Default)]
pub(super) struct Input {
    all: String,
    /// How much of `all` was passed on.
    sent: usize,
    depth: u32,
    in_string: bool,
    escaped: bool,
    end: End,
    /// Whether it is a text and no JSON: never known to be whole.
    plain: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum End {
    /// The object is not whole yet.
    #[default]
    Open,
    /// It is.
    Whole,
    /// There is something else: before it, after it, or instead of it.
    Spoiled,
}

impl Input {
    /// Takes a piece. White space around the object is left out. `{}` before the true arguments is a place
    /// holder of some servers; all arguments once more at the end is what others send.
    pub(super) fn push(&mut self, piece: &str) {
        if self.plain {
            self.all.push_str(piece);
            return;
        }
        if self.end == End::Whole {
            if self.repeats(piece) {
                return;
            }
            if self.all == "{}" && self.sent == 0 && piece.trim_start().starts_with('{') {
                *self = Self::default();
            }
        }
        let piece = if self.all.is_empty() { piece.trim_start() } else { piece };
        self.all.push_str(piece);
        piece.bytes().for_each(|byte| self.scan(byte));
        if self.end == End::Whole {
            self.all.truncate(self.all.trim_end().len());
        }
    }

    /// It is a text and no JSON.
    pub(super) fn set_plain(&mut self) {
        self.plain = true;
        self.end = End::Open;
    }

    /// Whether `piece` says nothing new after the object was whole.
    pub(super) fn repeats(&self, piece: &str) -> bool {
        let piece = piece.trim();
        piece.is_empty() || (piece == self.all && piece != "{}")
    }

    pub(super) fn is_whole(&self) -> bool {
        self.end == End::Whole
    }

    /// What can be passed on now. `{}` waits for what may come in its place.
    pub(super) fn next(&mut self) -> Option<String> {
        if !self.plain && self.all == "{}" { None } else { self.rest() }
    }

    /// All that was not passed on.
    pub(super) fn rest(&mut self) -> Option<String> {
        let rest = self.all.get(self.sent..).filter(|rest| !rest.is_empty()).map(str::to_owned);
        self.sent = self.all.len();
        rest
    }

    /// Whether nothing was said.
    pub(super) fn is_blank(&self) -> bool {
        self.all.is_empty()
    }

    fn scan(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match (byte, &self.end) {
            (b' ' | b'\n' | b'\r' | b'\t', _) => {}
            (_, End::Whole | End::Spoiled) => self.end = End::Spoiled,
            (b'{' | b'[', _) => self.depth = self.depth.saturating_add(1),
            (_, _) if self.depth == 0 => self.end = End::Spoiled,
            (b'}' | b']', _) => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.end = End::Whole;
                }
            }
            (b'"', _) => self.in_string = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> (bool, String) {
        let mut input = Input::default();
        let mut said = String::new();
        for piece in pieces {
            input.push(piece);
            said.extend(input.next());
        }
        let whole = input.is_whole();
        said.extend(input.rest());
        (whole, said)
    }

    #[test]
    fn an_object_is_whole_at_its_last_brace() {
        for (pieces, whole) in [
            (&["{\"a\":", " \"}\"", "}"][..], true),
            (&["{\"a\":{\"b\":[1,2]}}"], true),
            (&["{\"a\": \"\\\"}\"}"], true),
            (&["{\"a\":{}"], false),
            (&["{\"a\": \"}"], false),
            (&["{}", "}"], false),
            (&["  ", "{\"a\"", ":1} ", "\n"], true),
            (&["1"], false),
            (&[""], false),
        ] {
            let said = pieces.concat().trim().to_owned();
            assert_eq!(read(pieces), (whole, said), "{pieces:?}");
        }
    }

    #[test]
    fn a_place_holder_gives_way_and_a_repetition_is_passed_over() {
        assert_eq!(read(&["{}", "{\"a\":", "1}"]), (true, "{\"a\":1}".to_owned()));
        assert_eq!(read(&["{\"a\":", "1}", "{\"a\":1}"]), (true, "{\"a\":1}".to_owned()));
        assert_eq!(read(&["{}"]), (true, "{}".to_owned()));
        assert_eq!(read(&["{\"a\":1}", "{\"b\":1}"]).1, "{\"a\":1}{\"b\":1}");
    }
}
