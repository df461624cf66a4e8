use std::process::{ExitStatus, Stdio};
use std::{fmt, io};

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::{FilteredOutput, ProcessError, ProcessSpec, descriptors};
use crate::inject::Injection;

/// A running process and its three pipes.
///
/// When its [`life`](Self::life) is dropped, the process is killed, and with it what it started and left
/// in its process group.
#[derive(Debug)]
pub struct ChildProcess {
    /// What it reads.
    pub stdin: ChildStdin,
    /// What it writes, without the secrets it was given.
    pub stdout: FilteredOutput<ChildStdout>,
    /// What it writes about itself, without the secrets it was given.
    pub stderr: FilteredOutput<ChildStderr>,
    /// The process itself.
    pub life: ChildLife,
}

/// A process and the group of those it started.
pub struct ChildLife {
    child: Child,
    group: Option<Group>,
}

impl ProcessSpec {
    /// Starts the program.
    ///
    /// Its environment holds the variables that are declared for the server of `injection` and no other;
    /// it inherits nothing but its three pipes; it leads a process group of its own.
    ///
    /// # Errors
    /// [`ProcessError`] when a secret is refused or the system does not start it.
    pub async fn spawn(&self, injection: &Injection) -> Result<ChildProcess, ProcessError> {
        let variables = injection.variables().await?;
        let settings = self.settings();
        let mut command = Command::new(&settings.program);
        command
            .args(&settings.arguments)
            .env_clear()
            .envs(variables.iter().map(|variable| (&variable.name, variable.value.as_str())))
            .current_dir(&settings.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        #[cfg(unix)]
        if let Some(user) = settings.user {
            command.uid(user.uid).gid(user.gid);
        }
        let start =
            |kind| ProcessError::Start { program: settings.program.display().to_string(), kind };
        descriptors::keep_from_children();
        let mut child = command.spawn().map_err(|error| start(error.kind()))?;
        let group = child.id().and_then(Group::led_by);
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let life = ChildLife { child, group };
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(start(io::ErrorKind::BrokenPipe));
        };
        let filter = injection.filter();
        Ok(ChildProcess {
            stdin,
            stdout: FilteredOutput::new(stdout, &filter),
            stderr: FilteredOutput::new(stderr, &filter),
            life,
        })
    }
}

impl ChildLife {
    /// The number of the process, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the end of the process, and ends what it left in its group.
    ///
    /// # Errors
    /// The error of the operating system.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        // At once: the number of a group that is empty is given to others some time.
        self.kill_group();
        status
    }

    /// Kills the process and its group, and waits for the end of the process.
    ///
    /// # Errors
    /// The error of the operating system.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.kill_group();
        self.child.kill().await
    }

    fn kill_group(&mut self) {
        if let Some(group) = self.group.take() {
            group.kill();
        }
    }
}

impl Drop for ChildLife {
    fn drop(&mut self) {
        self.kill_group();
    }
}

impl fmt::Debug for ChildLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildLife").field("id", &self.child.id()).finish_non_exhaustive()
    }
}

/// The process group that a child leads.
#[cfg(unix)]
struct Group(rustix::process::Pid);

#[cfg(unix)]
impl Group {
    fn led_by(id: u32) -> Option<Self> {
        i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw).map(Self)
    }

    fn kill(self) {
        // An error says that there is nobody left to kill.
        let _ = rustix::process::kill_process_group(self.0, rustix::process::Signal::KILL);
    }
}

/// Other systems have no groups; the child alone is killed.
#[cfg(not(unix))]
struct Group;

#[cfg(not(unix))]
impl Group {
    fn led_by(_: u32) -> Option<Self> {
        None
    }

    fn kill(self) {}
}
