use kernel::read::Parts;

use super::reach;
use crate::args::Trace;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::tracing::{self, Family, Wish};

pub(crate) fn run(session: &Session, args: &Trace) -> Result<Exit, Failure> {
    if let Some(to) = &args.reached {
        return reach::run(session, to, args.proto);
    }
    let (Some(from), Some(to)) = (&args.from, &args.to) else {
        return Err(Failure::usage("a trace has two ends").hint("nestwork trace FROM TO"));
    };
    if args.live && session.looks_elsewhere() {
        return Err(Failure::usage("no packet can be sent through a bundle")
            .hint("leave --live out: the way is foretold from what the bundle holds"));
    }
    if args.live {
        crate::session::require_rights("send and watch a packet")?;
    }
    let snapshot = session.snapshot(Parts::all() - Parts::LISTENERS - Parts::DEFAULTS)?;
    let wish = Wish {
        from: from.clone(),
        to: to.clone(),
        proto: args.proto,
        sport: args.sport,
        source: args.source.clone(),
        family: Family::asked(args.ipv4, args.ipv6),
        size: args.size,
        df: args.df.then_some(true).or(args.no_df.then_some(false)),
        ttl: args.ttl,
        tos: args.tos,
        mark: args.mark,
        interface: args.interface.clone(),
        connection: match (args.new, args.established) {
            (true, _) => walk::Known::Nothing,
            (_, true) => walk::Known::Established,
            _ => walk::Known::AsRead,
        },
        live: args.live,
        ask: args.ask,
        explain: args.explain,
        trace_rules: args.trace_rules,
        patience: std::time::Duration::from_millis(args.patience),
    };
    tracing::trace(session, &snapshot, &wish)
}
