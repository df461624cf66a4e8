use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use systemprompt_core::contract::SecretStore;
use systemprompt_core::decision::{Injected, Permit, RunError};
use systemprompt_core::id::{ServerName, TenantId};

use super::{Bindings, InjectError, Injection};

/// Opens the secrets that tools were declared to get. Cloning is a reference count.
#[derive(Clone)]
pub struct Injector {
    store: Arc<dyn SecretStore>,
    bindings: Bindings,
}

impl Injector {
    /// An injector of the secrets in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn SecretStore>, bindings: Bindings) -> Self {
        Self { store, bindings }
    }

    /// What may be injected into one call, which runs under a claimed permit: `injected` is the evidence.
    /// Nothing is opened yet.
    ///
    /// # Errors
    /// [`InjectError::OtherServer`] when the call that was decided is for a tool of another server.
    pub fn for_call(
        &self,
        server: &ServerName,
        injected: &Injected,
    ) -> Result<Injection, InjectError> {
        let call = injected.call();
        if call.tool().server().is_some_and(|decided| decided != server) {
            let (tool, server) = (call.tool().qualified().to_owned(), server.to_string());
            return Err(InjectError::OtherServer { tool, server });
        }
        let tenant = call.principal().tenant().clone();
        Ok(self.injection(tenant, server, Some(injected)))
    }

    /// What may be injected into a server when it is started, apart from any call.
    #[must_use]
    pub fn for_start(&self, tenant: &TenantId, server: &ServerName) -> Injection {
        self.injection(tenant.clone(), server, None)
    }

    /// Runs a tool of `server` under `permit`: claims it, lets the tool open what it was declared to get,
    /// takes that out of its result or its error, and records the outcome. What the log and the caller
    /// get is the filtered text.
    ///
    /// # Errors
    /// [`RunError`], with [`InjectError`] for what the tool says: also when a secret was not handed out,
    /// which is the reason recorded then.
    pub async fn run<E, F>(
        &self,
        server: &ServerName,
        permit: Permit,
        tool: impl FnOnce(Arc<Injection>) -> F,
    ) -> Result<Bytes, RunError<InjectError>>
    where
        F: Future<Output = Result<Bytes, E>>,
        E: fmt::Display,
    {
        permit
            .run_bytes(|injected| async move {
                let injection = Arc::new(self.for_call(server, &injected)?);
                let result = tool(injection.clone()).await;
                let filter = injection.filter();
                match result {
                    Ok(output) => Ok(Bytes::from(filter.redact(&output).into_owned())),
                    Err(error) => Err(InjectError::Tool(filter.redact_text(&error.to_string()))),
                }
            })
            .await
    }

    fn injection(
        &self,
        tenant: TenantId,
        server: &ServerName,
        injected: Option<&Injected>,
    ) -> Injection {
        let call = injected.map(|injected| injected.call().clone());
        Injection::new(self.store.clone(), self.bindings.clone(), tenant, server.clone(), call)
    }
}

impl fmt::Debug for Injector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("bindings", &self.bindings).finish_non_exhaustive()
    }
}
