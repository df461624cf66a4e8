//! Indexer acknowledgement: events have arrived when Splunk says that they are indexed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use systemprompt_audit::export::{
    Destination, ExportError, Exporter, Format, SettingsError, SinkSettings,
};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::delivery::{append, http, stats, until};
use super::receiver::{Request, read};
use crate::fixture::{Fixture, on_both};

on_both! {
    #[tokio::test]
    the_place_moves_only_when_events_are_indexed;
    #[tokio::test]
    what_splunk_loses_is_sent_again;
    #[tokio::test]
    an_end_before_the_acknowledgement_loses_nothing;
}

const PATIENCE: Duration = Duration::from_secs(30);

/// What a collector does with events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Indexing {
    /// Indexes them at once.
    Now,
    /// Keeps them in a queue.
    Later,
    /// Forgets them and their numbers.
    Never,
}

/// The places of a request and whether they are indexed; `None` once that was said.
type Numbered = (Vec<i64>, Option<bool>);

#[derive(Debug)]
struct State {
    /// Whether the token has acknowledgement.
    enabled: bool,
    indexing: Indexing,
    /// The statuses of the next answers about acknowledgements.
    ack_answers: Vec<u16>,
    /// By channel, in the order of their numbers.
    channels: HashMap<String, Vec<Numbered>>,
    indexed: Vec<i64>,
    /// Requests with events.
    requests: usize,
}

/// A collector that acknowledges.
struct Splunk {
    state: Arc<Mutex<State>>,
    url: String,
}

impl Splunk {
    async fn new(indexing: Indexing) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            enabled: true,
            indexing,
            ack_answers: Vec::new(),
            channels: HashMap::new(),
            indexed: Vec::new(),
            requests: 0,
        }));
        let shared = state.clone();
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { state, url }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// Indexes what is in the queue, and whatever comes.
    fn index(&self) {
        self.with(|state| {
            state.indexing = Indexing::Now;
            for (places, indexed) in state.channels.values_mut().flatten() {
                if *indexed == Some(false) {
                    *indexed = Some(true);
                    state.indexed.extend(places.iter());
                }
            }
        });
    }

    fn indexed(&self) -> BTreeSet<i64> {
        self.with(|state| state.indexed.iter().copied().collect())
    }

    fn settings(&self, fixture: &Fixture) -> SinkSettings {
        let mut settings = http(fixture, Format::SplunkHec, &self.url);
        settings.batch_events = 10;
        if let Destination::Http(http) = &mut settings.destination {
            http.splunk_ack = true;
            http.gzip = true;
        }
        settings
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let (status, answer) = state.lock().unwrap().answer(&request);
        let answer = answer.to_string();
        let length = answer.len();
        let text = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{answer}");
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let path = request.head.split(' ').nth(1).unwrap();
        let (_, channel) = request.head.split_once("x-splunk-request-channel: ").unwrap();
        let channel = channel.lines().next().unwrap().to_owned();
        // 8-4-4-4-12.
        let groups: Vec<_> = channel.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{channel}");
        match path {
            "/services/collector/event" => self.take(channel, &request.body),
            path => {
                assert_eq!(path, format!("/services/collector/ack?channel={channel}"));
                self.acknowledge(&channel, &request.body)
            }
        }
    }

    fn take(&mut self, channel: String, body: &str) -> (u16, Value) {
        self.requests += 1;
        let events = serde_json::Deserializer::from_str(body).into_iter::<Value>();
        let places: Vec<_> =
            events.map(|event| event.unwrap()["event"]["seq"].as_i64().unwrap()).collect();
        if self.indexing == Indexing::Now {
            self.indexed.extend(&places);
        }
        if !self.enabled {
            return (200, json!({ "text": "Success", "code": 0 }));
        }
        let numbers = self.channels.entry(channel).or_default();
        numbers.push(match self.indexing {
            Indexing::Now => (places, Some(true)),
            Indexing::Later => (places, Some(false)),
            Indexing::Never => (Vec::new(), None),
        });
        (200, json!({ "text": "Success", "code": 0, "ackId": numbers.len() - 1 }))
    }

    fn acknowledge(&mut self, channel: &str, body: &str) -> (u16, Value) {
        if !self.enabled {
            return (400, json!({ "text": "ACK is disabled", "code": 14 }));
        }
        if let Some(status) = self.ack_answers.pop() {
            return (status, json!({ "text": "Server is busy", "code": 9 }));
        }
        let asked: Value = serde_json::from_str(body).unwrap();
        let mut acks = serde_json::Map::new();
        for number in asked["acks"].as_array().unwrap() {
            let at = number.as_u64().unwrap() as usize;
            let known = self.channels.get_mut(channel).and_then(|numbers| numbers.get_mut(at));
            let indexed = known.is_some_and(|(_, indexed)| {
                // It is said once.
                let said = *indexed == Some(true);
                if said {
                    *indexed = None;
                }
                said
            });
            acks.insert(at.to_string(), indexed.into());
        }
        (200, json!({ "acks": acks }))
    }
}

/// Up to where the place of the sink is noted.
async fn noted(fixture: &Fixture) -> i64 {
    fixture.number("SELECT coalesce(max(seq), 0) FROM audit_exports").await
}

async fn until_noted(fixture: &Fixture, place: i64) {
    let reached = async {
        while noted(fixture).await < place {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
}

async fn the_place_moves_only_when_events_are_indexed(fixture: Fixture) {
    let log = fixture.log().await;
    let splunk = Splunk::new(Indexing::Later).await;
    let exporter = Exporter::start(&fixture.pool, vec![splunk.settings(&fixture)]).unwrap();
    append(&fixture, &log, 300).await;
    // Several are under way at once, but not any number.
    until("a full flight", || splunk.with(|state| state.requests) == 16).await;
    // Places are noted every second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((noted(&fixture).await, stats(&exporter).events), (0, 0));
    assert_eq!(splunk.with(|state| state.requests), 16);
    splunk.with(|state| state.ack_answers = vec![503, 500, 503]);
    splunk.index();
    until("arrival", || stats(&exporter).events == 300).await;
    assert!(stats(&exporter).failures >= 3);
    until("health", || stats(&exporter).healthy).await;
    until_noted(&fixture, 300).await;
    exporter.stop(PATIENCE).await;
    assert_eq!(splunk.indexed(), (1..=300).collect());
    // Nothing was sent twice.
    assert_eq!(splunk.with(|state| state.indexed.len()), 300);
    log.close().await;
}

async fn what_splunk_loses_is_sent_again(fixture: Fixture) {
    let log = fixture.log().await;
    append(&fixture, &log, 100).await;
    let splunk = Splunk::new(Indexing::Never).await;
    let mut settings = splunk.settings(&fixture);
    settings.ack_timeout = Duration::from_millis(300);
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    until("a second attempt", || splunk.with(|state| state.requests) > 10).await;
    assert!(!stats(&exporter).healthy || stats(&exporter).failures > 0);
    assert_eq!(stats(&exporter).events, 0);
    splunk.index();
    until("arrival", || stats(&exporter).events == 100).await;
    assert_eq!(splunk.indexed(), (1..=100).collect());
    // Under a channel of its own.
    assert!(splunk.with(|state| state.channels.len()) >= 2);
    exporter.stop(PATIENCE).await;
    assert_eq!(noted(&fixture).await, 100);
    log.close().await;
}

async fn an_end_before_the_acknowledgement_loses_nothing(fixture: Fixture) {
    let log = fixture.log().await;
    append(&fixture, &log, 100).await;
    let splunk = Splunk::new(Indexing::Later).await;
    let start = || Exporter::start(&fixture.pool, vec![splunk.settings(&fixture)]).unwrap();
    let exporter = start();
    until("all is under way", || splunk.with(|state| state.requests) == 10).await;
    exporter.stop(Duration::from_millis(100)).await;
    assert_eq!(noted(&fixture).await, 0);
    // The queue of the collector is gone, too.
    splunk.with(|state| state.channels.clear());
    splunk.index();
    let exporter = start();
    exporter.stop(PATIENCE).await;
    assert_eq!(splunk.indexed(), (1..=100).collect());
    assert_eq!(noted(&fixture).await, 100);
    log.close().await;
}

#[tokio::test]
async fn a_token_without_acknowledgement_gets_nothing() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 30).await;
    let splunk = Splunk::new(Indexing::Now).await;
    splunk.with(|state| state.enabled = false);
    let exporter = Exporter::start(&fixture.pool, vec![splunk.settings(&fixture)]).unwrap();
    until("failures", || stats(&exporter).failures > 5).await;
    // They would be indexed over and over.
    assert_eq!(splunk.with(|state| state.requests), 0);
    splunk.with(|state| state.enabled = true);
    until("arrival", || stats(&exporter).events == 30).await;
    assert_eq!(splunk.with(|state| state.indexed.len()), 30);
    exporter.stop(PATIENCE).await;
    log.close().await;
}

#[tokio::test]
async fn only_a_collector_of_splunk_acknowledges() {
    let fixture = Fixture::sqlite().await;
    let splunk = Splunk::new(Indexing::Now).await;
    for (format, path) in [(Format::JsonLines, "/services/collector"), (Format::SplunkHec, "/in")] {
        let mut settings = splunk.settings(&fixture);
        settings.format = format;
        if let Destination::Http(http) = &mut settings.destination {
            http.url = systemprompt_core::secret::Secret::new(format!("{}{path}", splunk.url));
        }
        let error = Exporter::start(&fixture.pool, vec![settings]).unwrap_err();
        assert!(matches!(error, ExportError::Settings(SettingsError::Ack { .. })), "{error}");
    }
}
