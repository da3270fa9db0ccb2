use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime};

use kernel::clock;
use kernel::read::Parts;
use kernel::watch::{Options, PARTS, Told, Watch, WatchError};
use model::{Difference, NsId, Snapshot};

use crate::args::Watch as Args;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::{Session, find_ns};

pub(crate) fn run(session: &Session, args: &Args) -> Result<Exit, Failure> {
    let until = args.seconds.map(|s| Instant::now() + Duration::from_secs_f64(s));
    // Engines are asked where all is read, not where only namespaces are looked for.
    let read = |parts: Parts| session.live(parts, session.api && parts.contains(PARTS));
    let mut watch = Watch::open(read, &Options::default())?;
    let only = args.ns.as_ref().map(|ns| find_ns(watch.snapshot(), ns)).transpose()?;
    begin(watch.snapshot(), watch.watched(), only);
    let mut printer = Printer { session, args, only, left: args.count };
    watch.run(until, &mut |told| printer.tell(told))?;
    Ok(Exit::Yes)
}

/// Says what is watched, and what is not.
fn begin(snapshot: &Snapshot, watched: usize, only: Option<NsId>) {
    super::overview::warn(snapshot);
    let all = snapshot.namespaces.len();
    let name = |id| render::clean(&snapshot.name_of(id));
    let mut text = match (only, watched) {
        (Some(id), _) => format!("watching {}", name(id)),
        (None, 1) => "watching 1 namespace".to_owned(),
        (None, n) => format!("watching {n} namespaces"),
    };
    if watched < all {
        text.push_str(&format!("; {} cannot be watched", all - watched));
    }
    output::error(&text);
}

struct Printer<'a> {
    session: &'a Session,
    args: &'a Args,
    only: Option<NsId>,
    /// So many lines yet.
    left: Option<u64>,
}

impl Printer<'_> {
    fn tell(&mut self, told: Told<'_>) -> ControlFlow<()> {
        match told {
            Told::Note(text) => self.note(&text),
            Told::Difference { before, after, difference } => {
                if !self.is_wanted(difference) {
                    return ControlFlow::Continue(());
                }
                let there = self.print(before, after, difference);
                self.count(there)
            }
        }
    }

    fn is_wanted(&self, difference: &Difference) -> bool {
        let here =
            self.only.is_none_or(|id| [difference.before, difference.after].contains(&Some(id)));
        here && (self.args.all || !difference.noise)
    }

    fn print(&self, before: &Snapshot, after: &Snapshot, difference: &Difference) -> bool {
        let now = SystemTime::now();
        let text = if self.session.json {
            let view = render::json::event(&clock::utc(now), before, after, difference);
            render::json::line(&view)
        } else {
            let style = &self.session.style;
            render::event(&clock::local(now), before, after, difference, style)
        };
        output::try_print(&text)
    }

    /// Where programs read, notes are lines among the others; people read them beside.
    fn note(&self, text: &str) -> ControlFlow<()> {
        let now = SystemTime::now();
        if !self.session.json {
            output::error(&format!("{} note: {text}", clock::local(now)));
            return ControlFlow::Continue(());
        }
        let view = render::json::note(&clock::utc(now), text);
        match output::try_print(&render::json::line(&view)) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }

    /// Goes on while somebody reads and not enough was printed.
    fn count(&mut self, there: bool) -> ControlFlow<()> {
        self.left = self.left.map(|n| n.saturating_sub(1));
        if there && self.left != Some(0) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        Self::failed("cannot watch").because(error).hint(
            "hearing what the kernel tells takes CAP_SYS_ADMIN and CAP_NET_ADMIN: run it as root",
        )
    }
}
