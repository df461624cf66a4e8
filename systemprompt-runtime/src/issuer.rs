use std::collections::BTreeMap;
use std::time::Duration;

use systemprompt_core::config::{IssuerConfig, JwksSource, SigningAlgorithm as Configured};
use systemprompt_core::id::Audience;
use systemprompt_identity::{ClaimNames, IssuerSettings, KeySource, SigningAlgorithm, TokenTypes};

/// An issuer as it is configured, as the verifier wants it.
pub(crate) fn issuer_settings(config: &IssuerConfig) -> IssuerSettings {
    let keys = match &config.jwks {
        JwksSource::File(path) => KeySource::File(path.clone()),
        JwksSource::Url(url) => KeySource::Url(url.clone()),
    };
    let mut settings = IssuerSettings::new(&config.issuer, config.tenant.clone(), keys);
    settings.algorithms = config.algorithms.iter().map(algorithm).collect();
    settings.audiences = BTreeMap::new();
    let surfaces =
        [(Audience::api(), &config.audiences.api), (Audience::hook(), &config.audiences.hook)];
    for (surface, accepted) in surfaces {
        for audience in accepted {
            settings = settings.audience(surface.clone(), audience.as_str());
        }
    }
    settings.audience_arrays = config.allow_aud_array;
    settings.token_types = match config.require_typ_at_jwt {
        true => TokenTypes::AtJwt,
        false => TokenTypes::AtJwtOrScoped,
    };
    settings.claims = ClaimNames {
        user: config.user_claim.clone(),
        scopes: config.scopes_claim.clone(),
        roles: config.roles_claim.clone(),
        department: config.department_claim.clone(),
        actor: config.actor_claim.clone(),
    };
    settings.max_lifetime = Duration::from_secs(config.max_lifetime_s);
    settings
}

fn algorithm(configured: &Configured) -> SigningAlgorithm {
    match configured {
        Configured::RS256 => SigningAlgorithm::Rs256,
        Configured::ES256 => SigningAlgorithm::Es256,
        Configured::EdDSA => SigningAlgorithm::EdDsa,
    }
}
