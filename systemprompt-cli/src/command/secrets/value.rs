//! Where values come from: standard input, and nothing else.

use std::io::{self, IsTerminal as _, Read as _};

use systemprompt_core::id::SecretName;
use systemprompt_core::secret::Secret;
use systemprompt_custody::{MAX_VALUE_BYTES, ValueError};
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::Failure;

/// Reads the value of the secret `name`: all of standard input without the line break at its end, or what is
/// typed at a terminal, twice and unseen.
pub(super) fn read(name: &SecretName) -> Result<Secret<String>, Failure> {
    if io::stdin().is_terminal() {
        return ask(name);
    }
    let limit = MAX_VALUE_BYTES + 2;
    // Never moved while it is filled.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 64));
    let reading = io::stdin().lock().take(limit as u64 + 1).read_to_end(&mut bytes);
    reading.map_err(Failure::other)?;
    text(bytes)
}

/// The value in what was read.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Secret<String>, Failure> {
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    String::from_utf8(std::mem::take(&mut *bytes)).map(Secret::new).map_err(|error| {
        error.into_bytes().zeroize();
        Failure::usage(ValueError::NotText.to_string())
    })
}

#[cfg(unix)]
fn ask(name: &SecretName) -> Result<Secret<String>, Failure> {
    let _hidden = hidden::Hidden::begin().map_err(Failure::other)?;
    let first = line(&format!("value of `{name}`: "))?;
    let again = line("once more: ")?;
    match first.expose() == again.expose() {
        true => Ok(first),
        false => Err(Failure::usage("these are two different values")),
    }
}

#[cfg(not(unix))]
fn ask(_: &SecretName) -> Result<Secret<String>, Failure> {
    Err(Failure::usage("pass the value on standard input; what is typed here would be seen"))
}

/// A line from the terminal, which does not show it.
#[cfg(unix)]
fn line(prompt: &str) -> Result<Secret<String>, Failure> {
    use std::io::Write as _;
    // Nobody to ask when standard error is gone; what is typed is read all the same.
    let _ = write!(io::stderr(), "{prompt}").and_then(|()| io::stderr().flush());
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_VALUE_BYTES + 64));
    let mut byte = [0];
    let mut stdin = io::stdin().lock();
    while bytes.len() <= MAX_VALUE_BYTES && stdin.read(&mut byte).map_err(Failure::other)? == 1 {
        bytes.extend_from_slice(&byte);
        if byte == *b"\n" {
            break;
        }
    }
    let _ = writeln!(io::stderr());
    text(bytes)
}

#[cfg(unix)]
mod hidden {
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// While it is there, the terminal does not show what is typed.
    pub(super) struct Hidden(Termios);

    impl Hidden {
        pub(super) fn begin() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
            // What was typed before it was asked for was seen, and is not taken.
            tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
            Ok(Self(before))
        }
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            // A terminal that has gone away shows nothing any more.
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
        }
    }
}
