use super::super::SIGNATURE_FILLER;
use super::body::Part;

/// Puts the signatures of one step of the model onto its parts.
///
/// A signature came on a call, on a thought or on a text. One on a call is the state of that call. The others
/// come as thinking: after its own text, it is that thought's; without text, it is that of the text before it.
/// A dialect that has no place for state on a call keeps it as thinking before the call; so a signature right
/// before the first call of a step, when the call has none, is the call's.
#[derive(Debug)]
pub(super) struct Signer {
    /// Whether the first call must be signed.
    fill: bool,
    called: bool,
    pending: Option<String>,
}

impl Signer {
    pub(super) const fn new(fill: bool) -> Self {
        Self { fill, called: false, pending: None }
    }

    /// Takes the signature of a thinking block whose own part, if it has one, is the one at `before`.
    pub(super) fn carry(
        &mut self,
        signature: &str,
        before_unsigned_call: bool,
        before: usize,
        parts: &mut Vec<Part>,
    ) {
        if before_unsigned_call && !self.called {
            self.pending = Some(signature.to_owned());
            return;
        }
        let has_own = parts.len() > before;
        match parts.last_mut() {
            Some(part)
                if part.text.is_some()
                    && part.thought_signature.is_none()
                    && (has_own || !part.thought) =>
            {
                part.thought_signature = Some(signature.to_owned());
            }
            _ => parts.push(Part {
                thought_signature: Some(signature.to_owned()),
                ..Part::text(String::new())
            }),
        }
    }

    /// The signature of the next call, which has `own` as its state.
    pub(super) fn call(&mut self, own: Option<&str>) -> Option<String> {
        let first = !std::mem::replace(&mut self.called, true);
        let filler = || (first && self.fill).then(|| SIGNATURE_FILLER.to_owned());
        own.map(str::to_owned).or_else(|| self.pending.take()).or_else(filler)
    }
}
