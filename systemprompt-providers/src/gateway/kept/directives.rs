use ::http::HeaderMap;
use ::http::header::CACHE_CONTROL;

/// What a request says about the cache (RFC 9111, section 5.2.1). What else it may say is about age, and
/// nothing is kept for long here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Directives {
    /// Nothing of it is to be kept.
    pub(super) no_store: bool,
    /// It is not to be answered with what was kept.
    pub(super) no_cache: bool,
}

impl Directives {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(CACHE_CONTROL).iter();
        let names = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|directive| directive.split('=').next().unwrap_or_default().trim());
        let mut told = Self::default();
        for name in names {
            told.no_store |= name.eq_ignore_ascii_case("no-store");
            told.no_cache |= name.eq_ignore_ascii_case("no-cache");
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    #[test]
    fn directives_are_found_however_they_are_written() {
        for (values, no_store, no_cache) in [
            (&["no-store"][..], true, false),
            (&["No-Cache"], false, true),
            (&["max-age=0 , no-store,no-cache"], true, true),
            (&["max-age=60", "no-cache=\"x\""], false, true),
            (&["no-stored", "x-no-cache"], false, false),
            (&[], false, false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
            }
            assert_eq!(Directives::of(&headers), Directives { no_store, no_cache }, "{values:?}");
        }
        let mut odd = HeaderMap::new();
        odd.append(CACHE_CONTROL, HeaderValue::from_bytes(b"no-store\xff").unwrap());
        assert_eq!(Directives::of(&odd), Directives::default());
    }
}
