//! `routes explain`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use systemprompt_core::bootstrap::ProfileBootstrap;
use systemprompt_core::config::{Environment, ModelsSection, RouteCondition};
use systemprompt_core::id::{IdError, RoleId, TenantId};
use systemprompt_providers::route::{
    Chosen, NoRoute, NoRouteReason, RouteExplanation, RouteOutcome, RouteQuery,
};

use crate::args::{ExplainArgs, RoutesCommand};
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(command: &RoutesCommand, profile: &Path, output: Output) -> Result<(), Failure> {
    let RoutesCommand::Explain(args) = command;
    explain(args, profile, output)
}

fn explain(args: &ExplainArgs, profile: &Path, output: Output) -> Result<(), Failure> {
    let stage = ProfileBootstrap::load(profile, Environment::from_process());
    let stage = stage.map_err(Failure::config)?;
    let loaded = stage.loaded();
    let routes = systemprompt_runtime::model_routes(loaded).map_err(Failure::config)?;
    let tenant = args.tenant.as_deref().map(TenantId::parse).transpose().map_err(usage)?;
    let roles: BTreeSet<RoleId> = args
        .roles
        .iter()
        .map(|role| RoleId::parse(role))
        .collect::<Result<_, _>>()
        .map_err(usage)?;
    let query = RouteQuery {
        model: &args.model,
        tools: args.tools,
        thinking: args.thinking,
        stream: args.stream,
        estimated_tokens: args.tokens,
        tenant: tenant.as_ref(),
        roles: &roles,
        draw: 0,
    };
    let chosen = routes.choose(&query);
    let explanation = routes.explain(&args.model);
    let verdicts: Vec<Verdict<'_>> = explanation
        .routes
        .iter()
        .map(|route| Verdict::of(route, &loaded.profile.models, &query, &chosen))
        .collect();
    if output.is_json() {
        output.value(&document(&explanation.model, &args.model, &verdicts, &chosen))?;
    } else {
        output.text(&text(&explanation.model, &args.model, &verdicts))?;
    }
    chosen.map(|_| ()).map_err(|none| Failure::not_found(none.to_string()))
}

/// What becomes of a request at a route.
struct Verdict<'e> {
    route: &'e RouteExplanation,
    taken: bool,
    /// Why it is not taken.
    why: Option<String>,
}

impl<'e> Verdict<'e> {
    fn of(
        route: &'e RouteExplanation,
        models: &ModelsSection,
        query: &RouteQuery<'_>,
        chosen: &Result<Chosen, NoRoute>,
    ) -> Self {
        let taken_by = chosen.as_ref().ok().map(|chosen| chosen.route);
        let condition = models.routes.get(route.route).map(|route| &route.matching.when);
        let unmet = condition.map(|condition| unmet(condition, query)).unwrap_or_default();
        let why = match &route.outcome {
            _ if taken_by == Some(route.route) => None,
            RouteOutcome::Differs => Some("the pattern does not fit".to_owned()),
            _ if !unmet.is_empty() => Some(format!("it is for {}", unmet.join(", "))),
            _ => Some(match (taken_by, chosen) {
                (Some(by), _) => format!("route {by} takes the request before"),
                (None, Err(none)) => refused(none, route.route),
                (None, Ok(_)) => "it leads nowhere".to_owned(),
            }),
        };
        Self { route, taken: taken_by == Some(route.route), why }
    }
}

/// Why a route whose pattern and conditions fit does not take a request.
fn refused(none: &NoRoute, route: usize) -> String {
    match &none.reason {
        NoRouteReason::Unpriced { route: refusing, provider, model } if *refusing == route => {
            format!(
                "`{model}` of the provider `{provider}` has no price, and it does not allow that"
            )
        }
        NoRouteReason::Unpriced { route: refusing, .. } => {
            format!("route {refusing} refuses the request before")
        }
        NoRouteReason::Unknown | NoRouteReason::Conditions => "it leads nowhere".to_owned(),
    }
}

/// The parts of a condition that a request does not meet, each in the words of the condition.
fn unmet(condition: &RouteCondition, query: &RouteQuery<'_>) -> Vec<String> {
    let differs = |wanted: Option<bool>, is: bool| wanted.filter(|wanted| *wanted != is);
    let alone = RouteCondition::default;
    let parts = [
        RouteCondition { tools: differs(condition.tools, query.tools), ..alone() },
        RouteCondition { thinking: differs(condition.thinking, query.thinking), ..alone() },
        RouteCondition { stream: differs(condition.stream, query.stream), ..alone() },
        RouteCondition {
            min_tokens: condition.min_tokens.filter(|least| query.estimated_tokens < *least),
            ..alone()
        },
        RouteCondition {
            tenant: condition.tenant.clone().filter(|wanted| query.tenant != Some(wanted)),
            ..alone()
        },
        RouteCondition {
            role: condition.role.clone().filter(|wanted| !query.roles.contains(wanted)),
            ..alone()
        },
    ];
    parts.iter().filter(|part| !part.is_empty()).map(ToString::to_string).collect()
}

fn text(model: &str, requested: &str, verdicts: &[Verdict<'_>]) -> String {
    let mut text = format!("`{requested}`");
    if model != requested {
        text.push_str(&format!(" stands for `{model}`"));
    }
    text.push('\n');
    for Verdict { route, taken, why } in verdicts {
        let mark = if *taken { "->" } else { "  " };
        let said = why.as_deref().unwrap_or("takes it");
        text.push_str(&format!("{mark} {}: `{}`  {said}\n", route.route, route.pattern));
        for target in route.targets.iter().filter(|_| *taken) {
            text.push_str(&format!("      {target}\n"));
        }
    }
    text
}

fn document(
    model: &str,
    requested: &str,
    verdicts: &[Verdict<'_>],
    chosen: &Result<Chosen, NoRoute>,
) -> Value {
    let routes = verdicts.iter().map(|Verdict { route, taken, why }| {
        json!({
            "route": route.route,
            "pattern": route.pattern,
            "taken": taken,
            "why_not": why,
            "targets": route.targets,
        })
    });
    json!({
        "requested": requested,
        "model": model,
        "route": chosen.as_ref().ok().map(|chosen| chosen.route),
        "routes": routes.collect::<Vec<_>>(),
    })
}

fn usage(error: IdError) -> Failure {
    Failure::usage(error.to_string())
}
