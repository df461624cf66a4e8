use std::io;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use http::header::HeaderName;
use parking_lot::Mutex;
use systemprompt_core::secret::Secret;
use systemprompt_providers::scripted::{Script, Step, sse};
use systemprompt_providers::upstream::{Credential, UpstreamCall};
use tracing_subscriber::fmt::MakeWriter;

use super::pair;

const KEY: &str = "sk-ant-hunter2";
const PROMPT: &str = "the-body-of-the-request";
const ANSWER: &str = "the-body-of-the-answer";

/// What is logged on one thread. A subscriber of a thread alone would miss the places that another thread
/// came to first, so this one is that of the process.
#[derive(Clone)]
struct Log {
    thread: ThreadId,
    text: Arc<Mutex<Vec<u8>>>,
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if thread::current().id() == self.thread {
            self.text.lock().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn secret_call() -> UpstreamCall {
    UpstreamCall::post("/v1/messages", PROMPT)
        .with_credential(Credential::bearer(&Secret::new(KEY.to_owned())))
}

/// On one thread, so that everything below is logged here.
#[tokio::test(flavor = "current_thread")]
async fn neither_credentials_nor_bodies_are_shown() {
    let log = Log { thread: thread::current().id(), text: Arc::default() };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (upstream, client, _) = pair(|s| {
        s.idle_timeout = Duration::from_millis(400);
        s.first_byte_timeout = Duration::from_millis(400);
    })
    .await;
    let scripts = [
        Script::json(ANSWER),
        Script::status(500).bytes(ANSWER),
        Script::status(302).header("location", format!("/{ANSWER}")),
        Script::reset(),
        Script::hang(),
        Script::raw(format!("{ANSWER}\r\n\r\n")),
        Script::cut_chunk(ANSWER.as_bytes()),
        sse([ANSWER]).step(Step::Hang),
        Script::bad_gzip(ANSWER.repeat(100).as_bytes()),
    ];
    let count = scripts.len();
    let mut shown = format!("{:?} {client:?}", secret_call());
    for script in scripts {
        upstream.on("POST", "/", script);
        match client.send(secret_call()).await {
            Ok(answer) => {
                shown.push_str(&format!("{:?} {:?}", answer.attempts, answer.body));
                if let Err(error) = answer.collect(1 << 20).await {
                    shown.push_str(&format!("{error} {error:?} {:?}", error.model_error()));
                }
            }
            Err(error) => {
                shown.push_str(&format!("{error} {error:?} {:?}", error.model_error()));
            }
        }
    }
    upstream.refuse().await;
    let error = client.send(secret_call()).await.unwrap_err();
    shown.push_str(&format!("{error} {error:?} {:?} {:?}", error.model_error(), client.health()));
    let seen = upstream.journal();
    let bearer = format!("Bearer {KEY}");
    assert_eq!(seen.len(), count);
    assert!(seen.iter().all(|seen| seen.header("authorization") == Some(&bearer)), "it is sent");

    shown.push_str(&String::from_utf8_lossy(&log.text.lock()));
    for logged in ["asked a provider", "hyper"] {
        assert!(shown.contains(logged), "the log of {logged} is looked at: {shown}");
    }
    for secret in [KEY, "hunter2", PROMPT, ANSWER] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
}

#[tokio::test]
async fn a_callers_credential_is_replaced() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.always("POST", "/", Script::json("{}"));
    let mut call = UpstreamCall::post("/v1/messages", "{}");
    for name in ["authorization", "x-api-key", "x-goog-api-key", "cookie", "proxy-authorization"] {
        call.headers.insert(name, "of-the-caller".parse().unwrap());
    }
    let name = HeaderName::from_static("x-api-key");
    let credential = Credential::header(name, Secret::new(KEY.to_owned()));
    client.send(call.with_credential(credential)).await.unwrap();
    let seen = upstream.journal().pop().unwrap();
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    assert!(seen.headers.iter().all(|(_, value)| value != "of-the-caller"), "{:?}", seen.headers);
}
