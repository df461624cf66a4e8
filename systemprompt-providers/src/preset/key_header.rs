/// How a key is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyHeader {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// A header whose value is the key, by its name in lower case.
    Plain(String),
}

impl KeyHeader {
    /// The header of this name; `authorization` carries a bearer token.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        if name == "authorization" { Self::Bearer } else { Self::Plain(name) }
    }

    /// The header, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Bearer => "authorization",
            Self::Plain(name) => name,
        }
    }

    /// What stands before the key in the header's value.
    #[must_use]
    pub const fn prefix(&self) -> &'static str {
        match self {
            Self::Bearer => "Bearer ",
            Self::Plain(_) => "",
        }
    }
}
