use kernel::read::Parts;
use render::{Query, Read};

use crate::args::Find;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Find) -> Result<Exit, Failure> {
    if args.what.trim().is_empty() {
        return Err(Failure::usage("nothing to look for is given")
            .hint("an address, a MAC, a port (`:80`) or a name"));
    }
    let query = Query::parse(&args.what);
    let snapshot = session.snapshot(parts(&query))?;
    let findings = render::find(&snapshot, &query);
    if session.json {
        output::print(&render::json::text(&render::json::find(&snapshot, &findings)));
    } else {
        output::print(&findings.text(&snapshot, &session.style));
        super::overview::warn(&snapshot);
        if !findings.near.is_empty() {
            output::error(&format!("hint: near names: {}", findings.near.join(", ")));
        }
    }
    Ok(match (findings.found.is_empty(), findings.gaps.is_empty()) {
        (false, _) => Exit::Yes,
        (true, true) => Exit::No,
        // It may be in what could not be read.
        (true, false) => Exit::Unknown,
    })
}

/// Only what is printed is read, of all namespaces that can be found.
fn parts(query: &Query) -> Parts {
    let of = |read: &Read| match read {
        Read::Routes => Parts::ROUTES,
        Read::Neighbours => Parts::NEIGHBOURS,
        Read::Netfilter => Parts::NETFILTER,
        Read::Listeners => Parts::LISTENERS,
        Read::Tunnels => Parts::TUNNELS,
    };
    query.reads().iter().map(of).fold(Parts::DESCRIPTORS | Parts::ADDRESSES, Parts::union)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_takes_less_than_an_address() {
        let of = |word| parts(&Query::parse(word));
        let least = Parts::DESCRIPTORS | Parts::ADDRESSES;
        assert_eq!(of("alpine01"), least);
        assert_eq!(of("92:1c:6a:00:00:01"), least | Parts::NEIGHBOURS);
        assert_eq!(of(":80"), least | Parts::NETFILTER | Parts::LISTENERS);
        let address = least | Parts::ROUTES | Parts::NEIGHBOURS | Parts::NETFILTER | Parts::TUNNELS;
        assert_eq!(of("172.17.0.2"), address);
    }
}
