use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use systemprompt_core::llm::Dialect;

use crate::route::ChosenTarget;

/// How long a provider that counts nothing is not asked again.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Most of them that are remembered: models are named by callers.
const MOST: usize = 1024;

/// What was asked for a count and has none, for a while.
#[derive(Default)]
pub(in crate::gateway) struct Countless(Mutex<HashMap<Key, Duration>>);

/// A provider, the dialect it is spoken to in, and a model of it.
type Key = (Arc<str>, Dialect, String);

impl Countless {
    /// Whether there is no use in asking at `now`, by the monotonic clock.
    pub(super) fn has(&self, target: &ChosenTarget, dialect: Dialect, now: Duration) -> bool {
        self.0.lock().get(&key(target, dialect)).is_some_and(|until| *until > now)
    }

    pub(super) fn note(&self, target: &ChosenTarget, dialect: Dialect, now: Duration) {
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.retain(|_, until| *until > now);
        }
        if all.len() < MOST {
            all.insert(key(target, dialect), now.saturating_add(REMEMBERED));
        }
    }
}

fn key(target: &ChosenTarget, dialect: Dialect) -> Key {
    (target.provider.name().clone(), dialect, target.model.clone())
}

#[cfg(test)]
mod tests {
    use systemprompt_core::config::{ProviderConfig, ProviderKind};

    use super::*;
    use crate::preset::Provider;

    fn target(model: &str) -> ChosenTarget {
        let provider = Provider::new("p", &ProviderConfig::new(ProviderKind::Anthropic));
        ChosenTarget { provider: Arc::new(provider), model: model.to_owned(), price: None }
    }

    #[test]
    fn what_has_no_count_is_forgotten_in_time_and_never_piles_up() {
        let countless = Countless::default();
        let (dialect, second) = (Dialect::Anthropic, Duration::from_secs(1));
        countless.note(&target("m"), dialect, second);
        assert!(countless.has(&target("m"), dialect, second * 600));
        assert!(!countless.has(&target("n"), dialect, second));
        assert!(!countless.has(&target("m"), Dialect::Responses, second));
        assert!(!countless.has(&target("m"), dialect, second * 601));
        for number in 0..3 * MOST {
            countless.note(&target(&number.to_string()), dialect, second);
        }
        assert_eq!(countless.0.lock().len(), MOST);
        countless.note(&target("late"), dialect, second * 700);
        assert!(countless.has(&target("late"), dialect, second * 701));
        assert_eq!(countless.0.lock().len(), 1);
    }
}
