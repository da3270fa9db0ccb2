//! Where cgroups of version 1 class the packets of sockets (net_cls, net_prio), a socket takes on
//! the class of whoever is handed a descriptor of it. A look at somebody's socket must not change
//! that: sockets of processes in another class than the reader's are left alone.

/// The reader's class: what /proc/PID/cgroup says of these two.
#[derive(Debug)]
pub(super) struct NetClass(Vec<String>);

impl NetClass {
    /// That of this program.
    pub(super) fn of_reader() -> Self {
        Self(read("self"))
    }

    /// Whether a process is in another class, or may be.
    pub(super) fn differs(&self, pid: u32) -> bool {
        // On a host without these two, and that is nearly every one, nothing has to be read.
        !self.0.is_empty() && self.0 != read(&pid.to_string())
    }
}

fn read(pid: &str) -> Vec<String> {
    classes(&std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default())
}

/// `3:net_cls,net_prio:/docker/4f…`, of the lines of /proc/PID/cgroup.
fn classes(text: &str) -> Vec<String> {
    let names = |line: &str| {
        let controllers = line.split(':').nth(1).unwrap_or_default();
        controllers.split(',').any(|c| matches!(c, "net_cls" | "net_prio"))
    };
    text.lines().filter(|l| names(l)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_told_where_there_are_any() {
        let text = "9:name=systemd:/\n3:net_cls,net_prio:/docker/4f\n0::/net_cls\n";
        assert_eq!(classes(text), ["3:net_cls,net_prio:/docker/4f"]);
        assert!(classes("0::/user.slice\n").is_empty());
        assert!(!NetClass(Vec::new()).differs(1));
        assert!(NetClass(classes(text)).differs(std::process::id()));
    }
}
