use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::id::{RoleId, Scope};
use crate::principal::Principal;

/// What a decision depended on beyond what its event says anyway: enough to decide the call again by
/// another policy, and no value of the call.
///
/// It is kept as one JSON object:
///
/// ```json
/// {"scopes":"audit:read tools:use","roles":"user","rules":"3fa9c2d1"}
/// ```
///
/// `scopes` and `roles` are those of the principal at that moment. `rules` names the rules of the secret
/// scanner that looked through the arguments (absent when none did) and `secrets` lists the ids of those
/// that found something. The rest is rare: `prompt` (a prompt was to be submitted), `label` (the agent
/// was a client's label), `redacted` (the name of the tool, the agent or the session held a secret), and
/// `shadow`, what shadow policies would have decided differently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFeatures {
    /// Scopes of the credential.
    pub scopes: BTreeSet<Scope>,
    /// Roles of the user.
    pub roles: BTreeSet<RoleId>,
    /// Whether the call stood for a prompt.
    pub prompt: bool,
    /// Whether the agent was a label of the client.
    pub label: bool,
    /// Whether a name was recorded without the secret in it.
    pub redacted: bool,
    /// What the secret scanner found; `None` when it did not look.
    pub scan: Option<SecretScan>,
    /// What shadow policies would have decided, where that differs.
    pub shadow: Vec<ShadowVerdict>,
}

/// A look of the secret scanner through the arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretScan {
    /// Which rules looked: scanners with one text here find the same.
    pub rules: Arc<str>,
    /// The ids of the rules that found something, whether they count in the policy or not.
    pub found: Vec<Arc<str>>,
}

/// What a shadow policy would have decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowVerdict {
    /// The shadow, by its id in the profile.
    pub id: Arc<str>,
    /// Its policy.
    pub policy_version: String,
    /// Its verdict.
    pub decision: Verdict,
    /// By which check and rule, when it is a denial: `blocklist:destructive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A text that holds no features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the features of a decision")]
pub struct FeaturesError;

#[derive(Serialize, Deserialize)]
struct Text {
    scopes: String,
    roles: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<Arc<str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    prompt: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    label: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    redacted: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shadow: Vec<ShadowVerdict>,
}

impl DecisionFeatures {
    /// The text of a decision for `principal` about which there is nothing else to say than that the
    /// scanner with `rules` found nothing. Made once for a principal.
    #[must_use]
    pub fn plain(principal: &Principal, rules: &Arc<str>) -> Arc<str> {
        principal.features(rules, || {
            let scan = SecretScan { rules: rules.clone(), found: Vec::new() };
            Self { scan: Some(scan), ..Self::of(principal) }.to_text().into()
        })
    }

    /// The features of a call by `principal`, its own still to be filled in.
    #[must_use]
    pub fn of(principal: &Principal) -> Self {
        let claims = principal.claims();
        let (scopes, roles) = (claims.scopes.clone(), claims.roles.clone());
        Self { scopes, roles, ..Self::default() }
    }

    /// The features as they are kept.
    #[must_use]
    pub fn to_text(&self) -> String {
        let joined = |texts: Vec<&str>| texts.join(" ");
        let text = Text {
            scopes: joined(self.scopes.iter().map(Scope::as_str).collect()),
            roles: joined(self.roles.iter().map(RoleId::as_str).collect()),
            rules: self.scan.as_ref().map(|scan| scan.rules.clone()),
            secrets: self.scan.as_ref().map(|scan| scan.found.clone()).unwrap_or_default(),
            prompt: self.prompt,
            label: self.label,
            redacted: self.redacted,
            shadow: self.shadow.clone(),
        };
        // A structure of ours without maps: there is nothing that could fail.
        serde_json::to_string(&text).unwrap_or_default()
    }

    /// Reads what [`to_text`](Self::to_text) has written. Members that a later version adds are passed
    /// over.
    ///
    /// # Errors
    /// [`FeaturesError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, FeaturesError> {
        serde_json::from_str(text).map_err(|_| FeaturesError).and_then(Self::read)
    }

    /// The same for a value that was parsed before.
    ///
    /// # Errors
    /// [`FeaturesError`] for any other value.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, FeaturesError> {
        Text::deserialize(value).map_err(|_| FeaturesError).and_then(Self::read)
    }

    fn read(text: Text) -> Result<Self, FeaturesError> {
        let words = |text: &str| -> Vec<String> {
            text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let scopes = words(&text.scopes).iter().map(|word| Scope::parse(word)).collect();
        let roles = words(&text.roles).iter().map(|word| RoleId::parse(word)).collect();
        Ok(Self {
            scopes: Result::map_err(scopes, |_: crate::id::IdError| FeaturesError)?,
            roles: Result::map_err(roles, |_: crate::id::IdError| FeaturesError)?,
            prompt: text.prompt,
            label: text.label,
            redacted: text.redacted,
            scan: text.rules.map(|rules| SecretScan { rules, found: text.secrets }),
            shadow: text.shadow,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Audience;
    use crate::principal::PrincipalClaims;

    fn principal() -> Principal {
        Principal::assert_authenticated(PrincipalClaims {
            tenant: "acme".parse().unwrap(),
            user: "ada".parse().unwrap(),
            roles: ["user".parse().unwrap()].into(),
            scopes: ["tools:use".parse().unwrap(), "audit:read".parse().unwrap()].into(),
            department: None,
            audience: Audience::api(),
            credential: "key".parse().unwrap(),
            actors: Vec::new(),
        })
        .unwrap()
    }

    #[test]
    fn plain_features_are_short_and_made_once() {
        let (principal, rules) = (principal(), Arc::from("3fa9c2d1"));
        let text = DecisionFeatures::plain(&principal, &rules);
        let expected = r#"{"scopes":"audit:read tools:use","roles":"user","rules":"3fa9c2d1"}"#;
        assert_eq!(&*text, expected);
        assert!(Arc::ptr_eq(&text, &DecisionFeatures::plain(&principal.clone(), &rules)));
        // Another scanner in the same process is not mistaken for the first.
        let other = DecisionFeatures::plain(&principal, &Arc::from("other"));
        assert!(other.contains(r#""rules":"other""#), "{other}");
        assert_eq!(principal, self::principal());
    }

    #[test]
    fn features_are_read_as_they_were_written() {
        let plain = DecisionFeatures::of(&principal());
        let full = DecisionFeatures {
            prompt: true,
            label: true,
            redacted: true,
            scan: Some(SecretScan { rules: "3fa9c2d1".into(), found: vec!["github-token".into()] }),
            shadow: vec![ShadowVerdict {
                id: "strict".into(),
                policy_version: "sha256:00".to_owned(),
                decision: Verdict::Deny,
                by: Some("blocklist:destructive".to_owned()),
            }],
            ..plain.clone()
        };
        for features in [DecisionFeatures::default(), plain, full] {
            let text = features.to_text();
            assert_eq!(DecisionFeatures::parse(&text).unwrap(), features, "{text}");
            let value = serde_json::from_str(&text).unwrap();
            assert_eq!(DecisionFeatures::from_value(&value).unwrap(), features);
        }
        let later = r#"{"scopes":"","roles":"","colour":"red"}"#;
        assert_eq!(DecisionFeatures::parse(later).unwrap(), DecisionFeatures::default());
    }

    #[test]
    fn anything_else_is_no_features() {
        for text in
            ["", "null", "[]", "{}", r#"{"scopes":1,"roles":""}"#, r#"{"scopes":"<","roles":""}"#]
        {
            assert_eq!(DecisionFeatures::parse(text), Err(FeaturesError), "{text}");
        }
    }
}
