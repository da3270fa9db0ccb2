//! What this reader cannot see, said once.

use std::collections::BTreeSet;

use model::Warning;
use rustix::fs::stat;

use super::descriptor::Held;
use super::process::{Processes, Seen};
use super::warning;

/// Inode of the first PID namespace of every kernel.
const INITIAL_PID_NS: u64 = 0xefff_fffc;

/// Adds a warning for each way in which the view is partial.
pub(super) fn partial(processes: &Processes, held: &Held, warnings: &mut Vec<Warning>) {
    let mut say = |text: String| warnings.push(warning(format!("the view is partial: {text}")));
    let first = |s: &Seen| s.process.pid == 1;
    if processes.mute > 0 || !processes.seen.iter().any(first) {
        say("/proc hides other users' processes (hidepid)".to_owned());
    }
    let denied = processes.seen.iter().filter(|p| p.denied).count();
    if denied > 0 {
        let whose = counted(denied);
        say(format!("the namespaces of {whose} may not be looked at (CAP_SYS_PTRACE)"));
    }
    if !held.denied.is_empty() {
        let whose = counted(held.denied.len());
        say(format!(
            "open descriptors of {whose} may not be looked at (CAP_SYS_PTRACE, CAP_NET_ADMIN); a \
             namespace that nothing else holds is not seen"
        ));
    }
    if !held.spared.is_empty() {
        let whose = counted(held.spared.len());
        say(format!(
            "sockets of {whose} were left alone, since a look would change the class that their \
             cgroup gives them (net_cls, net_prio)"
        ));
    }
    if !held.waiting.is_empty() {
        let count: u32 = held.waiting.values().map(|(_, count)| count).sum();
        let whom = whom(held.waiting.values().map(|(pid, _)| *pid).collect());
        let many =
            if count == 1 { "1 descriptor".to_owned() } else { format!("{count} descriptors") };
        say(format!(
            "{many} sent over sockets (to {whom}) and not yet received cannot be \
             looked at; a namespace that nothing else holds is not seen"
        ));
    }
    if stat("/proc/self/ns/pid").is_ok_and(|s| s.st_ino != INITIAL_PID_NS) {
        say("this is not the host's PID namespace; processes outside it are not seen".to_owned());
    }
}

/// Processes by their PIDs, or the first of many.
fn whom(pids: BTreeSet<u32>) -> String {
    const MOST: usize = 5;
    let first: Vec<String> = pids.iter().take(MOST).map(|pid| format!("PID {pid}")).collect();
    let rest = if pids.len() > MOST { ", …" } else { "" };
    first.join(", ") + rest
}

fn counted(processes: usize) -> String {
    if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") }
}
