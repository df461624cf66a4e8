//! Servers in processes of their own, so that their CPU and memory can be told apart.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use systemprompt::extension::TypedExtensionRegistry;
use systemprompt::models::SystemClock;
use systemprompt::runtime::{
    App, Config, CredentialsBootstrap, Environment, ProfileBootstrap, SecretsBootstrap,
    first_start, starter_profile,
};
use tokio::net::TcpListener;

/// Ticks of `/proc/<pid>/stat` per second; fixed at 100 for user space on Linux.
const TICKS: u64 = 100;

/// A server in a process of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    addr: SocketAddr,
}

impl Running {
    /// Runs this program again with `--serve kind` and the variables, and waits for the line in which it
    /// says its address.
    ///
    /// # Errors
    /// When it does not start, or says something else.
    pub fn start<V: AsRef<OsStr>>(
        kind: &str,
        variables: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", kind])
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let addr = line.trim().parse().map_err(|_| format!("`{kind}` said `{}`", line.trim()))?;
        Ok(Self { child, addr })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// CPU time used so far, user and system.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit_once(") ").ok_or("unknown form of stat")?.1;
        let ticks: u64 =
            fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS))
    }

    /// Resident memory.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_mib(&self) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Serves the installation in the folder `data`, made where there is none, and says its address in a line.
///
/// # Errors
/// When the installation cannot be started or served.
pub async fn serve_installation(listener: TcpListener, data: &Path) -> Result<(), Box<dyn Error>> {
    let addr = listener.local_addr()?;
    let profile = ProfileBootstrap::load(starter_profile(data)?, Environment::from_process())?
        .with_data_folder(data);
    let credentials = CredentialsBootstrap::prepare(SecretsBootstrap::resolve(profile)?)?;
    let config = Config::validate(credentials)?;
    let extensions = TypedExtensionRegistry::discover()?;
    first_start(&config, &extensions, SystemClock::shared()).await?;
    let app = App::builder().extensions(extensions).config(config).start().await?;
    println!("{addr}");
    Ok(app.serve(listener).await?)
}
