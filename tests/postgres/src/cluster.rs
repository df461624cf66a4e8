use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{TestDatabase, programs};

/// Runs the server, restarts it when told so, and stops it and removes everything when nobody can
/// tell it anything any more. `$1` is the folder with the programs, `$2` the cluster's, the rest are
/// settings.
const KEEPER: &str = r#"
bin=$1; dir=$2; shift 2
start() { "$bin/postgres" -D "$dir/data" -k "$dir" "$@" >>"$dir/log" 2>&1 </dev/null & server=$!; }
start "$@"
while read -r order; do
    case $order in
        restart) kill -INT "$server"; wait "$server"; start "$@" ;;
        crash) kill -QUIT "$server"; wait "$server"; start "$@" ;;
        stop) kill -INT "$server"; wait "$server" ;;
        start) start "$@" ;;
    esac
    echo done
done
kill -INT "$server"; wait "$server"
rm -rf "$dir"
"#;

/// What a cluster does for its writes to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: a crash of the server may lose anything. Fast.
    None,
    /// As in production.
    Full,
}

/// A cluster of its own, which ends when this is dropped or the process ends.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    keeper: Child,
}

pub(crate) fn shared() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start(Durability::None))
}

impl Cluster {
    /// Makes and starts a cluster.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start(durability: Durability) -> Self {
        let programs = programs::folder();
        let folder = new_folder();
        let owner = Owner::of_the_server();
        if let Some(owner) = &owner {
            chown(&folder, Some(owner.uid), Some(owner.gid)).expect("the cluster's folder");
        }
        let as_owner = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&folder);
            if let Some(owner) = &owner {
                command.uid(owner.uid).gid(owner.gid);
            }
            command
        };
        let made = as_owner(&programs.join("initdb"))
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-N", "-E", "UTF8", "--locale=C"])
            .arg("-D")
            .arg(folder.join("data"))
            .output()
            .expect("initdb");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut settings = vec!["listen_addresses=", "shared_buffers=64MB", "max_connections=300"];
        if durability == Durability::None {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        }
        let keeper = as_owner(Path::new("/bin/sh"))
            .args(["-c", KEEPER, "keeper"])
            .args([&programs, &folder])
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        Self { folder, keeper }
    }

    /// A new, empty database.
    pub async fn database(&self) -> TestDatabase {
        TestDatabase::on_server(&self.url("postgres")).await
    }

    /// The URL of a database of the cluster.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}/{database}")
    }

    /// The socket that the server listens on.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// Restarts the server as an administrator does: open transactions are ended.
    pub fn restart(&mut self) {
        self.order("restart");
    }

    /// Restarts the server as after a crash: it recovers from its write-ahead log.
    pub fn crash(&mut self) {
        self.order("crash");
    }

    /// Stops the server.
    pub fn stop(&mut self) {
        self.order("stop");
    }

    /// Starts it again.
    pub fn resume(&mut self) {
        self.order("start");
    }

    fn order(&mut self, order: &str) {
        let keeper = self.keeper.stdin.as_mut().expect("the keeper's input");
        writeln!(keeper, "{order}").expect("the keeper");
        let mut done = [0; 5];
        let answers = self.keeper.stdout.as_mut().expect("the keeper's output");
        answers.read_exact(&mut done).expect("the keeper");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Whether it ended well interests nobody any more.
        let _ = self.keeper.wait();
    }
}

fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // Short: the path of a socket has about a hundred bytes.
    let folder = std::env::temp_dir().join(format!("sp-pg-{}-{number}", std::process::id()));
    // Of a process of the same id, long ago.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a temporary folder");
    folder
}

/// Who runs the server: it refuses to run as root.
struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// `None` when the process itself may.
    fn of_the_server() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        if uid.split_whitespace().nth(1) != Some("0") {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        ["postgres", "nobody"].into_iter().find_map(|name| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            Some(Self { uid, gid })
        })
    }
}
