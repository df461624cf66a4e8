//! A witness (C2SP tlog-witness) over code of others: notes by `signed_note`, proofs by `tlog_tiles`, and a
//! signature of its own making.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use signed_note::{Note, StandardVerifier, Verifier as _, VerifierList};
use tlog_tiles::Checkpoint;
use tlog_tiles::tlog::{Hash, check_tree};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) const NAME: &str = "witness.example/w1";

/// What a witness gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It signs something else than what it was given.
    OtherText,
    /// Another key signs.
    OtherKey,
    /// Its answer is no signature.
    Gibberish,
    /// Not now.
    Busy,
}

#[derive(Debug)]
struct State {
    key: SigningKey,
    now: u64,
    fault: Fault,
    /// The public key of each log that is known.
    logs: HashMap<String, String>,
    /// Size and root of what was cosigned last.
    seen: HashMap<String, (u64, Hash)>,
    /// The statuses of the answers.
    answers: Vec<u16>,
}

pub(crate) struct WitnessServer {
    state: Arc<Mutex<State>>,
    address: std::net::SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl WitnessServer {
    pub(crate) async fn new(seed: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            key: SigningKey::from_bytes(&[seed; 32]),
            now: 1_764_000_000,
            fault: Fault::None,
            logs: HashMap::new(),
            seen: HashMap::new(),
            answers: Vec::new(),
        };
        let mut server = Self { state: Arc::new(Mutex::new(state)), address, task: None };
        server.listen(listener);
        server
    }

    fn listen(&mut self, listener: TcpListener) {
        let state = self.state.clone();
        self.task = Some(tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                // One request a connection, so that none outlives the listener.
                let _ = serve(BufReader::new(stream), &state).await;
            }
        }));
    }

    pub(crate) fn down(&mut self) {
        self.task.take().unwrap().abort();
    }

    pub(crate) async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.listen(listener);
    }

    /// The submission prefix.
    pub(crate) fn prefix(&self) -> url::Url {
        format!("http://{}/some/where", self.address).parse().unwrap()
    }

    /// The verifier key.
    pub(crate) fn vkey(&self) -> String {
        vkey(&self.state.lock().unwrap().key)
    }

    /// Trusts the key of a log.
    pub(crate) fn know(&self, origin: &str, key: &str) {
        self.state.lock().unwrap().logs.insert(origin.to_owned(), key.to_owned());
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.state.lock().unwrap().fault = fault;
    }

    /// What was cosigned last of a log.
    pub(crate) fn seen(&self, origin: &str) -> u64 {
        self.state.lock().unwrap().seen.get(origin).map_or(0, |(size, _)| *size)
    }

    /// What the witness remembers of a log.
    pub(crate) fn remember(&self, origin: &str, size: u64, root: [u8; 32]) {
        self.state.lock().unwrap().seen.insert(origin.to_owned(), (size, Hash(root)));
    }

    pub(crate) fn answers(&self) -> Vec<u16> {
        self.state.lock().unwrap().answers.clone()
    }
}

fn vkey(key: &SigningKey) -> String {
    let mut bytes = vec![4];
    bytes.extend(key.verifying_key().to_bytes());
    let id = key_id(key);
    format!("{NAME}+{}+{}", hex::encode(id), STANDARD.encode(bytes))
}

fn key_id(key: &SigningKey) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(NAME)
        .chain_update([b'\n', 4])
        .chain_update(key.verifying_key().to_bytes())
        .finalize();
    digest[..4].try_into().unwrap()
}

/// A line of a signature.
fn cosign(key: &SigningKey, id: [u8; 4], now: u64, text: &str) -> String {
    let message = format!("cosignature/v1\ntime {now}\n{text}");
    let mut bytes = id.to_vec();
    bytes.extend(now.to_be_bytes());
    bytes.extend(key.sign(message.as_bytes()).to_bytes());
    format!("\u{2014} {NAME} {}\n", STANDARD.encode(bytes))
}

async fn serve(mut stream: BufReader<TcpStream>, state: &Mutex<State>) -> Option<()> {
    let (mut path, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let lower = line.to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("POST ") {
            path = rest.split(' ').next().map(str::to_owned);
        } else if let Some(rest) = lower.strip_prefix("content-length: ") {
            length = rest.trim().parse().ok()?;
        } else if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let (status, kind, text) = match path.as_deref() {
        Some("/some/where/add-checkpoint") => {
            let mut state = state.lock().unwrap();
            let answer = state.add_checkpoint(std::str::from_utf8(&body).unwrap());
            state.answers.push(answer.0);
            answer
        }
        _ => (405, "text/plain", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all((head + &text).as_bytes()).await.ok()
}

impl State {
    /// Status, type and body, in the order of the specification's checks.
    fn add_checkpoint(&mut self, body: &str) -> (u16, &'static str, String) {
        let plain = |status: u16| (status, "text/plain", String::new());
        if self.fault == Fault::Busy {
            return plain(503);
        }
        let (head, note) = body.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let old: u64 = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
        let proof: Vec<_> =
            lines.map(|line| Hash(STANDARD.decode(line).unwrap().try_into().unwrap())).collect();
        assert!(proof.len() <= 63);
        let note = Note::from_bytes(note.as_bytes()).unwrap();
        let checkpoint = Checkpoint::from_bytes(note.text()).unwrap();
        let origin = checkpoint.origin().to_owned();
        let Some(key) = self.logs.get(&origin) else { return plain(404) };
        let verifier = StandardVerifier::new(key).unwrap();
        assert_eq!(verifier.name(), key.split('+').next().unwrap());
        if note.verify(&VerifierList::new(vec![Box::new(verifier)])).is_err() {
            return plain(403);
        }
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        if old > size {
            return plain(400);
        }
        let (seen, seen_root) = self.seen.get(&origin).copied().unwrap_or((0, Hash([0; 32])));
        if old != seen {
            return (409, "text/x.tlog.size", format!("{seen}\n"));
        }
        let consistent = match old {
            0 => proof.is_empty(),
            _ if old == size && root != seen_root => return plain(409),
            _ if old == size => proof.is_empty(),
            _ => check_tree(&proof, size, root, old, seen_root).is_ok(),
        };
        if !consistent {
            return plain(422);
        }
        self.seen.insert(origin, (size, root));
        self.now += 1;
        let text = std::str::from_utf8(note.text()).unwrap();
        let (id, stranger) = (key_id(&self.key), SigningKey::from_bytes(&[99; 32]));
        // Somebody else's comes along.
        let mut lines = cosign(&stranger, key_id(&stranger), self.now, text);
        lines.push_str(&match self.fault {
            Fault::None | Fault::Busy => cosign(&self.key, id, self.now, text),
            Fault::OtherText => cosign(&self.key, id, self.now, "another\n1\n"),
            Fault::OtherKey => cosign(&stranger, id, self.now, text),
            Fault::Gibberish => "thank you\n".to_owned(),
        });
        (200, "text/plain", lines)
    }
}
