use super::NamedSecret;
use super::placeholder::{self, Part};

/// Why a template is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateFault {
    /// `{}` does not occur, or more than once.
    #[error("a template has `{{}}` once, where the secret goes; this one has it {0} times")]
    Count(usize),
    /// Something else in braces.
    #[error(
        "`{{{0}}}` is not known in a template; only `{{}}` is, and `{{{{` and `}}}}` stand for braces"
    )]
    Unknown(String),
    /// A brace without its other half.
    #[error("a `{0}` stands alone; write it twice to mean the character")]
    Unbalanced(char),
    /// A second way to name a secret.
    #[error("a template holds no `secret://`; the secret of the binding goes where `{{}}` is")]
    Placeholder,
}

/// Reads a template such as `Bearer {}`.
pub(super) fn compile(template: &str, secret: &NamedSecret) -> Result<Vec<Part>, TemplateFault> {
    if placeholder::occurs_in(template) {
        return Err(TemplateFault::Placeholder);
    }
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template.chars();
    let mut count = 0;
    while let Some(character) = rest.next() {
        let doubled = rest.as_str().starts_with(character);
        match character {
            '{' | '}' if doubled => {
                text.push(character);
                rest.next();
            }
            '{' => {
                let Some((inner, after)) = rest.as_str().split_once('}') else {
                    return Err(TemplateFault::Unbalanced('{'));
                };
                if !inner.is_empty() {
                    return Err(TemplateFault::Unknown(inner.to_owned()));
                }
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Secret(secret.clone()));
                count += 1;
                rest = after.chars();
            }
            '}' => return Err(TemplateFault::Unbalanced('}')),
            other => text.push(other),
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    if count == 1 { Ok(parts) } else { Err(TemplateFault::Count(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_where_the_secret_goes() {
        let secret: NamedSecret = "key@2".parse().unwrap();
        let text = |text: &str| Part::Text(text.to_owned());
        let filled = Part::Secret(secret.clone());
        for (template, parts) in [
            ("{}", vec![filled.clone()]),
            ("Bearer {}", vec![text("Bearer "), filled.clone()]),
            ("a{{b}}{}é", vec![text("a{b}"), filled.clone(), text("é")]),
        ] {
            assert_eq!(compile(template, &secret), Ok(parts), "{template}");
        }
        for (template, fault) in [
            ("", TemplateFault::Count(0)),
            ("Bearer", TemplateFault::Count(0)),
            ("{}{}", TemplateFault::Count(2)),
            ("{token}", TemplateFault::Unknown("token".to_owned())),
            ("{0}", TemplateFault::Unknown("0".to_owned())),
            ("{", TemplateFault::Unbalanced('{')),
            ("{} }", TemplateFault::Unbalanced('}')),
            ("secret://a {}", TemplateFault::Placeholder),
        ] {
            assert_eq!(compile(template, &secret), Err(fault), "{template}");
        }
    }
}
