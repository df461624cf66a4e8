use systemprompt_core::event::EventSubject;
use systemprompt_core::principal::Principal;

/// Who changes what is in custody, for the record.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// An authenticated caller.
    Principal(&'a Principal),
    /// Somebody with access to the machine, by the name they give.
    Operator(&'a str),
}

impl Actor<'_> {
    /// The name that is kept with what was changed; `None` when it is no proper name.
    pub(crate) fn name(&self) -> Option<&str> {
        let name = match self {
            Self::Principal(principal) => principal.user().as_str(),
            Self::Operator(name) => name,
        };
        let fine = (1..=255).contains(&name.len()) && !name.chars().any(char::is_control);
        fine.then_some(name)
    }

    pub(crate) fn subject(&self) -> Option<EventSubject> {
        match self {
            Self::Principal(principal) => Some(EventSubject::from(*principal)),
            Self::Operator(_) => None,
        }
    }
}
