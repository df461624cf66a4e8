use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// Counts answers by route and status. Both come from fixed sets, never from a caller.
#[derive(Debug)]
pub(crate) struct Traffic {
    routes: Routes,
    counts: Vec<[AtomicU64; STATUSES.len() + 1]>,
}

/// Statuses that are counted on their own; the rest shares one counter.
const STATUSES: [u16; 22] = [
    200, 201, 202, 204, 301, 302, 304, 307, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422,
    429, 500, 503,
];

/// A route among [`Routes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RouteLabel(usize);

impl RouteLabel {
    /// Everything that is on no known route.
    pub(crate) const OTHER: Self = Self(0);
}

/// The routes that are counted: patterns such as `/api/v1/permits/{id}/outcome`, and prefixes such as
/// `/api/v1/shop/*`.
#[derive(Debug)]
pub(crate) struct Routes {
    labels: Vec<String>,
    exact: HashMap<String, RouteLabel>,
    patterns: Vec<(Vec<String>, RouteLabel)>,
}

impl Routes {
    /// The routes with these patterns.
    pub(crate) fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        let mut routes =
            Self { labels: vec!["other".to_owned()], exact: HashMap::new(), patterns: Vec::new() };
        for pattern in patterns {
            let label = RouteLabel(routes.labels.len());
            if pattern.contains(['{', '*']) {
                let segments = pattern.split('/').map(str::to_owned).collect();
                routes.patterns.push((segments, label));
            } else {
                routes.exact.insert(pattern.clone(), label);
            }
            routes.labels.push(pattern);
        }
        routes
    }

    /// The route of a request path.
    pub(crate) fn label(&self, path: &str) -> RouteLabel {
        let exact = self.exact.get(path).copied();
        exact.or_else(|| self.by_pattern(path)).unwrap_or(RouteLabel::OTHER)
    }

    fn by_pattern(&self, path: &str) -> Option<RouteLabel> {
        let found = self.patterns.iter().find(|(segments, _)| matches(segments, path));
        found.map(|(_, label)| *label)
    }
}

fn matches(segments: &[String], path: &str) -> bool {
    let mut parts = path.split('/');
    for segment in segments {
        match (segment.as_str(), parts.next()) {
            ("*", Some(_)) => return true,
            (segment, Some(part)) if segment.starts_with('{') && !part.is_empty() => {}
            (segment, Some(part)) if segment == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

impl Traffic {
    /// Nothing counted yet.
    pub(crate) fn new(routes: Routes) -> Self {
        let counts = routes.labels.iter().map(|_| Default::default()).collect();
        Self { routes, counts }
    }

    /// The route of a request path.
    pub(crate) fn label(&self, path: &str) -> RouteLabel {
        self.routes.label(path)
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, route: RouteLabel, status: StatusCode) {
        let code = status.as_u16();
        let slot = STATUSES.iter().position(|known| *known == code).unwrap_or(STATUSES.len());
        if let Some(count) = self.counts.get(route.0).and_then(|row| row.get(slot)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every route and status that was answered, with how often; the status is `other` where it is
    /// not counted on its own.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, String, u64)> {
        self.routes.labels.iter().zip(&self.counts).flat_map(|(route, row)| {
            row.iter().enumerate().filter_map(move |(slot, count)| {
                let count = count.load(Ordering::Relaxed);
                let status = STATUSES.get(slot).map_or("other".to_owned(), u16::to_string);
                (count > 0).then_some((route.as_str(), status, count))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        Routes::new(
            ["/health", "/api/v1/permits/{id}/outcome", "/api/v1/shop/*"].map(str::to_owned),
        )
    }

    #[test]
    fn paths_find_their_route_and_nothing_else() {
        let routes = routes();
        let label = |path| routes.labels[routes.label(path).0].as_str();
        assert_eq!(label("/health"), "/health");
        assert_eq!(label("/api/v1/permits/17/outcome"), "/api/v1/permits/{id}/outcome");
        assert_eq!(label("/api/v1/shop/basket/1"), "/api/v1/shop/*");
        for other in ["/", "/healthz", "/api/v1/permits//outcome", "/api/v1/shop", "/sp_live_x"] {
            assert_eq!(label(other), "other", "{other}");
        }
    }

    #[test]
    fn answers_are_counted_by_route_and_status() {
        let traffic = Traffic::new(routes());
        let health = traffic.label("/health");
        traffic.answered(health, StatusCode::OK);
        traffic.answered(health, StatusCode::OK);
        traffic.answered(RouteLabel::OTHER, StatusCode::IM_A_TEAPOT);
        let counts: Vec<_> = traffic.counts().collect();
        assert_eq!(counts, [("other", "other".to_owned(), 1), ("/health", "200".to_owned(), 2)]);
    }
}
