//! Who the persons behind pseudonyms are.

use std::collections::{BTreeSet, HashMap};

use systemprompt_core::database::DbPool;

use super::source::Group;
use crate::QueryError;
use crate::store::pooled;
use crate::subject::{SubjectRow, is_pseudonym};

/// Subjects that are looked up together.
const AT_ONCE: usize = 1_000;

/// Gives groups of pseudonyms the names of the persons, as far as these were not erased.
pub(super) async fn reveal(pool: &DbPool, groups: &mut [Group]) -> Result<(), QueryError> {
    let users = groups.iter().filter_map(|group| group.user.as_ref());
    let pseudonyms: BTreeSet<_> = users.filter(|user| is_pseudonym(user)).cloned().collect();
    let pseudonyms: Vec<_> = pseudonyms.into_iter().collect();
    let mut known = HashMap::new();
    for some in pseudonyms.chunks(AT_ONCE) {
        let rows: Vec<SubjectRow> = pooled!(pool, subjects::by_pseudonym(some))?;
        known.extend(rows.into_iter().map(|row| (row.pseudonym.clone(), row)));
    }
    for group in groups {
        if let Some(row) = group.user.as_ref().and_then(|user| known.get(user)) {
            group.user = Some(row.user_id.clone());
            group.department = Some(row.department.clone()).filter(|name| !name.is_empty());
        }
    }
    Ok(())
}
