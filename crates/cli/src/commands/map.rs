use kernel::read::Parts;
use model::Snapshot;
use render::{Choice, Query};

use crate::args::Map;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::{Session, find_ns};

/// What is not drawn.
const LEFT_OUT: Parts = Parts::CONNTRACK.union(Parts::LISTENERS).union(Parts::DEFAULTS);

pub(crate) fn run(session: &Session, args: &Map) -> Result<Exit, Failure> {
    let snapshot = session.snapshot(Parts::all() - LEFT_OUT)?;
    let choice = choice(&snapshot, args)?;
    let view = render::json::map(&snapshot, choice.clone());
    let nothing = view.namespaces.is_empty();
    if session.json {
        output::print(&render::json::text(&view));
    } else if nothing {
        output::line("nothing here is so called, on such a network, or has such an address");
    } else {
        output::print(&render::map(&snapshot, choice, &session.style));
    }
    if !session.json {
        super::overview::warn(&snapshot);
    }
    Ok(if nothing { Exit::No } else { Exit::Yes })
}

/// What is to be drawn.
fn choice(snapshot: &Snapshot, args: &Map) -> Result<Choice, Failure> {
    let named = |word: &Option<String>| word.as_ref().map(|w| find_ns(snapshot, w)).transpose();
    let nets = args.address.iter().map(|word| match Query::parse(word) {
        Query::Address(ip) => Ok(ip.into()),
        Query::Prefix(net) => Ok(net),
        _ => Err(Failure::usage(format!("{} is no address", render::clean(word)))
            .hint("give one like 172.17.0.2, or a prefix like 172.17.0.0/16")),
    });
    Ok(Choice {
        focus: named(&args.ns)?,
        around: named(&args.around)?.map(|ns| (ns, args.depth)),
        names: args.name.clone(),
        networks: args.network.clone(),
        addresses: nets.collect::<Result<_, Failure>>()?,
        expand: args.expand,
    })
}
