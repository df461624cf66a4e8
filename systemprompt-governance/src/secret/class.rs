/// A set of bytes.
pub(super) struct Class([bool; 256]);

impl Class {
    /// The set of these bytes.
    pub(super) const fn of(mut bytes: &[u8]) -> Self {
        let mut set = [false; 256];
        while let [byte, rest @ ..] = bytes {
            #[expect(clippy::indexing_slicing, reason = "a byte is within 256")]
            {
                set[*byte as usize] = true;
            }
            bytes = rest;
        }
        Self(set)
    }

    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|has| *has)
    }
}
