use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use systemprompt_core::config::{
    Diagnostic, IssuerConfig, JwksSource, LoadedProfile, SigningAlgorithm as Configured,
};
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

/// The key sets in files that are not there, or are none. Those at a URL may come later.
pub(crate) fn missing_keys(loaded: &LoadedProfile) -> Vec<Diagnostic> {
    let issuers = loaded.profile.identity.issuers.iter().enumerate();
    let faults = issuers.filter_map(|(at, issuer)| match &issuer.jwks {
        JwksSource::Url(_) => None,
        JwksSource::File(path) => {
            let problem = check_key_set(path).err()?;
            let place = format!("identity.issuers[{at}].jwks.file");
            Some(loaded.diagnostic(place, &problem))
        }
    });
    faults.collect()
}

fn check_key_set(path: &Path) -> Result<(), String> {
    const MAX_BYTES: u64 = 1024 * 1024;
    let unreadable = |problem: &dyn std::fmt::Display| {
        format!("the key set `{}` cannot be read: {problem}", path.display())
    };
    let metadata = path.metadata().map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(unreadable(&"it is not a file"));
    }
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
        .map_err(|error| unreadable(&error))?;
    let document: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| unreadable(&"it is not JSON"))?;
    match document.get("keys") {
        Some(serde_json::Value::Array(_)) => Ok(()),
        _ => Err(unreadable(&"it has no list `keys`")),
    }
}

fn algorithm(configured: &Configured) -> SigningAlgorithm {
    match configured {
        Configured::RS256 => SigningAlgorithm::Rs256,
        Configured::ES256 => SigningAlgorithm::Es256,
        Configured::EdDSA => SigningAlgorithm::EdDsa,
    }
}
