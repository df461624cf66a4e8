use std::error::Error as _;
use std::io;

use tokio_rustls::rustls;

use super::resolver::Unconnectable;
use super::{UpstreamErrorKind, Waited};

/// What went wrong before the answer began. The texts of the error are left behind: they may hold the
/// address, and what the provider wrote.
pub(super) fn before_answer(error: &reqwest::Error) -> UpstreamErrorKind {
    if error.is_builder() {
        return UpstreamErrorKind::Unsendable { field: "the request".to_owned() };
    }
    let connecting = error.is_connect();
    if let Some(cause) = cause(error) {
        return match cause {
            Cause::Kind(kind) => kind,
            Cause::Timeout if connecting => UpstreamErrorKind::Timeout(Waited::Connect),
            Cause::Timeout | Cause::Broken => UpstreamErrorKind::Reset,
            // HTTP has other errors for what it cannot read; this is what TLS says, of which HTTP/2
            // keeps no more than the kind.
            Cause::Garbled => UpstreamErrorKind::Tls,
        };
    }
    match connecting {
        true if error.is_timeout() => UpstreamErrorKind::Timeout(Waited::Connect),
        true => UpstreamErrorKind::Unreachable,
        false => UpstreamErrorKind::Reset,
    }
}

/// What went wrong within the answer.
pub(super) fn within_answer(error: &reqwest::Error) -> UpstreamErrorKind {
    match cause(error) {
        Some(Cause::Kind(kind @ (UpstreamErrorKind::Protocol | UpstreamErrorKind::Tls))) => kind,
        // Lengths of chunks that are no lengths.
        Some(Cause::Garbled) => UpstreamErrorKind::Protocol,
        _ => UpstreamErrorKind::CutOff,
    }
}

enum Cause {
    Kind(UpstreamErrorKind),
    Timeout,
    Broken,
    Garbled,
}

/// The first error of the chain that says what it is.
fn cause(error: &reqwest::Error) -> Option<Cause> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(unconnectable) = error.downcast_ref::<Unconnectable>() {
            return Some(Cause::Kind(match unconnectable {
                Unconnectable::Blocked => UpstreamErrorKind::BlockedAddress,
                Unconnectable::Unresolved => UpstreamErrorKind::Unreachable,
            }));
        }
        if error.is::<rustls::Error>() {
            return Some(Cause::Kind(UpstreamErrorKind::Tls));
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return Some(Cause::Kind(UpstreamErrorKind::Protocol));
        }
        if let Some(cause) = error.downcast_ref::<io::Error>().and_then(io_cause) {
            return Some(cause);
        }
        next = error.source();
    }
    None
}

fn io_cause(error: &io::Error) -> Option<Cause> {
    // `source` passes by what an `io::Error` holds, and goes to the source of that.
    let held = error.get_ref();
    if held.is_some_and(|held| held.is::<rustls::Error>()) {
        return Some(Cause::Kind(UpstreamErrorKind::Tls));
    }
    if let Some(cause) = held.and_then(|held| held.downcast_ref()).and_then(io_cause) {
        return Some(cause);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => Some(Cause::Kind(UpstreamErrorKind::Unreachable)),
        io::ErrorKind::TimedOut => Some(Cause::Timeout),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(Cause::Broken),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Some(Cause::Garbled),
        _ => None,
    }
}
