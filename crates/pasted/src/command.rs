//! Which command a file is the output of: by its name, or by a first line `$ command`.

/// A command whose output can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `ip link` or `ip addr`; both tell both.
    Links {
        addresses: bool,
        filter: Filter,
    },
    /// `ip -br link` or `ip -br addr`.
    Brief {
        addresses: bool,
        filter: Filter,
    },
    Routes(Filter),
    Rules(Filter),
    Neighbours(Filter),
    Fdb(Filter),
    /// `bridge link`.
    Ports,
    /// `iptables-save`, or `iptables -S` of a table.
    Save {
        table: Option<String>,
    },
    /// `iptables -L` of a table.
    Listing {
        table: String,
    },
    /// `nft list ruleset`; of one table only, it does not tell that there are no others.
    Nft {
        whole: bool,
    },
    /// `ipset save` or `ipset list`.
    IpSets,
    /// `lsns`.
    Lsns,
    /// `ip netns list-id`.
    NsIds,
    /// `ip netns`.
    NetNs,
    /// One setting, by its path below /proc/sys.
    Setting(String),
    /// `sysctl`, or `grep` of /proc/sys.
    Settings,
    /// `tc qdisc`.
    Qdiscs,
    /// `ip xfrm policy`.
    Ipsec,
    /// /proc/net/ip_vs.
    Ipvs,
    /// `hostname`.
    HostName,
    /// What `collect --script` found out about a namespace itself.
    About,
    /// /proc/net/ip_tables_names: iptables-legacy's tables.
    LegacyTables,
}

/// Which part of the whole a command asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// `dev X`: then the lines do not name it.
    pub(crate) dev: Option<String>,
    /// `br X` or `master X`.
    pub(crate) bridge: Option<String>,
    /// A table of routes, or `all`.
    pub(crate) table: Option<String>,
    /// Only some, chosen otherwise.
    pub(crate) some: bool,
    /// Address family: 4 or 6.
    pub(crate) family: Option<u8>,
    /// With details (`-d`).
    pub(crate) details: bool,
}

impl Filter {
    /// Everything of that kind is shown.
    pub(crate) fn is_whole(&self) -> bool {
        self.dev.is_none() && self.bridge.is_none() && !self.some && self.family != Some(6)
    }
}

/// Where a command was run, from its folder's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    Here,
    /// `nsenter -t PID -n`.
    Pid(u32),
    /// `ip netns exec NAME`, `docker exec NAME` and the like.
    Name(String),
}

/// A file's command and where it was run. None: not one that is known.
pub(crate) fn of_file(name: &str, text: &str) -> Option<(Entered, Command)> {
    let typed = text.lines().next().map(str::trim);
    let typed = typed.and_then(|l| l.strip_prefix("$ ").or_else(|| l.strip_prefix("# ")));
    let typed = typed.and_then(|line| command(&words_of(line)));
    typed.or_else(|| command(&words_of(stem(name))))
}

/// The name without its extension: a last part of letters alone, as in `.txt`.
fn stem(name: &str) -> &str {
    const KNOWN: [&str; 8] = ["txt", "text", "log", "out", "json", "conf", "rules", "md"];
    match name.rsplit_once('.') {
        Some((stem, end)) if KNOWN.contains(&end.to_lowercase().as_str()) => stem,
        _ => name,
    }
}

/// Blanks, slashes and the dashes that stand for them part words.
fn words_of(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || "-/".contains(c));
    parts.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn command(words: &[String]) -> Option<(Entered, Command)> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (entered, words) = enter(&words);
    Some((entered, plain(words)?))
}

/// Takes off what only says where or how the command was run.
fn enter<'w>(mut words: &'w [&'w str]) -> (Entered, &'w [&'w str]) {
    let mut entered = Entered::Here;
    loop {
        let number = |w: &str| w.parse().ok();
        match words {
            ["sudo" | "busybox" | "usr" | "sbin" | "bin" | "env", rest @ ..] => words = rest,
            ["nsenter", rest @ ..] => {
                let at = rest.iter().position(|w| number(w).is_some());
                let Some((at, pid)) = at.and_then(|at| Some((at, number(rest[at])?))) else {
                    break;
                };
                entered = Entered::Pid(pid);
                words = &rest[at + 1..];
                while let ["n" | "net" | "a" | "all" | "m" | "u" | "i" | "p", rest @ ..] = words {
                    words = rest;
                }
            }
            ["ip", "netns", "exec", name, rest @ ..]
            | [
                "docker" | "podman" | "nerdctl" | "incus" | "lxc" | "pct",
                "exec",
                name,
                rest @ ..,
            ] => {
                entered = Entered::Name((*name).to_owned());
                words = rest;
            }
            ["lxc", "attach", "n", name, rest @ ..] | ["pct", "enter", name, rest @ ..] => {
                entered = Entered::Name((*name).to_owned());
                words = rest;
            }
            _ => break,
        }
    }
    (entered, words)
}

fn plain(words: &[&str]) -> Option<Command> {
    match words {
        ["ip", rest @ ..] => ip(rest),
        ["bridge", rest @ ..] => bridge(rest),
        ["iptables", rest @ ..] => iptables(rest),
        ["nft", rest @ ..] => {
            let rest = options(rest, &["j", "json", "a", "n", "nn", "s", "y"]).1;
            (rest.first() == Some(&"list")).then_some(())?;
            Some(Command::Nft { whole: rest.get(1).is_some_and(|w| object(w) == "ruleset") })
        }
        ["ipset", rest @ ..] => {
            let listed = ["save", "S", "list", "L", "ls"];
            rest.iter().any(|w| listed.contains(&object(w))).then_some(Command::IpSets)
        }
        ["lsns", ..] => Some(Command::Lsns),
        ["cat" | "head" | "more" | "less", "proc", "sys", path @ ..]
        | ["proc", "sys", path @ ..] => setting(path),
        ["cat", "proc", "net", names, ..] if *names == "ip_tables_names" => {
            Some(Command::LegacyTables)
        }
        ["cat", "proc", "net", "ip_vs"] => Some(Command::Ipvs),
        ["sysctl", ..] | ["grep", .., "sys" | "proc"] | ["grep", "r" | "rH" | "H" | ".", ..] => {
            Some(Command::Settings)
        }
        ["tc", rest @ ..] => {
            let rest = options(rest, &IP_OPTIONS).1;
            let whole = matches!(rest, ["qdisc"] | ["qdisc", "show" | "list" | "ls"]);
            whole.then_some(Command::Qdiscs)
        }
        ["hostname", ..] | ["cat", "etc", "hostname"] | ["uname", "n"] => Some(Command::HostName),
        ["nestwork", "about"] => Some(Command::About),
        _ => None,
    }
}

/// A path below /proc/sys, whose slashes (and dashes) became dashes.
fn setting(path: &[&str]) -> Option<Command> {
    let path = match path {
        ["net", "bridge", rest @ ..] => format!("net/bridge/{}", rest.join("-")),
        // The name of a link may hold dashes.
        ["net", family, kind @ ("conf" | "neigh"), link @ .., name] => {
            format!("net/{family}/{kind}/{}/{name}", link.join("-"))
        }
        ["net", ..] => path.join("/"),
        _ => return None,
    };
    Some(Command::Setting(path))
}

/// Options before the object, and what follows.
fn options<'w>(words: &'w [&'w str], known: &[&str]) -> (Vec<&'w str>, &'w [&'w str]) {
    let count = words.iter().take_while(|w| known.contains(w)).count();
    (words[..count].to_vec(), &words[count..])
}

/// A word without what people add to tell files apart (`link.busybox`).
fn object(word: &str) -> &str {
    match word.split_once('.') {
        Some((object, note)) if note.starts_with(|c: char| c.is_ascii_alphabetic()) => object,
        _ => word,
    }
}

const IP_OPTIONS: [&str; 24] = [
    "br",
    "brief",
    "d",
    "details",
    "j",
    "json",
    "p",
    "pretty",
    "s",
    "stats",
    "statistics",
    "o",
    "oneline",
    "c",
    "color",
    "4",
    "6",
    "0",
    "N",
    "h",
    "human",
    "all",
    "f",
    "inet",
];

fn ip(words: &[&str]) -> Option<Command> {
    let (options, rest) = options(words, &IP_OPTIONS);
    let (first, rest) = rest.split_first()?;
    let family = options.iter().find_map(|o| match *o {
        "4" | "inet" => Some(4),
        "6" => Some(6),
        _ => None,
    });
    let brief = options.iter().any(|o| o.starts_with("br"));
    let details = options.iter().any(|o| *o == "d" || *o == "details");
    let filter = Filter { family, details, ..filter(rest) };
    match object(first) {
        "link" | "l" | "li" if brief => Some(Command::Brief { addresses: false, filter }),
        "link" | "l" | "li" => Some(Command::Links { addresses: false, filter }),
        "addr" | "address" | "a" | "ad" if brief => {
            Some(Command::Brief { addresses: true, filter })
        }
        "addr" | "address" | "a" | "ad" => Some(Command::Links { addresses: true, filter }),
        // One answer of the kernel's, and no table.
        "route" | "r" | "ro" if rest.first() == Some(&"get") => None,
        "route" | "r" | "ro" => Some(Command::Routes(filter)),
        "rule" | "ru" => Some(Command::Rules(filter)),
        "neigh" | "neighbor" | "neighbour" | "n" | "ne" => Some(Command::Neighbours(filter)),
        "xfrm" if matches!(rest, ["policy" | "p"] | ["policy" | "p", "list" | "show"]) => {
            Some(Command::Ipsec)
        }
        "netns" if rest.first().is_some_and(|w| *w == "list") && rest.get(1) == Some(&"id") => {
            Some(Command::NsIds)
        }
        "netns" if rest.first().is_none_or(|w| ["list", "ls", "show"].contains(w)) => {
            Some(Command::NetNs)
        }
        _ => None,
    }
}

fn bridge(words: &[&str]) -> Option<Command> {
    let (_, rest) = options(words, &IP_OPTIONS);
    match rest {
        ["fdb", rest @ ..] | ["f", rest @ ..] => {
            let get = rest.first() == Some(&"get");
            let mut filter = filter(rest);
            filter.some |= get;
            filter.dev = filter.dev.filter(|_| !get);
            Some(Command::Fdb(filter))
        }
        ["link", ..] | ["l", ..] => Some(Command::Ports),
        _ => None,
    }
}

/// `show dev X`, `show table all`, `show br X`; what else follows chooses, too.
fn filter(words: &[&str]) -> Filter {
    let mut filter = Filter::default();
    let mut words = words.iter().map(|w| object(w)).peekable();
    while let Some(word) = words.next() {
        match word {
            "show" | "list" | "ls" | "lst" | "s" | "sh" | "get" | "to" | "default" | "iproute2" => {
            }
            "busybox" | "details" => {}
            "dev" => filter.dev = words.next().map(str::to_owned),
            "br" | "master" => filter.bridge = words.next().map(str::to_owned),
            "table" | "t" => filter.table = words.next().map(str::to_owned),
            _ => filter.some = true,
        }
    }
    filter
}

fn iptables(words: &[&str]) -> Option<Command> {
    let words = match words {
        ["nft" | "legacy", rest @ ..] => rest,
        rest => rest,
    };
    let at = words.iter().position(|w| *w == "t" || *w == "table");
    let table = at.and_then(|at| words.get(at + 1)).map(|t| object(t).to_owned());
    let has = |names: &[&str]| words.iter().any(|w| names.contains(&object(w)));
    if has(&["save"]) {
        return Some(Command::Save { table });
    }
    let table = table.unwrap_or_else(|| "filter".to_owned());
    // Short options stand together: `-vnL`, `-nvL`, `-L -n -v`.
    let letters = |c: char| words.iter().any(|w| w.len() <= 4 && w.contains(c) && *w != "nat");
    if has(&["S", "list-rules", "rules"]) || letters('S') {
        return Some(Command::Save { table: Some(table) });
    }
    (has(&["list"]) || letters('L')).then_some(Command::Listing { table })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], wanted: &str) {
        for name in names {
            let got = of_file(name, "").map_or_else(
                || "-".to_owned(),
                |(entered, command)| {
                    let text = format!("{command:?}");
                    let whole = match &command {
                        Command::Links { filter, .. }
                        | Command::Brief { filter, .. }
                        | Command::Routes(filter)
                        | Command::Rules(filter)
                        | Command::Neighbours(filter)
                        | Command::Fdb(filter) => {
                            let name = text.split(['(', '{']).next().unwrap_or_default().trim();
                            let whole = if filter.is_whole() { "" } else { ", part" };
                            format!("{name}{whole}")
                        }
                        _ => text,
                    };
                    match entered {
                        Entered::Here => whole,
                        other => format!("{whole} in {other:?}"),
                    }
                },
            );
            assert_eq!(got, wanted, "{name}");
        }
    }

    #[test]
    fn names_of_files() {
        check(&["ip link", "ip-link.txt", "ip-d-link.txt", "ip -j -d link", "ip l"], "Links");
        check(&["ip-link.default-busybox.txt", "busybox-ip-link.txt", "ip-4-addr"], "Links");
        check(&["ip-6-addr.txt", "ip-addr-show-dev-eth0", "ip link show eth0"], "Links, part");
        check(&["ip-br-4-addr.txt", "ip -br link"], "Brief");
        check(&["ip-route.txt", "ip route show table all", "ip-j-route"], "Routes");
        check(&["ip-route-get-10.0.0.1", "README.md", "notes.txt", "ip6tables-save"], "-");
        check(&["ip-neighbor-show-192.0.2.1.txt"], "Neighbours, part");
        check(&["ip neigh", "ip-j-neigh.json", "ip n"], "Neighbours");
        check(&["bridge-fdb-get-to-02.00.00.00.00.01-br-br0.txt"], "Fdb, part");
        check(&["bridge fdb", "bridge-fdb-show.txt", "bridge-j-fdb.json"], "Fdb");
        check(
            &["iptables-save.txt", "iptables-nft-save", "iptables-save-c"],
            "Save { table: None }",
        );
        check(&["iptables-S"], "Save { table: Some(\"filter\") }");
        check(&["iptables-t-nat-L-n.txt", "iptables -t nat -nvL"], "Listing { table: \"nat\" }");
        check(&["ipset-save.txt", "ipset list", "ipset -L"], "IpSets");
        check(&["nft list ruleset", "nft-j-list-ruleset.json"], "Nft { whole: true }");
        check(&["ip-netns-list-id.txt"], "NsIds");
        check(&["ip-netns", "ip netns list"], "NetNs");
        let path = "Setting(\"net/ipv4/ip_forward\")";
        check(&["cat-proc-sys-net-ipv4-ip_forward.txt", "cat /proc/sys/net/ipv4/ip_forward"], path);
        let link = "Setting(\"net/ipv4/conf/my-if/rp_filter\")";
        check(&["cat-proc-sys-net-ipv4-conf-my-if-rp_filter"], link);
        check(&["nsenter-t-1461368-n-ip-4-addr.txt"], "Links in Pid(1461368)");
        check(&["docker-exec-web-ip-link"], "Links in Name(\"web\")");
    }

    #[test]
    fn a_first_line_says_it_too() {
        assert_eq!(of_file("1.txt", "$ ip rule\n").unwrap().1, Command::Rules(Filter::default()));
    }
}
