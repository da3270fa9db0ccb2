//! One question and its answer.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::AskError;
use super::deadline::Deadline;
use super::listener::Service;

/// The body of the answer to a GET.
pub(super) fn get(
    service: &Service,
    path: &str,
    limit: usize,
    until: Deadline,
) -> Result<Vec<u8>, AskError> {
    let mut stream = open(service, until)?;
    stream.write_all(&wire::http::get(path))?;
    let mut answer = Vec::new();
    let mut part = vec![0; 64 << 10];
    loop {
        stream.set_read_timeout(Some(until.left()?))?;
        match stream.read(&mut part) {
            Ok(0) => return Ok(wire::http::body(&answer)?),
            Ok(length) if answer.len() + length > limit => return Err(AskError::TooLong(limit)),
            Ok(length) => answer.extend(part.iter().take(length)),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
}

fn open(service: &Service, until: Deadline) -> Result<UnixStream, AskError> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).map_err(io::Error::from)?;
    // It bounds connecting as well: a queue that is full is waited for.
    let left = until.left()?;
    set_socket_timeout(&socket, Timeout::Send, Some(left)).map_err(io::Error::from)?;
    let address = address(&service.file).map_err(io::Error::from)?;
    service.still_runs()?;
    connect(&socket, &address).map_err(io::Error::from)?;
    service.accepts(socket.as_fd())?;
    Ok(UnixStream::from(socket))
}

/// By descriptor: the file that was looked at is the one that is used, however long its path.
fn address(file: &OwnedFd) -> rustix::io::Result<SocketAddrUnix> {
    SocketAddrUnix::new(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
