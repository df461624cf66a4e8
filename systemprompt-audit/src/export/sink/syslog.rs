use std::io;
use std::ops::Range;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::{Attempt, tls};
use crate::export::batch::Batch;
use crate::export::settings::SyslogAddress;

/// How long connecting or writing may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A syslog receiver.
#[derive(Debug)]
pub(in crate::export) struct SyslogSink {
    address: SyslogAddress,
    connection: Option<Connection>,
}

#[derive(Debug)]
enum Connection {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(unix)]
    Unix(tokio::net::UnixDatagram),
}

impl SyslogSink {
    pub(in crate::export) fn new(address: SyslogAddress) -> Self {
        Self { address, connection: None }
    }

    pub(in crate::export) async fn send(&mut self, batch: &Batch, lines: Range<usize>) -> Attempt {
        let sent = match timeout(PATIENCE, self.try_send(batch, lines)).await {
            Ok(sent) => sent,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        match sent {
            Ok(()) => Attempt::Arrived,
            Err(error) if is_too_long(&error) => Attempt::TooLarge,
            Err(error) => {
                self.connection = None;
                Attempt::later(error)
            }
        }
    }

    async fn try_send(&mut self, batch: &Batch, lines: Range<usize>) -> io::Result<()> {
        if let Some(connection) = &mut self.connection
            && connection.has_ended().await
        {
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.address).await?,
        };
        match self.connection.insert(connection) {
            Connection::Udp(socket) => {
                for line in batch.lines(lines) {
                    socket.send(line).await?;
                }
            }
            #[cfg(unix)]
            Connection::Unix(socket) => {
                for line in batch.lines(lines) {
                    socket.send(line).await?;
                }
            }
            Connection::Tcp(stream) => write(stream, &frames(batch, lines)).await?,
            Connection::Tls(stream) => write(stream, &frames(batch, lines)).await?,
        }
        Ok(())
    }
}

impl Connection {
    /// Whether the receiver has closed it, as far as that is known here.
    async fn has_ended(&mut self) -> bool {
        match self {
            Self::Tcp(stream) => has_ended(stream).await,
            Self::Tls(stream) => has_ended(stream).await,
            Self::Udp(_) => false,
            #[cfg(unix)]
            Self::Unix(_) => false,
        }
    }
}

/// Each line behind its length (RFC 6587 section 3.4.1, RFC 5425 section 4.3).
fn frames(batch: &Batch, lines: Range<usize>) -> Vec<u8> {
    let mut frames = Vec::with_capacity(batch.size(&lines) + lines.len() * 6);
    for line in batch.lines(lines) {
        frames.extend_from_slice(format!("{} ", line.len()).as_bytes());
        frames.extend_from_slice(line);
    }
    frames
}

async fn write(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    frames: &[u8],
) -> io::Result<()> {
    stream.write_all(frames).await?;
    stream.flush().await?;
    if has_ended(stream).await {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(())
}

async fn connect(address: &SyslogAddress) -> io::Result<Connection> {
    match address {
        SyslogAddress::Tcp(address) => Ok(Connection::Tcp(TcpStream::connect(address).await?)),
        SyslogAddress::Tls { address, ca } => {
            Ok(Connection::Tls(Box::new(tls::connect(address, ca.as_deref()).await?)))
        }
        SyslogAddress::Udp(address) => {
            let mut problem = io::Error::from(io::ErrorKind::AddrNotAvailable);
            for address in tokio::net::lookup_host(address).await? {
                let any = if address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
                let socket = UdpSocket::bind(any).await?;
                match socket.connect(address).await {
                    Ok(()) => return Ok(Connection::Udp(socket)),
                    Err(error) => problem = error,
                }
            }
            Err(problem)
        }
        #[cfg(unix)]
        SyslogAddress::Unix(path) => {
            let socket = tokio::net::UnixDatagram::unbound()?;
            socket.connect(path)?;
            Ok(Connection::Unix(socket))
        }
        #[cfg(not(unix))]
        SyslogAddress::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Whether the receiver has closed the connection, as far as that is known here. Receivers say nothing.
async fn has_ended(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut nothing = [0; 64];
    loop {
        // What is there is read; what is not is not waited for.
        match timeout(Duration::ZERO, stream.read(&mut nothing)).await {
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(_)) => {}
            Err(_) => return false,
        }
    }
}

/// Whether a datagram was longer than its way allows (EMSGSIZE, of which the standard library does not
/// make a kind of its own).
fn is_too_long(error: &io::Error) -> bool {
    const EMSGSIZE: i32 = if cfg!(target_os = "linux") { 90 } else { 40 };
    error.raw_os_error() == Some(EMSGSIZE)
}
