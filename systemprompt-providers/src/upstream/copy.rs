use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// A copy of a body, made while it is read.
#[derive(Debug, Clone)]
pub(crate) struct BodyCopy(Arc<Mutex<Copied>>);

#[derive(Debug)]
struct Copied {
    /// `None` when there will be no copy.
    bytes: Option<Vec<u8>>,
    limit: usize,
    ended: bool,
}

impl BodyCopy {
    pub(super) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Copied { bytes: Some(Vec::new()), limit, ended: false })))
    }

    pub(super) fn push(&self, piece: &[u8]) {
        let mut copied = self.0.lock();
        let limit = copied.limit;
        match &mut copied.bytes {
            Some(bytes) if bytes.len().saturating_add(piece.len()) <= limit => {
                bytes.extend_from_slice(piece);
            }
            bytes => *bytes = None,
        }
    }

    pub(super) fn end(&self) {
        self.0.lock().ended = true;
    }

    pub(super) fn give_up(&self) {
        self.0.lock().bytes = None;
    }

    /// The whole body; `None` when it was too long, broke off, or was not read to its end.
    pub(crate) fn take(self) -> Option<Bytes> {
        let mut copied = self.0.lock();
        let bytes = copied.bytes.take().filter(|_| copied.ended)?;
        // What is kept for long takes no more than it needs.
        Some(bytes.into_boxed_slice().into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::UpstreamBody;
    use super::*;

    #[tokio::test]
    async fn a_copy_is_the_whole_body_or_nothing() {
        let bytes = Bytes::from_static(b"data: 1\n\n");
        let mut body = UpstreamBody::kept(bytes.clone());
        let copy = body.copy(bytes.len());
        assert_eq!(body.next_piece().await.unwrap().unwrap(), bytes);
        assert_eq!(copy.clone().take(), None, "its end was not seen");
        let mut body = UpstreamBody::kept(bytes.clone());
        let copy = body.copy(bytes.len());
        assert_eq!(body.next_piece().await.unwrap().unwrap(), bytes);
        assert!(body.next_piece().await.is_none());
        assert_eq!(copy.take(), Some(bytes.clone()));
        let mut body = UpstreamBody::kept(bytes.clone());
        let copy = body.copy(bytes.len() - 1);
        assert_eq!(body.collect(100).await.unwrap(), bytes, "the body itself is not cut");
        assert_eq!(copy.take(), None, "too long");
    }

    #[test]
    fn what_broke_off_is_no_copy() {
        let copy = BodyCopy::new(10);
        copy.push(b"abc");
        copy.give_up();
        copy.end();
        assert_eq!(copy.take(), None);
    }
}
