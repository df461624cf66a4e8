use std::fmt;

/// Paths that belong to the family: no extension may have routes at, above or below them.
pub const RESERVED_PREFIXES: [&str; 6] =
    ["/api/public", "/api/v1", "/health", "/metrics", "/.well-known", "/v1"];

/// Where the routes of an extension are mounted, such as `/crm` or `/api/crm`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasePath(String);

impl BasePath {
    /// Parses a path: `/` and one or more segments of letters, digits, `-`, `_`, `.` and `~`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(rest) = text.strip_prefix('/') else { return Err("does not begin with `/`") };
        if rest.is_empty() {
            return Err("is the root, which belongs to the host");
        }
        for segment in rest.split('/') {
            if segment.is_empty() {
                return Err("has an empty segment");
            }
            if matches!(segment, "." | "..") {
                return Err("has a dot segment");
            }
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            if !segment.bytes().all(plain) {
                return Err("holds a character other than letters, digits, `-`, `_`, `.`, `~`");
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether one of the two lies at or below the other, without regard to case.
    #[must_use]
    pub fn overlaps(&self, other: &str) -> bool {
        let mut these = self.0.split('/');
        let mut those = other.split('/');
        loop {
            match (these.next(), those.next()) {
                (Some(this), Some(that)) if this.eq_ignore_ascii_case(that) => {}
                (Some(_), Some(_)) => return false,
                (None, _) | (_, None) => return true,
            }
        }
    }

    /// Whether this path is `above` or lies below it, without regard to case.
    pub(super) fn lies_below(&self, above: &Self) -> bool {
        self.overlaps(&above.0) && self.0.len() >= above.0.len()
    }

    /// The reserved prefix that this path collides with, if it does.
    pub(super) fn reserved(&self) -> Option<&'static str> {
        RESERVED_PREFIXES.into_iter().find(|prefix| self.overlaps(prefix))
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_plain() {
        for good in ["/crm", "/api/crm", "/a/b-c/d_e.f~g"] {
            assert!(BasePath::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/", "crm", "/crm/", "//crm", "/a/../b", "/./a", "/{id}", "/a%2f", "/*x"] {
            assert!(BasePath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn overlap_goes_by_segment_in_both_directions() {
        let crm = BasePath::parse("/api/crm").unwrap();
        for other in ["/api", "/api/crm", "/api/CRM", "/api/crm/contacts"] {
            assert!(crm.overlaps(other), "{other}");
        }
        for other in ["/api/crm2", "/ap", "/crm"] {
            assert!(!crm.overlaps(other), "{other}");
        }
    }

    #[test]
    fn the_family_keeps_its_prefixes() {
        for taken in ["/api", "/api/v1", "/API/V1/x", "/v1/messages", "/health", "/.well-known/x"] {
            assert!(BasePath::parse(taken).unwrap().reserved().is_some(), "{taken}");
        }
        for free in ["/api/v2", "/healthy", "/v10", "/crm"] {
            assert!(BasePath::parse(free).unwrap().reserved().is_none(), "{free}");
        }
    }
}
