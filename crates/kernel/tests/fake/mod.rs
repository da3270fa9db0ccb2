//! Engines that are none: this test program under an engine's name, answering as it is told.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::space::{Space, last_child};

/// How a fake answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// What it has for that path, in chunks.
    Well,
    /// The same, one byte at a time and each after a while.
    Dripping,
    /// Not at all.
    Silent,
    /// With more and more.
    Endless,
    /// With what is not HTTP.
    Garbage,
    /// It does not answer itself: another process that it starts does, by the same socket.
    Manager,
}

impl Manner {
    const ALL: [Self; 6] =
        [Self::Well, Self::Dripping, Self::Silent, Self::Endless, Self::Garbage, Self::Manager];
}

/// A process under an engine's name (or another), with a socket. It ends when this is dropped.
pub(crate) struct Fake {
    child: Child,
    folder: PathBuf,
    /// PID of the fake itself.
    pub(crate) pid: u32,
}

impl Fake {
    /// In `space`, called `name`, with those answers by path.
    pub(crate) fn new(
        space: &Space,
        name: &str,
        manner: Manner,
        answers: &[(&str, String)],
    ) -> Self {
        Self::listening("docker.sock", space, name, manner, answers)
    }

    /// The same, with a socket of that name.
    pub(crate) fn listening(
        socket: &str,
        space: &Space,
        name: &str,
        manner: Manner,
        answers: &[(&str, String)],
    ) -> Self {
        let folder = folder();
        let program = folder.join(name);
        std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &program).unwrap();
        for (path, answer) in answers {
            std::fs::write(folder.join(file_name(path)), answer).unwrap();
        }
        let mut command = Command::new("nsenter");
        command.args(["-t", &space.pid.to_string(), "-n", "-m", "-p"]).arg(&program);
        // The last word is what Podman's service is known by.
        command.args([&format!("{manner:?}"), folder.to_str().unwrap(), socket, "service"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let pid = last_child(child.id());
        Self { child, folder, pid }
    }

    /// How many connections it has seen.
    pub(crate) fn seen(&self) -> usize {
        std::fs::read(self.folder.join("seen")).map_or(0, |seen| seen.len())
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    /// What it holds ends, and its socket's file stays.
    pub(crate) fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let time = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let folder = std::env::temp_dir().join(format!("nestwork-ask-{time}-{n}"));
    std::fs::create_dir(&folder).unwrap();
    folder
}

fn file_name(path: &str) -> String {
    path.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// Is a fake, if this program was started as one.
pub(crate) fn play() -> bool {
    let mut args = std::env::args().skip(1);
    let word = args.next().unwrap_or_default();
    let Some(manner) = Manner::ALL.into_iter().find(|m| format!("{m:?}") == word) else {
        return false;
    };
    let folder = PathBuf::from(args.next().unwrap());
    let socket = folder.join(args.next().unwrap());
    match manner {
        Manner::Manager => manage(&folder, &socket),
        _ => serve(manner, &folder, listener(&socket)),
    }
    true
}

/// The socket that a manager left in descriptor 0, or one of its own.
fn listener(socket: &Path) -> UnixListener {
    let given = std::io::stdin();
    let is_socket = std::fs::read_link("/proc/self/fd/0")
        .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
    match is_socket {
        true => rustix::io::dup(&given).unwrap().into(),
        false => UnixListener::bind(socket).unwrap(),
    }
}

/// As systemd does: the socket is made here, and the engine is given it. A line on the input ends
/// the engine; the socket stays.
fn manage(folder: &Path, socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    let program = folder.join("dockerd");
    std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &program).unwrap();
    let given = OwnedFd::from(listener.try_clone().unwrap());
    let mut engine = Command::new(program);
    engine
        .args([OsStr::new("Well"), folder.as_os_str(), socket.as_os_str()])
        .stdin(Stdio::from(given));
    let mut engine = engine.stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(engine.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    engine.kill().unwrap();
    engine.wait().unwrap();
    std::fs::write(folder.join("stopped"), "").unwrap();
    // Whoever comes now wakes the engine.
    let woken = folder.to_owned();
    std::thread::spawn(move || {
        while listener.accept().is_ok() {
            note(&woken);
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn serve(manner: Manner, folder: &Path, listener: UnixListener) {
    let at = folder.to_owned();
    println!("ready");
    let work = move || {
        for stream in listener.incoming() {
            note(&at);
            // A reader that hangs up early is none of its business.
            let _ = answer(manner, &at, stream.unwrap());
        }
    };
    let given = std::fs::read_link("/proc/self/fd/0").unwrap();
    if given.to_string_lossy().starts_with("socket:") {
        work();
    } else {
        std::thread::spawn(work);
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }
}

fn note(folder: &Path) {
    let mut seen =
        std::fs::File::options().create(true).append(true).open(folder.join("seen")).unwrap();
    seen.write_all(b"x").unwrap();
}

fn answer(manner: Manner, folder: &Path, mut stream: UnixStream) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default();
    let Ok(body) = std::fs::read_to_string(folder.join(file_name(path))) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    let (first, rest) = body.split_at(body.len() / 2);
    let mut whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for part in [first, rest].iter().filter(|p| !p.is_empty()) {
        whole += &format!("{:x}\r\n{part}\r\n", part.len());
    }
    whole += "0\r\n\r\n";
    match manner {
        Manner::Dripping => {
            for byte in whole.bytes() {
                stream.write_all(&[byte])?;
                std::thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        Manner::Silent => stream.read_to_end(&mut Vec::new()).map(drop),
        Manner::Endless => loop {
            stream.write_all(&[b' '; 4096])?;
        },
        Manner::Garbage => stream.write_all(b"\x1b[31m\xff not what you think\r\n\r\n"),
        Manner::Well | Manner::Manager => stream.write_all(whole.as_bytes()),
    }
}

/// Tells a manager to end its engine, and waits until it has.
pub(crate) fn end_engine(manager: &mut Fake) {
    manager.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    while !manager.folder.join("stopped").exists() {
        std::thread::yield_now();
    }
}
