//! A host that answers: TCP ports that accept, say one line and close, and UDP ports that send
//! back what comes.

use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::str::FromStr;

use model::ServiceSpec;
use rustix::event::{PollFd, PollFlags, poll};

use crate::sys;

/// One port that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Accepts, says one line, closes.
    Tcp(u16),
    /// Sends back what comes.
    UdpEcho(u16),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(n) => write!(f, "tcp:{n}"),
            Self::UdpEcho(n) => write!(f, "udp:{n}"),
        }
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("not a port: {text:?} (tcp:80 or udp:7)");
        let (kind, number) = text.split_once(':').ok_or_else(bad)?;
        let number = number.parse().map_err(|_| bad())?;
        match kind {
            "tcp" => Ok(Self::Tcp(number)),
            "udp" => Ok(Self::UdpEcho(number)),
            _ => Err(bad()),
        }
    }
}

/// What a process that was started with these arguments answers.
#[must_use]
pub fn service(args: &[String]) -> ServiceSpec {
    let mut spec = ServiceSpec::default();
    for port in args.iter().filter_map(|arg| arg.parse().ok()) {
        match port {
            Port::Tcp(n) => spec.tcp.push(n),
            Port::UdpEcho(n) => spec.udp_echo.push(n),
        }
    }
    spec
}

enum Socket {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

/// A socket on all addresses, IPv4 ones included; IPv4 only where the kernel has no IPv6.
fn open(port: Port) -> io::Result<Socket> {
    let any =
        |n| [SocketAddr::from((Ipv6Addr::UNSPECIFIED, n)), SocketAddr::from(([0, 0, 0, 0], n))];
    Ok(match port {
        Port::Tcp(n) => {
            let socket = TcpListener::bind(&any(n)[..])?;
            socket.set_nonblocking(true)?;
            Socket::Tcp(socket)
        }
        Port::UdpEcho(n) => {
            let socket = UdpSocket::bind(&any(n)[..])?;
            socket.set_nonblocking(true)?;
            // Else an answer would come from whatever address the route back suggests.
            sys::tell_destinations(socket.as_fd(), socket.local_addr()?.is_ipv6())?;
            Socket::Udp(socket)
        }
    })
}

/// Arguments are the ports. Descriptor 3 is the network namespace to answer in, 4 a pipe: one byte
/// is written to it when all ports are open, or the error.
pub(super) fn run(args: &[String]) -> i32 {
    let Some(report) = sys::inherited(4) else { return 1 };
    match open_all(args) {
        Ok(sockets) => {
            let _ = rustix::io::write(&report, b".");
            drop(report);
            answer(&sockets)
        }
        Err(e) => {
            let _ = rustix::io::write(&report, e.to_string().as_bytes());
            1
        }
    }
}

fn open_all(args: &[String]) -> io::Result<Vec<Socket>> {
    let net = sys::inherited(3).ok_or(io::ErrorKind::InvalidInput)?;
    sys::setns(net.as_fd(), sys::Spaces::NET)?;
    args.iter()
        .map(|arg| {
            let port: Port = arg.parse().map_err(io::Error::other)?;
            open(port).map_err(|e| io::Error::other(format!("port {port}: {e}")))
        })
        .collect()
}

fn answer(sockets: &[Socket]) -> i32 {
    let mut buffer = vec![0; 65_536];
    loop {
        let mut polls: Vec<PollFd<'_>> = sockets
            .iter()
            .map(|s| match s {
                Socket::Tcp(s) => PollFd::new(s, PollFlags::IN),
                Socket::Udp(s) => PollFd::new(s, PollFlags::IN),
            })
            .collect();
        if poll(&mut polls, None).is_err() {
            continue;
        }
        let ready: Vec<bool> = polls.iter().map(|p| !p.revents().is_empty()).collect();
        for (socket, _) in sockets.iter().zip(ready).filter(|(_, ready)| *ready) {
            serve(socket, &mut buffer);
        }
    }
}

/// Answers what waits. A caller that goes away in between is its own affair.
fn serve(socket: &Socket, buffer: &mut [u8]) {
    match socket {
        Socket::Tcp(listener) => {
            while let Ok((mut stream, from)) = listener.accept() {
                let _ = writeln!(stream, "hello {}", from.ip().to_canonical());
            }
        }
        Socket::Udp(socket) => {
            // One that cannot be answered does not keep the next from it.
            loop {
                match sys::echo(socket.as_fd(), buffer) {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                    Ok(()) | Err(_) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read() {
        let args = [Port::Tcp(80), Port::UdpEcho(7), Port::Tcp(81)].map(|port| port.to_string());
        let spec = ServiceSpec { tcp: vec![80, 81], udp_echo: vec![7] };
        assert_eq!(service(&args), spec);
        assert_eq!(service(&["sctp:80", "tcp:x", "80"].map(str::to_owned)), ServiceSpec::default());
    }
}
