//! Programs of BPF that tcx runs at links, before all filters of tc (`tcx_run`, Linux 6.6).

use model::{Tc, TcFilter, TcSelector};

/// What lines of ifindex, side and numbers tell: the programs of each side of a link as filters, which
/// do what is not known.
pub(crate) fn read(lines: &str) -> Vec<(u32, Tc)> {
    lines.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<(u32, Tc)> {
    let mut words = line.split(' ');
    let (link, side) = (words.next()?.parse().ok()?, words.next()?);
    let programs: Vec<TcFilter> = words.map(program).collect();
    let tc = match side {
        "ingress" => Tc { ingress: programs, egress: Vec::new() },
        "egress" => Tc { ingress: Vec::new(), egress: programs },
        _ => return None,
    };
    Some((link, tc))
}

fn program(number: &str) -> TcFilter {
    TcFilter {
        chain: 0,
        priority: 0,
        protocol: None,
        handle: number.parse().unwrap_or(0),
        selector: TcSelector::Opaque { kind: "tcx".into(), what: format!("program {number}") },
        actions: Vec::new(),
    }
}

/// Puts them before the filters that there are.
pub(crate) fn before(filters: &mut Vec<(u32, Tc)>, programs: Vec<(u32, Tc)>) {
    for (link, more) in programs {
        match filters.iter_mut().find(|(at, _)| *at == link) {
            Some((_, tc)) => {
                tc.ingress.splice(0..0, more.ingress);
                tc.egress.splice(0..0, more.egress);
            }
            None => filters.push((link, more)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_all_filters() {
        let words = |filters: &[TcFilter]| {
            filters.iter().map(crate::tc_text::filter).collect::<Vec<_>>().join("; ")
        };
        let mut all = vec![(3, Tc::not_shown())];
        before(&mut all, read("3 ingress 12 9\n5 egress 7\n3 elsewhere 1\nx"));
        let told: Vec<String> = all
            .iter()
            .map(|(link, tc)| format!("{link}: {} | {}", words(&tc.ingress), words(&tc.egress)))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        3: protocol all tcx (program 12); protocol all tcx (program 9); protocol all (not shown) | protocol all (not shown)
        5:  | protocol all tcx (program 7)
        ");
    }
}
