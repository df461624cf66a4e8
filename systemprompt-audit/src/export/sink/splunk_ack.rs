//! Indexer acknowledgement of Splunk's HTTP Event Collector: a request is answered with a number, and for
//! that number the receiver says later whether the events are indexed.

use std::collections::BTreeMap;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde_json::json;
use systemprompt_core::id::EventId;

use super::Unconfirmed;
use super::http::{answered, chain, read, retry_after};

/// The path of everything the collector has.
const COLLECTOR: &str = "/services/collector";

/// The code with which the collector says that the token has no acknowledgement.
const DISABLED: u64 = 14;

/// The channel that acknowledgements belong to.
pub(super) struct SplunkAck {
    url: Url,
    channel: String,
    /// Whether the receiver was asked if it acknowledges at all.
    asked: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    ack_id: Option<u64>,
}

#[derive(Deserialize)]
struct Acks {
    acks: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
struct Fault {
    code: u64,
}

impl SplunkAck {
    /// The channel of a collector that takes events at `events`; `None` when that is no URL of Splunk's.
    pub(super) fn new(events: &Url) -> Option<Self> {
        let (before, _) = events.path().split_once(COLLECTOR)?;
        let mut url = events.clone();
        url.set_path(&format!("{before}{COLLECTOR}/ack"));
        Some(Self { url, channel: channel(), asked: false })
    }

    /// Marks a request as one of the channel.
    pub(super) fn mark(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("X-Splunk-Request-Channel", &self.channel)
    }

    /// Begins a channel anew: what was taken before is not asked for any more.
    pub(super) fn renew(&mut self) {
        self.channel = channel();
    }

    /// The number of a request that was answered with `answer`.
    pub(super) fn number(answer: &[u8]) -> Option<u64> {
        serde_json::from_slice::<Taken>(answer).ok()?.ack_id
    }

    /// Before the first event: whether the token has acknowledgement. Without it the collector would take
    /// the events and never say so, and they would be sent again and again.
    pub(super) async fn ready(&mut self, client: &Client) -> Result<(), Unconfirmed> {
        if !self.asked {
            match self.ask(client, &[0]).await {
                Err(unconfirmed) if unconfirmed.disabled => return Err(unconfirmed),
                // Whatever else it says of a number that nobody has got.
                _ => self.asked = true,
            }
        }
        Ok(())
    }

    /// Those of `numbers` whose events are indexed. The collector says it once of each.
    pub(super) async fn ask(
        &self,
        client: &Client,
        numbers: &[u64],
    ) -> Result<Vec<u64>, Unconfirmed> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("channel", &self.channel);
        let body = json!({ "acks": numbers }).to_string();
        let request =
            self.mark(client.post(url)).header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await;
        let response = response.map_err(|error| Unconfirmed::new(chain(&error.without_url())))?;
        let (status, after) = (response.status(), retry_after(response.headers()));
        let answer = read(response).await.unwrap_or_default();
        if status != StatusCode::OK {
            let fault = serde_json::from_slice::<Fault>(&answer);
            let disabled = fault.is_ok_and(|fault| fault.code == DISABLED);
            let problem = match disabled {
                true => "indexer acknowledgement is not enabled for the token".to_owned(),
                false => answered(status),
            };
            return Err(Unconfirmed { after, problem, disabled });
        }
        let acks: Acks = serde_json::from_slice(&answer).map_err(|_| {
            Unconfirmed::new("its answer is none about acknowledgements".to_owned())
        })?;
        let indexed = acks.acks.into_iter().filter(|(_, indexed)| *indexed);
        Ok(indexed.filter_map(|(number, _)| number.parse().ok()).collect())
    }
}

/// A UUID of its own.
fn channel() -> String {
    EventId::generate().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_are_asked_for_beside_the_events() {
        let of = |text: &str| {
            let url = SplunkAck::new(&text.parse().unwrap())?.url;
            Some(url.to_string())
        };
        assert_eq!(
            of("https://splunk:8088/services/collector/event/1.0?token=x").as_deref(),
            Some("https://splunk:8088/services/collector/ack?token=x")
        );
        assert_eq!(
            of("https://proxy/splunk/services/collector").as_deref(),
            Some("https://proxy/splunk/services/collector/ack")
        );
        assert_eq!(of("https://proxy/in"), None);
        assert_eq!(SplunkAck::number(br#"{"text":"Success","code":0,"ackId":7}"#), Some(7));
        assert_eq!(SplunkAck::number(br#"{"text":"Success","code":0}"#), None);
    }
}
