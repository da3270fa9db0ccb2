//! What this program does under its other names: it was started as one of them by `spawn`.

mod cable;
mod init;
mod service;

pub(crate) use cable::{TUN, make_card, open_tun};
pub use service::{Port, service};

/// Runs the role of that name, if it is one; then it does not return until the role ends.
///
/// To be called first thing in `main`, with `argv`.
#[must_use]
pub fn play(args: &[String]) -> Option<i32> {
    let (name, args) = args.split_first()?;
    match name.as_str() {
        "nestwork-init" => Some(init::run()),
        "nestwork-cable" => Some(cable::run()),
        "nestwork-serve" => Some(service::run(args)),
        _ => None,
    }
}
