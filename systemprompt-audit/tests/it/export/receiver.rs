//! An HTTP receiver that answers as a script says, and remembers what it was sent.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Accepts it.
    Accept,
    /// Answers this status, with these headers.
    Status(u16, &'static str),
    /// Reads the request and cuts the connection.
    Cut,
    /// Says nothing.
    Silence,
    /// Accepts a request of at most so many lines, and answers 413 otherwise.
    AtMost(usize),
    /// Answers 400 to a request with this in it, and accepts others.
    Unless(String),
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Answer>,
    then: Option<Answer>,
    accepted: Vec<Request>,
    seen: usize,
}

/// A receiver.
pub(crate) struct Receiver {
    state: Arc<Mutex<State>>,
    pub(crate) url: String,
    address: std::net::SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Receiver {
    /// A receiver that answers as `script` says and then as `then` does.
    pub(crate) async fn new(script: impl IntoIterator<Item = Answer>, then: Answer) -> Self {
        let script = script.into_iter().collect();
        let state = State { script, then: Some(then), ..State::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut receiver = Self {
            state: Arc::new(Mutex::new(state)),
            url: format!("http://{address}/in"),
            address,
            task: None,
        };
        receiver.listen(listener);
        receiver
    }

    fn listen(&mut self, listener: TcpListener) {
        let state = self.state.clone();
        self.task = Some(tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, state.clone()));
            }
        }));
    }

    /// Nobody listens any more; connections that are open stay so.
    pub(crate) fn down(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Listens again.
    pub(crate) async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.listen(listener);
    }

    /// Answers like this from now on.
    pub(crate) fn then(&self, answer: Answer) {
        self.state.lock().unwrap().then = Some(answer);
    }

    /// How many requests came in.
    pub(crate) fn seen(&self) -> usize {
        self.state.lock().unwrap().seen
    }

    /// The requests that were accepted.
    pub(crate) fn accepted(&self) -> Vec<Request> {
        self.state.lock().unwrap().accepted.clone()
    }

    /// The events that were accepted, as JSON lines.
    pub(crate) fn events(&self) -> Vec<Value> {
        let requests = self.accepted();
        let lines = requests.iter().flat_map(|request| request.body.lines());
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The places of the events that were accepted.
    pub(crate) fn places(&self) -> Vec<i64> {
        self.events().iter().map(|event| event["seq"].as_i64().unwrap()).collect()
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let answer = {
            let mut state = state.lock().unwrap();
            state.seen += 1;
            state.script.pop_front().or_else(|| state.then.clone()).unwrap()
        };
        let lines = request.body.lines().count();
        let (status, headers) = match answer {
            Answer::Accept => (200, ""),
            Answer::Status(status, headers) => (status, headers),
            Answer::Cut => return,
            Answer::Silence => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                return;
            }
            Answer::AtMost(most) => (if lines > most { 413 } else { 200 }, ""),
            Answer::Unless(text) => (if request.body.contains(&text) { 400 } else { 200 }, ""),
        };
        if status == 200 {
            state.lock().unwrap().accepted.push(request);
        }
        let text = format!("HTTP/1.1 {status} x\r\n{headers}content-length: 2\r\n\r\n{{}}");
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

pub(super) async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = match lower.contains("content-encoding: gzip") {
        true => {
            let mut text = String::new();
            GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
            text
        }
        false => String::from_utf8(body).unwrap(),
    };
    Some(Request { head, body })
}
