//! What systemd-machined keeps of a machine: /run/systemd/machines/NAME.

/// A registered machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// PID of its first process, as machined sees it.
    pub leader: Option<u32>,
    /// What registered it: `systemd-nspawn`, `libvirt-lxc`, …
    pub service: Option<String>,
}

/// Reads the file: assignments as of a shell.
#[must_use]
pub fn machine(text: &str) -> Machine {
    let mut machine = Machine::default();
    for line in text.lines() {
        match line.split_once('=') {
            Some(("LEADER", pid)) => machine.leader = pid.trim().parse().ok(),
            Some(("SERVICE", name)) => machine.service = Some(name.trim_matches('"').to_owned()),
            _ => {}
        }
    }
    machine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine() {
        // systemd 252: machine_save().
        let text = "# This is private data. Do not parse.\nNAME=box\nSCOPE=machine-box.scope\n\
                    SERVICE=systemd-nspawn\nROOT=/var/lib/machines/box\nLEADER=4711\nCLASS=container\n";
        let wanted = Machine { leader: Some(4711), service: Some("systemd-nspawn".into()) };
        assert_eq!(machine(text), wanted);
        assert_eq!(machine("LEADER=-1\nx"), Machine::default());
    }
}
