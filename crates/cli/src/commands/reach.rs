//! `trace --to`: who can reach it.

use check::{End, File, Service};
use kernel::read::Parts;
use model::{LinkId, Snapshot, Target};
use walk::{Indexed, Protocol};

use crate::args::Proto;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::{Session, find};
use crate::tracing;

pub(super) fn run(session: &Session, to: &str, proto: Option<Proto>) -> Result<Exit, Failure> {
    let (host, protocol) = tracing::target(to, proto)?;
    let snapshot = session.snapshot(Parts::all() - Parts::LISTENERS - Parts::DEFAULTS)?;
    let service = match protocol {
        Protocol::Icmp => Service::Icmp,
        Protocol::Tcp(port) => Service::Tcp(port),
        Protocol::Udp(port) => Service::Udp(port),
    };
    let file = File::who_reaches(&who(&snapshot, host)?, service, has_cards(&snapshot));
    let plan = file.plan(&snapshot).map_err(|e| super::check::refused(&e))?;
    let net = Indexed::new(&snapshot);
    let report = super::check::judge(&plan, &net, None);
    let reaching: Vec<End> = plan.senders_without(&report);
    let open = report.rules.iter().any(|r| !r.fails() && !r.cases.is_empty());
    if session.json {
        let view = render::json::reach(&snapshot, to, service, &reaching, &report);
        output::print(&render::json::text(&view));
    } else {
        let text = render::reach(&snapshot, to, service, &reaching, &report, &session.style);
        output::print(&text);
        super::overview::warn(&snapshot);
    }
    Ok(match (reaching.is_empty(), open) {
        (false, _) => Exit::Yes,
        (true, false) => Exit::No,
        (true, true) => Exit::Unknown,
    })
}

/// As a check file has it: a link stands for its address.
fn who(snapshot: &Snapshot, word: &str) -> Result<String, Failure> {
    if word == "outside" || word.parse::<std::net::IpAddr>().is_ok() {
        return Ok(word.to_owned());
    }
    match find(snapshot, word)? {
        Target::Namespace(ns) => Ok(ns.to_string()),
        Target::Link(LinkId { ns, index }) => {
            let mut all = snapshot.namespaces[&ns].addresses_of(index);
            let address = all
                .next()
                .ok_or_else(|| Failure::usage(format!("{} has no address", render::clean(word))))?;
            Ok(address.ip().to_string())
        }
    }
}

fn has_cards(snapshot: &Snapshot) -> bool {
    let mut links = snapshot.namespaces.values().flat_map(|ns| ns.links.values());
    links.any(|l| l.is_border() && l.is_up())
}
