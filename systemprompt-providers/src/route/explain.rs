use std::fmt;

use super::RouteTable;
use super::table::{Route, Target};

/// Why a model goes where it goes: every route, and whether it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The model that was asked about.
    pub requested: String,
    /// The model it stands for.
    pub model: String,
    /// The routes in order.
    pub routes: Vec<RouteExplanation>,
}

/// A route, and whether it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteExplanation {
    /// Its place in the configuration, from 0.
    pub route: usize,
    /// Its pattern.
    pub pattern: String,
    /// Whether it fits.
    pub outcome: RouteOutcome,
    /// Where it leads, such as `anthropic/claude-opus-5 ($5/$25 per million tokens)`, fallbacks after those
    /// that are asked first.
    pub targets: Vec<String>,
}

/// Whether a route fits a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteOutcome {
    /// It takes every request for it that no route before takes.
    Takes,
    /// It takes those that meet its conditions.
    TakesWhen(String),
    /// Its pattern fits, but a route before takes every request.
    Shadowed {
        /// That route.
        by: usize,
    },
    /// Its pattern does not fit.
    Differs,
}

impl RouteTable {
    /// Why requests for a model go where they go.
    #[must_use]
    pub fn explain(&self, requested: &str) -> Explanation {
        let model = self.resolve(requested);
        let mut taken_by = None;
        let routes = self.routes.iter().enumerate().map(|(index, route)| {
            let outcome = match taken_by {
                _ if !route.pattern.matches(model) => RouteOutcome::Differs,
                Some(by) => RouteOutcome::Shadowed { by },
                None if route.when.is_empty() => {
                    taken_by = Some(index);
                    RouteOutcome::Takes
                }
                None => RouteOutcome::TakesWhen(route.when.to_string()),
            };
            let targets = match outcome {
                RouteOutcome::Differs => Vec::new(),
                _ => self.targets(route, model),
            };
            let pattern = route.pattern.to_string();
            RouteExplanation { route: index, pattern, outcome, targets }
        });
        let routes = routes.collect();
        Explanation { requested: requested.to_owned(), model: model.to_owned(), routes }
    }

    fn targets(&self, route: &Route, model: &str) -> Vec<String> {
        let total: u64 = route.split.iter().map(|(_, weight)| weight).sum();
        let first = route.split.iter().map(|(target, weight)| {
            let shown = self.target(target, model);
            if route.split.len() > 1 { format!("{shown}, {weight} of {total}") } else { shown }
        });
        let next =
            route.fallback.iter().map(|target| format!("then {}", self.target(target, model)));
        first.chain(next).collect()
    }

    fn target(&self, target: &Target, model: &str) -> String {
        let chosen = target.chosen(model, &self.prices);
        let price = match chosen.price {
            Some(row) => {
                let (input, output) = (dollars(row.rates.input), dollars(row.rates.output));
                format!("${input}/${output} per million tokens")
            }
            None => "no price".to_owned(),
        };
        format!("{}/{} ({price})", chosen.provider.name(), chosen.model)
    }
}

/// Microdollars as dollars, without the zeros at the end.
fn dollars(microdollars: u64) -> String {
    let (whole, part) = (microdollars / 1_000_000, microdollars % 1_000_000);
    let shown = format!("{whole}.{part:06}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for Explanation {
    /// A line for the model, and one for each route.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requested, model, routes } = self;
        write!(f, "`{requested}`")?;
        if requested != model {
            write!(f, " stands for `{model}`")?;
        }
        let takes = |each: &RouteExplanation| {
            matches!(each.outcome, RouteOutcome::Takes | RouteOutcome::TakesWhen(_))
        };
        if !routes.iter().any(takes) {
            f.write_str(": no route takes it")?;
        }
        for RouteExplanation { route, pattern, outcome, targets } in routes {
            write!(f, "\n{route}: `{pattern}` ")?;
            match outcome {
                RouteOutcome::Takes => f.write_str("takes it")?,
                RouteOutcome::TakesWhen(when) => write!(f, "takes it when: {when}")?,
                RouteOutcome::Shadowed { by } => write!(f, "fits, but {by} has taken it")?,
                RouteOutcome::Differs => f.write_str("does not fit")?,
            }
            for target in targets {
                write!(f, "\n   {target}")?;
            }
        }
        Ok(())
    }
}
