//! What the policy does about secrets: actions, exemptions, canaries, handles.

mod actions;
mod content;
mod handles;
mod own;
mod stream;
mod tool;

use systemprompt_core::policy::{
    PolicyDocument, SecretAction, SecretActionRule, SecretExemption, SecretPolicy,
};

use super::house::starter;

/// Not written in one piece, so that no scanner takes this file for a leak.
fn github() -> String {
    format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a")
}

fn aws() -> String {
    format!("AKIA{}", "Q3EGRPV7ZXKLMN2W")
}

fn policy(secrets: SecretPolicy) -> PolicyDocument {
    PolicyDocument { secrets, ..starter() }
}

fn act(action: SecretAction) -> SecretActionRule {
    SecretActionRule {
        action,
        rules: Vec::new(),
        vendors: Vec::new(),
        tools: Vec::new(),
        directions: Vec::new(),
        min_confidence: None,
        bind: Vec::new(),
    }
}

fn with(actions: Vec<SecretActionRule>) -> PolicyDocument {
    policy(SecretPolicy { actions, ..SecretPolicy::default() })
}

fn exempt(id: &str) -> SecretExemption {
    SecretExemption {
        id: id.into(),
        reason: "a documented example".into(),
        rules: Vec::new(),
        tools: Vec::new(),
        fields: Vec::new(),
        directions: Vec::new(),
    }
}
