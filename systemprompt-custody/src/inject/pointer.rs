//! Places in arguments, as JSON Pointers (RFC 6901).

/// The pointer of an argument that is named, or that is a pointer already.
pub(super) fn of_argument(argument: &str) -> Option<String> {
    if !argument.starts_with('/') {
        return (!argument.is_empty()).then(|| child("", argument));
    }
    let escapes_are_whole = argument.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escapes_are_whole.then(|| argument.to_owned())
}

/// The pointer of a member or an item of what `parent` points to.
pub(super) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_named_or_pointed_to() {
        assert_eq!(of_argument("password").as_deref(), Some("/password"));
        assert_eq!(of_argument("a~b").as_deref(), Some("/a~0b"));
        assert_eq!(of_argument("/auth/0/a~1b").as_deref(), Some("/auth/0/a~1b"));
        for bad in ["", "/a~", "/a~2"] {
            assert_eq!(of_argument(bad), None, "{bad}");
        }
    }
}
