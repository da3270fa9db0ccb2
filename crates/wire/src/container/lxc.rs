//! LXC's own configuration of a container, and Proxmox VE's.

/// What LXC's configuration tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Its host name (`lxc.uts.name`, before LXC 3 `lxc.utsname`).
    pub hostname: Option<String>,
    /// It was written by Proxmox VE.
    pub proxmox: bool,
}

/// Reads /var/lib/lxc/NAME/config (lxc.container.conf(5)).
#[must_use]
pub fn config(text: &str) -> Config {
    let mut config = Config::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        match key.trim() {
            "lxc.uts.name" | "lxc.utsname" => config.hostname = Some(value.to_owned()),
            // Proxmox' own hooks (pve-container, `update_lxc_config`).
            _ if value.contains("/lxc-pve-") || value.ends_with("/lxcnetaddbr") => {
                config.proxmox = true;
            }
            _ => {}
        }
    }
    config
}

/// The host name in /etc/pve/lxc/VMID.conf (pct.conf(5)). Sections behind the first are snapshots
/// of former times.
#[must_use]
pub fn proxmox_hostname(text: &str) -> Option<String> {
    let now = text.lines().take_while(|line| !line.starts_with('['));
    let mut names = now.filter_map(|line| line.strip_prefix("hostname:"));
    names.next().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lxc_s_config() {
        let text = "# x = y\nlxc.uts.name = docker01\nlxc.net.0.type = veth\n";
        let wanted = Config { hostname: Some("docker01".into()), proxmox: false };
        assert_eq!(config(text), wanted);
        // Proxmox VE 8, shortened.
        let pve = "lxc.cgroup.relative = 0\nlxc.uts.name = docker01\nlxc.hook.pre-start = \
                   /usr/share/lxc/hooks/lxc-pve-prestart-hook\n\
                   lxc.net.0.script.up = /usr/share/lxc/lxcnetaddbr\n";
        assert!(config(pve).proxmox);
    }

    #[test]
    fn proxmox_config() {
        let text = "#hostname: no\narch: amd64\nfeatures: nesting=1\nhostname: docker01\n\
                    net0: name=eth0,bridge=vmbr0\n\n[before]\nhostname: old\n";
        assert_eq!(proxmox_hostname(text).as_deref(), Some("docker01"));
        assert_eq!(proxmox_hostname("[before]\nhostname: old\n"), None);
    }
}
