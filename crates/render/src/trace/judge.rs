//! What a real packet says about the prediction.

use walk::{Action, ArpAnswer, Checked, Mark, Trace, Verdict};

use super::Teller;
use crate::style::Tone;
use crate::words;

impl Teller<'_> {
    /// What the real packet says about the prediction.
    pub(super) fn judge(&mut self, trace: &Trace, live: &Checked) {
        for s in &live.astray {
            let way = if s.outgoing { "out of" } else { "in by" };
            let text = format!(
                "astray: {} {way} {}, seen after {} µs",
                words::flow(&s.packet),
                self.snapshot.link_name(s.link),
                s.after.as_micros()
            );
            self.page.put(Tone::Doubt, &text).end();
        }
        self.rules(live);
        self.drops(live);
        let arrived = if live.arrived { "arrived" } else { "did not arrive" };
        let foretold = !matches!(trace.verdict(), Verdict::Unknown(_));
        let (tone, end) = match (live.agrees, live.arrived) {
            (true, _) if !foretold => (Tone::Doubt, "; nothing was foretold".to_owned()),
            (true, true) if live.unanswered => (
                Tone::Good,
                ", as foretold; the process there gave no answer, as over UDP none need come"
                    .to_owned(),
            ),
            (true, true) => (Tone::Good, ", as foretold".to_owned()),
            (true, false) => (Tone::Bad, ", as foretold".to_owned()),
            (false, _) => {
                let silence = self.unasked(trace, live).or_else(|| self.silence(trace, live));
                (
                    Tone::Bad,
                    silence.unwrap_or_else(|| "; prediction and packet disagree".to_owned()),
                )
            }
        };
        let text = format!("live: the packet {arrived}{end}");
        self.page.put(tone, &text).end();
    }

    /// It left as foretold, and only what was assumed of beyond that link is not so.
    fn silence(&self, trace: &Trace, live: &Checked) -> Option<String> {
        let back = trace.back.as_ref()?;
        let first = back.hops.first()?.steps.first()?;
        let Action::Entered { link } = first.action else { return None };
        let left = live.there.iter().all(|m| matches!(m, Mark::Seen(_) | Mark::NotWatched));
        let silent = live.back.iter().all(|m| matches!(m, Mark::Missing | Mark::NotWatched));
        let link = self.snapshot.link_name(link);
        (left && silent && live.astray.is_empty())
            .then(|| format!(": it left, and no answer came in by {link}"))
    }

    /// It went as foretold up to where somebody outside was assumed to answer for the next hop.
    fn unasked(&self, trace: &Trace, live: &Checked) -> Option<String> {
        let missing = live.there.iter().position(|m| matches!(m, Mark::Missing))?;
        let right = live.there[..missing].iter().all(|m| matches!(m, Mark::Seen(_)));
        let place = *trace.there.places().get(missing)?;
        let before = &trace.there.hops[place.hop].steps[..place.step];
        match &before.last()?.action {
            Action::ArpAsked {
                ip, answer: ArpAnswer::Outside { link, known_from: None }, ..
            } if right && live.astray.is_empty() => {
                let link = self.snapshot.link_name(*link);
                Some(format!(": nobody beyond {link} answered for {ip}"))
            }
            _ => None,
        }
    }
}
