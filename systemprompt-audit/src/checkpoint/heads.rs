use tokio::sync::watch;

use crate::merkle::{Hash, Tree};

/// How large a log is, and the root over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

/// Where a writer says what its log is. Only the newest counts; whoever listens is never waited for.
#[derive(Debug)]
pub(crate) struct Heads {
    to: watch::Sender<Option<Head>>,
    announced: u64,
    every: u64,
}

impl Heads {
    /// Announces a log of which `signed` events are signed already every `every` events.
    pub(crate) fn new(every: u64, signed: u64) -> (Self, watch::Receiver<Option<Head>>) {
        let (to, from) = watch::channel(None);
        (Self { to, announced: signed, every: every.max(1) }, from)
    }

    /// Announces the log if enough events have come.
    pub(crate) fn announce_when_due(&mut self, tree: &Tree) {
        if tree.size().saturating_sub(self.announced) >= self.every {
            self.announce(tree);
        }
    }

    /// Announces the log if any event has come.
    pub(crate) fn announce(&mut self, tree: &Tree) {
        if tree.size() > self.announced {
            self.announced = tree.size();
            self.to.send_replace(Some(Head { size: tree.size(), root: tree.root() }));
        }
    }
}
