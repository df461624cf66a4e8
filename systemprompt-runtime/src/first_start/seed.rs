use std::sync::Arc;

use serde_json::json;
use systemprompt_audit::append_sealed_in;
use systemprompt_audit::subject::SubjectKeys;
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::database::{DbPool, DbTransaction, SchemaStep};
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_identity::{IdentityStore, SeedUser, Seeded};

use crate::{StartError, app::schema_migrated};

/// Creates the first identities, and the events that say so, in the transaction `change`.
pub(super) async fn seed(
    change: &mut DbTransaction<'_>,
    database: &DbPool,
    clock: Arc<dyn Clock>,
    installed: &[SchemaStep],
    keys: Option<&SubjectKeys>,
) -> Result<Seeded, StartError> {
    let now = clock.now();
    let seeded = IdentityStore::new(database.clone(), clock).seed(change).await?;
    append_sealed_in(change, keys, events(&seeded, installed, now)).await?;
    Ok(seeded)
}

fn events(seeded: &Seeded, installed: &[SchemaStep], now: Timestamp) -> Vec<AuditEvent> {
    let tenant = json!({ "tenant": seeded.tenant });
    let mut events = vec![
        schema_migrated(now, installed),
        AuditEvent::system(now, EventKind::TenantCreated, tenant),
    ];
    for SeedUser { user, role, scopes, key } in [&seeded.admin, &seeded.user] {
        let created = json!({ "tenant": seeded.tenant, "user": user, "roles": [role] });
        events.push(AuditEvent::system(now, EventKind::UserCreated, created));
        let key = json!({
            "tenant": seeded.tenant,
            "user": user,
            "key": key.id,
            "scopes": scopes,
        });
        events.push(AuditEvent::system(now, EventKind::KeyCreated, key));
    }
    events
}
