//! A small typed bus inside one process: whoever subscribes sees what is published from then on.
//!
//! The bus is bounded. A publisher never waits; a subscriber that falls behind loses the oldest events
//! and is told how many. What must not be lost belongs into the audit log.

use std::num::NonZeroUsize;

use tokio::sync::broadcast;

/// Most events a bus may hold back for its slowest subscriber.
const MAX_CAPACITY: usize = 1 << 20;

/// A bus for events of one type. Cloning gives another handle to the same bus.
#[derive(Debug, Clone)]
pub struct EventBus<E> {
    sender: broadcast::Sender<E>,
}

impl<E: Clone + Send + 'static> EventBus<E> {
    /// A bus that holds back up to `capacity` events (at most 2^20) for subscribers that are slow.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { sender: broadcast::Sender::new(capacity.get().min(MAX_CAPACITY)) }
    }

    /// Hands `event` to everyone subscribed and returns how many that are. Never waits.
    pub fn publish(&self, event: E) -> usize {
        self.sender.send(event).unwrap_or(0)
    }

    /// Subscribes to what is published from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription<E> {
        Subscription { receiver: self.sender.subscribe() }
    }
}

/// One subscriber's end of a bus.
#[derive(Debug)]
pub struct Subscription<E> {
    receiver: broadcast::Receiver<E>,
}

impl<E: Clone + Send + 'static> Subscription<E> {
    /// The next event, or how many were missed; `None` once the bus is gone. Dropping the future loses
    /// nothing.
    pub async fn next(&mut self) -> Option<Delivery<E>> {
        match self.receiver.recv().await {
            Ok(event) => Some(Delivery::Event(event)),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(Delivery::Missed(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// What a subscriber receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery<E> {
    /// An event.
    Event(E),
    /// The subscriber was too slow; so many events were dropped before the next one.
    Missed(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bus(capacity: usize) -> EventBus<u32> {
        EventBus::new(NonZeroUsize::new(capacity).unwrap())
    }

    #[tokio::test]
    async fn every_subscriber_sees_every_event_in_order() {
        let bus = bus(4);
        let (mut one, mut other) = (bus.subscribe(), bus.subscribe());
        assert_eq!(bus.publish(1), 2);
        assert_eq!(bus.publish(2), 2);
        for subscriber in [&mut one, &mut other] {
            assert_eq!(subscriber.next().await, Some(Delivery::Event(1)));
            assert_eq!(subscriber.next().await, Some(Delivery::Event(2)));
        }
    }

    #[tokio::test]
    async fn a_slow_subscriber_is_told_what_it_missed() {
        let bus = bus(2);
        let mut slow = bus.subscribe();
        for event in 0..5 {
            bus.publish(event);
        }
        assert_eq!(slow.next().await, Some(Delivery::Missed(3)));
        assert_eq!(slow.next().await, Some(Delivery::Event(3)));
    }

    #[tokio::test]
    async fn nobody_needs_to_listen_and_the_end_is_seen() {
        let bus = bus(1);
        assert_eq!(bus.publish(1), 0);
        let mut subscriber = bus.subscribe();
        drop(bus);
        assert_eq!(subscriber.next().await, None);
    }
}
