use std::sync::Arc;

use quick_cache::sync::Cache;
use systemprompt_core::call::ToolRef;
use systemprompt_core::decision::Permit;
use systemprompt_core::id::{CallId, PermitId, SessionId, TenantId, TokenId, TraceId, UserId};
use systemprompt_core::principal::Principal;

/// Most permits that are remembered. The log knows the others.
const CAPACITY: usize = 8192;

/// The permits of the calls that hooks were allowed lately, so that their outcome finds them without
/// a search in the log.
pub(super) struct Granted(Cache<Arc<Key>, Grant>);

/// A permit, and what it was granted for.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) permit: PermitId,
    pub(super) tool: ToolRef,
    pub(super) trace_id: TraceId,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    user: UserId,
    credential: TokenId,
    session: Option<SessionId>,
    call_id: CallId,
}

impl Key {
    fn new(principal: &Principal, session: Option<&SessionId>, call_id: &CallId) -> Self {
        Self {
            tenant: principal.tenant().clone(),
            user: principal.user().clone(),
            credential: principal.claims().credential.clone(),
            session: session.cloned(),
            call_id: call_id.clone(),
        }
    }
}

impl Granted {
    pub(super) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    /// Remembers a permit if the client named the call.
    pub(super) fn remember(&self, permit: &Permit) {
        let call = permit.call();
        if call.call_id_supplied() {
            let key = Key::new(call.principal(), call.session(), call.call_id());
            let tool = call.tool().clone();
            let grant = Grant { permit: permit.id(), tool, trace_id: call.trace_id() };
            self.0.insert(Arc::new(key), grant);
        }
    }

    /// The newest permit of a call.
    pub(super) fn find(
        &self,
        principal: &Principal,
        session: Option<&SessionId>,
        call_id: &CallId,
    ) -> Option<Grant> {
        self.0.get(&Key::new(principal, session, call_id))
    }
}
