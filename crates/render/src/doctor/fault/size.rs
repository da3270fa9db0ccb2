//! Faults of what links take at once.

use model::LinkId;

use super::{Case, Told};

pub(super) fn narrow_uplink(
    c: &Case<'_>,
    link: LinkId,
    router: LinkId,
    out: LinkId,
    told: bool,
) -> Told {
    let size = c.mtu(out);
    let heard = match told {
        true => "the sender is told by ICMP, if that reaches it; no rule clamps TCP's segments",
        false => "nobody is told: they vanish",
    };
    let clamp = "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
    Told {
        title: format!("large packets do not fit {}, and small ones pass", c.link(out)),
        evidence: vec![c.has_mtu(link), c.has_mtu(out), heard.to_owned()],
        fix: vec![
            set_mtu(c, link, size),
            format!("and {}", set_mtu(c, router, size)),
            format!(
                "for containers to come: \"mtu\": {size} in Docker's daemon.json, or the network's option com.docker.network.driver.mtu"
            ),
            format!("or {}", c.here(&format!("{} -t mangle -A FORWARD {clamp}", c.iptables()))),
        ],
    }
}

pub(super) fn unequal_ports(c: &Case<'_>, bridge: LinkId, large: LinkId, small: LinkId) -> Told {
    Told {
        title: format!(
            "links on {} take packets of different sizes, and large ones vanish",
            c.link(bridge)
        ),
        evidence: vec![c.has_mtu(large), c.has_mtu(small), c.has_mtu(bridge)],
        fix: vec![set_mtu(c, large, c.mtu(small))],
    }
}

fn set_mtu(c: &Case<'_>, link: LinkId, size: u32) -> String {
    c.at(link.ns, &format!("ip link set {} mtu {size}", c.name(link)))
}
