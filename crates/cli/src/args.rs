//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Builds, shows and explains Linux container networks, at any depth of nesting.
#[derive(Parser)]
#[command(name = "nestwork", version, max_term_width = 100)]
#[command(after_help = "Examples:
  nestwork demo                          a three-level network, built, drawn, traced, removed
  nestwork map                           draw this host's namespaces and how they are wired
  nestwork trace web 198.51.100.7 --live which way a packet goes, checked with a real one

Exit status: 0 done or yes, 1 the answer is no, 2 bad usage, 3 it could not be done, 4 cannot tell,
70 a bug. `exec` ends with its command's status.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(clap::Args, Clone)]
pub(crate) struct Global {
    /// Print JSON (the same as -o json)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Output format
    #[arg(short, long, global = true, value_enum, default_value = "text")]
    pub(crate) output: Format,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
    /// Columns to draw in (default: the terminal's, else 80)
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(40..))]
    pub(crate) width: Option<u16>,
    /// Colour: on a terminal only (and not with NO_COLOR), always, or never
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub(crate) color: When,
    /// Do not ask running container engines for names (they are given 2 s)
    #[arg(long, global = true)]
    pub(crate) no_api: bool,
    /// Folder in which labs are remembered (default: /run/nestwork as root, else below
    /// $XDG_RUNTIME_DIR)
    #[arg(long, global = true, value_name = "DIR", env = "NESTWORK_STATE")]
    pub(crate) state: Option<PathBuf>,
    /// Look at a bundle that `collect` made, or at a folder of pasted outputs, a file per command; not
    /// at this host
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) bundle: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Build an example apart from everything, draw it, trace it with real packets, remove it
    #[command(after_help = "Examples:
  nestwork demo                          as root
  nestwork demo --ascii                  as an ordinary user too, in a user namespace of its own")]
    Demo,
    /// Say what `up` would change
    #[command(after_help = "Examples:
  nestwork plan lab.yaml
  nestwork plan --exit-code || echo there is something to do")]
    Plan(Plan),
    /// Make a lab as its file says; again and again with the same result
    #[command(after_help = "Examples:
  nestwork up                            ./nestwork.yaml
  nestwork up lab.yaml")]
    Up(Up),
    /// Remove a lab
    #[command(after_help = "Examples:
  nestwork down mylab
  nestwork down lab.yaml")]
    Down(Down),
    /// List the labs
    Labs,
    /// Draw the namespaces and how they are wired
    #[command(after_help = "Examples:
  nestwork map
  nestwork map web                       that namespace's surroundings
  nestwork map --around web --depth 2    what is two steps from it
  nestwork map --network bridge          a network of an engine, or a bridge
  nestwork map --name 'web*'
  nestwork map --address 172.17.0.0/16
  nestwork map --ascii --width 100")]
    Map(Map),
    /// List the namespaces: who is inside of whom, and who knows whom by which number
    #[command(after_help = "Examples:
  nestwork ls
  nestwork ls --as web                   as seen from there")]
    Ls(Ls),
    /// Show all facts of one namespace or link
    #[command(after_help = "Examples:
  nestwork show web
  nestwork show web:eth0
  nestwork show pid:4711")]
    Show(Show),
    /// Say where an address, a MAC, a port or a name is, across all namespaces
    #[command(after_help = "Examples:
  nestwork find 172.17.0.2               whose it is, who knows it, which rules name it
  nestwork find 172.17.0.0/16
  nestwork find 02:42:ac:11:00:02        whose it is, and behind which port it was learned
  nestwork find :8080                    who listens, who publishes it (also 8080/tcp, udp:53)
  nestwork find web                      namespaces, containers, images, networks, links
  nestwork find 'veth*'
  nestwork find @if66                    links of that number

Exit status: 0 found, 1 found nowhere, 4 not found, but not all could be read.")]
    Find(Find),
    /// Tell which way a packet goes there and back, and why; where it is lost, say where and why
    #[command(after_help = "Examples:
  nestwork trace web 198.51.100.7                 ICMP
  nestwork trace web 198.51.100.7:443             TCP
  nestwork trace outside 192.0.2.10:8080          a published port, from beyond this host
  nestwork trace web db --live                    checked with one real, tagged packet
  nestwork trace --to db:5432                     who can reach it, and why others cannot
  nestwork trace web [2001:db8::7]:443            IPv6; without a port, without the brackets
  nestwork trace -6 web db                        by their addresses of IPv6
  nestwork trace web fe80::1%eth0                 an address that is good on that link alone
  nestwork trace web ff02::1%eth0 --live          all on that link, and who answers
  nestwork trace web 198.51.100.7 --size 1500 --df
                                                  does a full packet fit, or who refuses it?
  nestwork trace web 198.51.100.7:443 --mark 0x5 --tos 0x10 --interface eth1
                                                  as routing rules see it, from a bound socket
  nestwork trace web 198.51.100.7 --explain       and what else was tried at each step

FROM and TO: a namespace, a link (NAMESPACE:LINK), an address; FROM may be `outside`, or
`outside:NAMESPACE:LINK` to say by which card the packet comes in.")]
    Trace(Trace),
    /// Judge who must reach whom, and who must not, as a file says
    #[command(after_help = "Examples:
  nestwork check reach.yaml
  nestwork check reach.yaml --bundle host.tar.gz
  nestwork check - < reach.yaml --json

The file has rules like these; the first that speaks of a pair and a port counts (docs/check-file.md):
  web -> db: 5432
  \"*, outside -> db\": deny

Exit status: 0 all rules hold, 1 some rule fails, 4 none fails, but a pair cannot be judged.")]
    Check(Check),
    /// Look for known faults of hosts with containers: evidence, who is hit, and the fix
    #[command(after_help = "Examples:
  nestwork doctor
  nestwork doctor 'web*'                 what lies there, or hits there
  nestwork doctor --bundle host.tar.gz

Exit status: 0 nothing was found, 1 something was, 4 nothing, but not all could be read.")]
    Doctor(Doctor),
    /// Save what is needed to answer elsewhere: one file that --bundle reads
    #[command(after_help = "Examples:
  nestwork collect                       nestwork-HOST-DATE.tar.gz
  nestwork collect host.tar.gz && nestwork map --bundle host.tar.gz
  nestwork collect --stand-ins           for strangers: other addresses, other names
  nestwork collect - | ssh elsewhere nestwork trace web db --bundle -

Where nestwork is not installed, a script gathers what the host's own commands print:
  nestwork collect --script | ssh root@host sh -s - out
  scp -r root@host:out . && nestwork map --bundle out")]
    Collect(Collect),
    /// Say what appeared, vanished and changed between two bundles, or a bundle and now
    #[command(after_help = "Examples:
  nestwork collect before.tar.gz         and once the change is made:
  nestwork diff before.tar.gz
  nestwork diff before.tar.gz after.tar.gz

+ appeared, - vanished, ~ changed. Namespaces are known again by what they are to the kernel; after
a restart or on another machine, by name and by wire. Tracked connections and listening sockets are
not compared.

Exit status: 0 no difference, 1 some.")]
    Diff(Diff),
    /// Tell what happens in all namespaces, a line for each event, as it happens
    #[command(after_help = "Examples:
  nestwork watch                         until Ctrl-C
  nestwork watch web                     what happens in that namespace
  nestwork watch --json --for 60         a JSON object on each line, for a minute

+ appeared, - vanished, ~ changed. Settings and hooks of links are noticed where something else
happens in their namespace.")]
    Watch(Watch),
    /// Run a command inside a namespace
    #[command(after_help = "Examples:
  nestwork exec web ip route                     this host's tools, that network
  nestwork exec -a web ps ax                     all of its namespaces
  nestwork exec web -- tcpdump -ni eth0")]
    Exec(Exec),
    /// Print the JSON Schema of a command's JSON
    Schema(Schema),
    /// Print a completion script for a shell
    #[command(after_help = "Example:
  nestwork completion bash > /etc/bash_completion.d/nestwork")]
    Completion(Completion),
}

impl Command {
    /// It only looks at a Snapshot, which may be a bundle's.
    pub(crate) const fn looks(&self) -> bool {
        matches!(
            self,
            Self::Map(_)
                | Self::Ls(_)
                | Self::Show(_)
                | Self::Find(_)
                | Self::Trace(_)
                | Self::Check(_)
                | Self::Doctor(_)
        )
    }
}

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// Lab file
    #[arg(default_value = "nestwork.yaml")]
    pub(crate) file: PathBuf,
    /// Exit with 1 if there is something to change
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(clap::Args)]
pub(crate) struct Up {
    /// Lab file
    #[arg(default_value = "nestwork.yaml")]
    pub(crate) file: PathBuf,
    /// Print each change before it is made
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(clap::Args)]
pub(crate) struct Down {
    /// Name of a lab, or its file
    #[arg(default_value = "nestwork.yaml")]
    pub(crate) lab: String,
}

#[derive(clap::Args)]
pub(crate) struct Map {
    /// Only this namespace, what is inside of it, and what it is joined to
    pub(crate) ns: Option<String>,
    /// Only what can be reached from this namespace in --depth steps
    #[arg(long, value_name = "NS", conflicts_with = "ns")]
    pub(crate) around: Option<String>,
    /// Steps for --around: over a link, into a container, or out of one
    #[arg(long, value_name = "N", default_value_t = 1, requires = "around")]
    pub(crate) depth: usize,
    /// Only namespaces with such a name, also of a container (* and ? as in file names)
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// Only what is on such a network of an engine, or on such a bridge
    #[arg(long, value_name = "NAME")]
    pub(crate) network: Vec<String>,
    /// Only namespaces with such an address, or one in such a prefix
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Vec<String>,
    /// Draw every namespace, however many of a kind there are
    #[arg(long)]
    pub(crate) expand: bool,
}

#[derive(clap::Args)]
pub(crate) struct Ls {
    /// As seen from this namespace
    #[arg(long = "as", value_name = "NS")]
    pub(crate) seen_from: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct Show {
    /// A namespace, or a link as NAMESPACE:LINK
    pub(crate) target: String,
}

#[derive(clap::Args)]
pub(crate) struct Find {
    /// An address, a prefix, a MAC, a port (`:8080`, `8080/tcp`), a link's number (`@if66`), or a name
    pub(crate) what: String,
}

#[derive(clap::Args)]
pub(crate) struct Trace {
    /// Where the packet starts: a namespace, a link, an address of one, or `outside`
    #[arg(required_unless_present = "reached")]
    pub(crate) from: Option<String>,
    /// Where it is to go: an address, a namespace, a link, or a name in FROM's own /etc/hosts; with
    /// :PORT for TCP
    #[arg(required_unless_present = "reached")]
    pub(crate) to: Option<String>,
    /// Who can reach this: from every namespace and from outside, as the first packet of a connection
    #[arg(long = "to", value_name = "TO", conflicts_with_all = [
        "from", "to", "live", "ask", "sport", "source", "ipv4", "ipv6", "size", "df", "ttl", "new",
        "established", "explain",
    ])]
    pub(crate) reached: Option<String>,
    /// Send one real, tagged packet and watch it on every link
    #[arg(long)]
    pub(crate) live: bool,
    /// Wait for Enter on standard input before the packet is sent (with --live)
    #[arg(long, requires = "live")]
    pub(crate) ask: bool,
    /// Protocol (default: tcp if a port is given, else icmp)
    #[arg(long, value_enum)]
    pub(crate) proto: Option<Proto>,
    /// Source port (default: one that no socket uses)
    #[arg(long, value_name = "PORT")]
    pub(crate) sport: Option<u16>,
    /// Source address (default: as the kernel chooses); one that is good on one link only as
    /// fe80::1%eth0
    #[arg(long, value_name = "ADDRESS", value_parser = source)]
    pub(crate) source: Option<Source>,
    /// IPv4, where a name has addresses of both
    #[arg(short = '4', long)]
    pub(crate) ipv4: bool,
    /// IPv6, where a name has addresses of both
    #[arg(short = '6', long, conflicts_with = "ipv4")]
    pub(crate) ipv6: bool,
    /// Length of the IP packet in bytes (ICMP and UDP)
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(36..=65535))]
    pub(crate) size: Option<u32>,
    /// Set the don't-fragment bit
    #[arg(long)]
    pub(crate) df: bool,
    /// Leave it unset (the default)
    #[arg(long, conflicts_with = "df")]
    pub(crate) no_df: bool,
    /// Time to live
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) ttl: Option<u8>,
    /// Type of service (IPv6: traffic class), as 16 or 0x10
    #[arg(long, default_value_t = 0, value_parser = tos, hide_default_value = true)]
    pub(crate) tos: u8,
    /// Mark of the sending socket (SO_MARK), as 5 or 0x5
    #[arg(long, default_value_t = 0, value_parser = number, hide_default_value = true)]
    pub(crate) mark: u32,
    /// Link that the sending socket is bound to; from `outside`: the card that the packet comes in by
    #[arg(long, value_name = "LINK")]
    pub(crate) interface: Option<String>,
    /// As the first packet of a connection, whatever is tracked now
    #[arg(long, conflicts_with = "established")]
    pub(crate) new: bool,
    /// As a later packet of a connection whose first packet and answer have gone
    #[arg(long, conflicts_with = "live")]
    pub(crate) established: bool,
    /// Tell each decision too: which routing rules and routes were passed over and why, each rule of
    /// netfilter that was tried and what of it did not match, how the source was chosen, ARP
    /// requests, flooded copies
    #[arg(long)]
    pub(crate) explain: bool,
    /// Also have the kernel tell which rules of nftables and iptables-nft the packet meets (with
    /// --live; as root). For as long as that takes, each namespace on the way has two tables of
    /// nestwork's own: they go with this program, however it ends (Linux 5.12 or later)
    #[arg(long, requires = "live")]
    pub(crate) trace_rules: bool,
    /// How long to wait for the packet, in milliseconds (with --live)
    #[arg(long, default_value_t = 1000, value_name = "MS")]
    pub(crate) patience: u64,
}

#[derive(clap::Args)]
pub(crate) struct Check {
    /// Check file; `-` is standard input
    pub(crate) file: PathBuf,
    /// How many threads walk (default: one for each processor)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
}

#[derive(clap::Args)]
pub(crate) struct Doctor {
    /// Only what lies in such namespaces, or hits them (* and ? as in file names)
    pub(crate) ns: Vec<String>,
}

#[derive(clap::Args)]
pub(crate) struct Diff {
    /// The earlier bundle
    pub(crate) before: PathBuf,
    /// The later one (default: this host, now)
    pub(crate) after: Option<PathBuf>,
    /// Also what follows from other differences or comes by itself: the kernel's own routes,
    /// learned addresses, states of neighbours
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(clap::Args)]
pub(crate) struct Watch {
    /// Only this namespace
    pub(crate) ns: Option<String>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Also what comes and goes by itself: learned addresses, states of neighbours, the kernel's
    /// own routes
    #[arg(long)]
    pub(crate) all: bool,
}

/// A number as people write it: 16 or 0x10.
fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "not a number from 0 to 4294967295, as 5 or 0x5".to_owned())
}

/// A type of service; the two bits of congestion are not its sender's to set.
/// An address to send from, and the link that it is said to be good on.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) ip: IpAddr,
    pub(crate) link: Option<String>,
}

fn source(text: &str) -> Result<Source, String> {
    let (ip, link) = crate::tracing::split_zone(text);
    let ip = ip.parse().map_err(|_| "it is no IP address".to_owned())?;
    Ok(Source { ip, link: link.map(str::to_owned) })
}

fn tos(text: &str) -> Result<u8, String> {
    let wrong = || "not a number from 0 to 255, as 16 or 0x10".to_owned();
    let tos = number(text).ok().and_then(|n| u8::try_from(n).ok()).ok_or_else(wrong)?;
    match tos & 3 {
        0 => Ok(tos),
        _ => Err(format!("its last two bits are for congestion: say {}", tos & !3)),
    }
}

/// A time that a clock can be set to.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if (0.0..=1e9).contains(&n) => Ok(n),
        _ => Err("not a number of seconds".to_owned()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proto {
    Icmp,
    Tcp,
    Udp,
}

#[derive(clap::Args)]
pub(crate) struct Collect {
    /// Where to write it; `-` is standard output (default: nestwork-HOST-DATE.tar.gz)
    pub(crate) file: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Put stand-ins for addresses and names: every packet goes the same way, and nobody is told
    /// whose
    #[arg(long)]
    pub(crate) stand_ins: bool,
    /// Print a shell script that gathers outputs of the host's own commands instead
    #[arg(long, conflicts_with_all = ["file", "force", "stand_ins"])]
    pub(crate) script: bool,
}

#[derive(clap::Args)]
pub(crate) struct Exec {
    /// Join all of its namespaces, not only the network
    #[arg(short, long)]
    pub(crate) all: bool,
    /// The namespace
    pub(crate) ns: String,
    /// The command
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(clap::Args)]
pub(crate) struct Schema {
    /// The command (map, ls, show, find, trace, trace-to, check, doctor, diff, watch, plan, labs, collect)
    pub(crate) command: String,
}

#[derive(clap::Args)]
pub(crate) struct Completion {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}
