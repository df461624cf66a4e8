//! What the tests share: a store and a ledger in memory, permits, and settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use systemprompt_core::call::{Arguments, CallContext, Door, ToolCall, ToolRef};
use systemprompt_core::clock::SystemClock;
use systemprompt_core::contract::{
    AuditError, OpenSecret, PermitLedger, PermitState, SecretStore, SecretStoreError, SecretUse,
    SettleError,
};
use systemprompt_core::decision::{Evaluation, Outcome, Permit, PermitClaim, PermitGrant};
use systemprompt_core::id::{
    Audience, EventId, PermitId, PolicyVersion, ServerName, TenantId, TokenId, UserId,
};
use systemprompt_core::policy::OnAllow;
use systemprompt_core::principal::{Principal, PrincipalClaims};
use systemprompt_core::secret::Secret;
use systemprompt_custody::inject::{Bindings, InjectionSettings, Injector};

/// A value as services hand them out.
pub(crate) const TOKEN: &str = "tok_9f8Q+z7/Lk3=vR2~x";

/// A store in memory. A grant is the text of a use: `server: secret in place`.
#[derive(Default)]
pub(crate) struct MemoryStore {
    values: Mutex<BTreeMap<String, Vec<String>>>,
    grants: Mutex<Vec<String>>,
    /// What was opened or refused, and for which call.
    pub(crate) uses: Mutex<Vec<String>>,
}

impl MemoryStore {
    pub(crate) fn with(secrets: &[(&str, &str)], grants: &[&str]) -> Arc<Self> {
        let store = Self::default();
        for (name, value) in secrets {
            store.values.lock().entry((*name).to_owned()).or_default().push((*value).to_owned());
        }
        store.grants.lock().extend(grants.iter().map(|grant| (*grant).to_owned()));
        Arc::new(store)
    }

    pub(crate) fn opened(&self) -> Vec<String> {
        self.uses.lock().clone()
    }
}

#[async_trait]
impl SecretStore for MemoryStore {
    async fn open(&self, usage: SecretUse<'_>) -> Result<OpenSecret, SecretStoreError> {
        let grant = format!("{}: {} in {}", usage.server, usage.name, usage.sink);
        let call = usage.call.map_or("no call", |call| call.tool().qualified());
        let granted = self.grants.lock().contains(&grant);
        let verdict = if granted { "opened" } else { "refused" };
        self.uses.lock().push(format!("{verdict} {grant} for {call}"));
        let versions = self.values.lock().get(usage.name.as_ref()).cloned().unwrap_or_default();
        let version = usage.version.unwrap_or(u32::try_from(versions.len()).unwrap());
        let value = (version as usize).checked_sub(1).and_then(|at| versions.get(at));
        let value = value.ok_or_else(|| SecretStoreError::Unknown(usage.name.to_string()))?;
        if !granted {
            return Err(SecretStoreError::NotGranted {
                name: usage.name.to_string(),
                server: usage.server.to_string(),
                sink: usage.sink.to_string(),
            });
        }
        let value = Secret::new(value.clone());
        Ok(OpenSecret { name: usage.name.clone(), version, value })
    }
}

/// A ledger in memory.
#[derive(Default)]
pub(crate) struct MemoryLedger {
    pub(crate) outcomes: Mutex<Vec<Outcome>>,
    pub(crate) abandoned: Mutex<Vec<PermitId>>,
}

impl MemoryLedger {
    pub(crate) fn only_outcome(&self) -> Outcome {
        let outcomes = self.outcomes.lock();
        assert_eq!(outcomes.len(), 1);
        outcomes[0].clone()
    }
}

#[async_trait]
impl PermitLedger for MemoryLedger {
    async fn settle(
        &self,
        _: PermitId,
        _: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        self.outcomes.lock().push(outcome);
        Ok(())
    }

    fn abandon(&self, permit: PermitId) {
        self.abandoned.lock().push(permit);
    }

    async fn state(&self, _: PermitId) -> Result<PermitState, AuditError> {
        Ok(PermitState::Unknown)
    }
}

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn server(name: &str) -> ServerName {
    name.parse().unwrap()
}

pub(crate) fn call(tool: &str, arguments: &str) -> ToolCall {
    let claims = PrincipalClaims {
        tenant: tenant(),
        user: UserId::parse("u1").unwrap(),
        roles: std::collections::BTreeSet::default(),
        scopes: std::collections::BTreeSet::default(),
        department: None,
        audience: Audience::api(),
        credential: TokenId::parse("key1").unwrap(),
        actors: Vec::new(),
    };
    ToolCall::new(
        Principal::assert_authenticated(claims).unwrap(),
        Door::Embedded,
        ToolRef::parse(None, tool).unwrap(),
        Arguments::parse(arguments.to_owned()).unwrap(),
        CallContext::default(),
    )
}

/// The permit of a call as a governor would give it.
pub(crate) fn permit(call: &ToolCall, ledger: &Arc<MemoryLedger>) -> Permit {
    let clock = SystemClock::shared();
    Permit::assert_granted(PermitGrant {
        rewritten: false,
        restored: None,
        id: PermitId::from(EventId::generate()),
        claim: PermitClaim::default(),
        call: call.clone(),
        expires_at: clock.now().after(Duration::from_secs(60)),
        evaluation: Arc::new(Evaluation {
            policy_version: PolicyVersion::parse("test-1").unwrap(),
            checks: Vec::new(),
            limits: Vec::new(),
        }),
        on_allow: OnAllow::Allow,
        ledger: ledger.clone(),
        clock,
    })
}

pub(crate) fn settings(json: serde_json::Value) -> InjectionSettings {
    serde_json::from_value(json).unwrap()
}

pub(crate) fn injector(store: &Arc<MemoryStore>, json: serde_json::Value) -> Injector {
    Injector::new(store.clone(), Bindings::compile(&settings(json)).unwrap())
}

/// Fails when `text` holds the value in one of the forms that are looked for.
#[track_caller]
pub(crate) fn assert_clean(text: &[u8], value: &str) {
    let text = String::from_utf8_lossy(text);
    for form in forms(value) {
        assert!(!text.contains(&form), "`{form}` is in: {text}");
    }
}

/// Forms of a value, made in another way than the filter makes them.
pub(crate) fn forms(value: &str) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

    let mut forms = vec![value.to_owned(), hex::encode(value), hex::encode_upper(value)];
    forms.push(value.bytes().map(|byte| format!("%{byte:02X}")).collect());
    forms.push(url::form_urlencoded::byte_serialize(value.as_bytes()).collect());
    forms.push(serde_json::to_string(value).unwrap().trim_matches('"').to_owned());
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for before in 0..3 {
            // What does not change with its neighbours depends on the value alone.
            let among = |neighbour: u8| {
                let mut bytes = vec![neighbour; before];
                bytes.extend(value.bytes());
                bytes.extend([neighbour; 3]);
                engine.encode(bytes)
            };
            let same = |(a, b): (char, char)| (a == b).then_some(a);
            let core: Vec<_> = among(0).chars().zip(among(0xff).chars()).map(same).collect();
            let longest = core.split(Option::is_none).max_by_key(|run| run.len()).unwrap();
            forms.push(longest.iter().flatten().collect());
        }
    }
    forms
}
