use std::collections::{BTreeMap, BTreeSet};

use super::What;
use crate::{AddressLabel, InetConf, Link, Namespace, Sysctls};

/// Settings of the namespace that differ.
pub(super) fn of_namespace(before: &Sysctls, after: &Sysctls) -> Vec<(What, bool)> {
    let mut told = differing(own(before), own(after), |_| false);
    let all = differing(device("all", &before.all), device("all", &after.all), is_forwarding);
    let default = device("default", &before.default);
    told.extend(all);
    told.extend(differing(default, device("default", &after.default), is_forwarding));
    told
}

/// Labels of addresses that differ, each under the name of its network and link.
pub(super) fn of_labels(before: &Namespace, after: &Namespace) -> Vec<What> {
    let rows = |ns: &Namespace| -> BTreeMap<String, String> {
        let row = |entry: &AddressLabel| {
            let link = entry.link.and_then(|index| ns.links.get(&index));
            let on = link.map(|link| format!(" on {}", link.name)).unwrap_or_default();
            (format!("address label of {}{on}", entry.net), entry.label.to_string())
        };
        ns.address_labels.0.iter().map(row).collect()
    };
    let (was, is) = (rows(before), rows(after));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let both = names.into_iter().map(|name| (name, was.get(name), is.get(name)));
    both.filter(|(_, was, is)| was != is)
        .map(|(name, was, is)| What::Setting {
            name: name.clone(),
            before: was.cloned(),
            after: is.cloned(),
        })
        .collect()
}

/// Settings of a link that differ.
#[must_use]
pub fn of_link(old: &Link, new: &Link) -> Vec<(What, bool)> {
    device_differs(old, new, |_| false)
}

/// Settings of the links that are in both, where they differ. Forwarding that is as the namespace's
/// follows it.
pub(super) fn of_links(
    before: &Namespace,
    after: &Namespace,
    pair: impl Fn(u32) -> Option<u32>,
) -> Vec<(What, bool)> {
    let mut told = Vec::new();
    for old in before.links.values() {
        let new = pair(old.index).and_then(|index| after.links.get(&index));
        let Some(new) = new else { continue };
        let is_same = new.inet.is_some_and(|i| i.forwarding == after.sysctls.ip_forward);
        told.extend(device_differs(old, new, |name| is_same && is_forwarding(name)));
    }
    told
}

fn device_differs(old: &Link, new: &Link, noise: impl Fn(&str) -> bool) -> Vec<(What, bool)> {
    match (&old.inet, &new.inet) {
        (Some(was), Some(is)) => differing(device(&new.name, was), device(&new.name, is), noise),
        (None, None) => Vec::new(),
        (was, is) => {
            let has = |there| Some(if there { "yes" } else { "no" }.to_owned());
            let (before, after) = (has(was.is_some()), has(is.is_some()));
            let name = format!("IPv4 on {}", new.name);
            vec![(What::Setting { name, before, after }, false)]
        }
    }
}

fn is_forwarding(name: &str) -> bool {
    name.ends_with(".forwarding")
}

type Value = (String, Option<String>);

fn differing(
    before: Vec<Value>,
    after: Vec<Value>,
    noise: impl Fn(&str) -> bool,
) -> Vec<(What, bool)> {
    before
        .into_iter()
        .zip(after)
        .filter(|((_, was), (_, is))| was != is)
        .map(|((name, before), (_, after))| {
            let noise = noise(&name);
            (What::Setting { name, before, after }, noise)
        })
        .collect()
}

fn own(s: &Sysctls) -> Vec<Value> {
    let flag = |b: bool| Some(u8::from(b).to_string());
    [
        ("net.ipv4.ip_forward", flag(s.ip_forward)),
        ("net.ipv4.ip_default_ttl", Some(s.default_ttl.to_string())),
        ("net.ipv4.fib_multipath_hash_policy", Some(s.multipath_hash_policy.to_string())),
        ("net.bridge.bridge-nf-call-iptables", s.bridge_nf_call_iptables.and_then(flag)),
        ("net.bridge.bridge-nf-call-arptables", s.bridge_nf_call_arptables.and_then(flag)),
        ("net.ipv4.icmp_echo_ignore_all", flag(s.icmp_echo_ignore_all)),
        ("net.ipv4.icmp_echo_ignore_broadcasts", flag(s.icmp_echo_ignore_broadcasts)),
        ("net.ipv4.ip_forward_use_pmtu", flag(s.ip_forward_use_pmtu)),
        ("net.ipv4.icmp_errors_use_inbound_ifaddr", flag(s.icmp_errors_use_inbound_ifaddr)),
        ("net.ipv4.fwmark_reflect", flag(s.fwmark_reflect)),
        ("net.ipv6.fwmark_reflect", flag(s.ipv6_fwmark_reflect)),
        ("net.ipv4.tcp_fwmark_accept", flag(s.tcp_fwmark_accept)),
        ("net.ipv4.tcp_reflect_tos", flag(s.tcp_reflect_tos)),
        ("net.ipv4.ip_no_pmtu_disc", flag(s.no_pmtu_discovery)),
        ("net.netfilter.nf_conntrack_tcp_loose", flag(!s.tracks_from_syn)),
        ("net.ipv6.conf.all.forwarding", flag(s.ipv6_forwarding)),
        ("net.ipv6.conf.all.proxy_ndp", flag(s.ipv6_proxy_ndp)),
        ("net.ipv6.fib_multipath_hash_policy", Some(s.ipv6_multipath_hash_policy.to_string())),
        ("net.ipv6.icmp.echo_ignore_all", flag(s.ipv6_echo_ignore_all)),
        ("net.ipv6.icmp.echo_ignore_anycast", flag(s.ipv6_echo_ignore_anycast)),
        ("net.ipv6.icmp.echo_ignore_multicast", flag(s.ipv6_echo_ignore_multicast)),
        ("net.ipv6.anycast_src_echo_reply", flag(s.ipv6_anycast_src_echo_reply)),
        ("net.bridge.bridge-nf-call-ip6tables", s.bridge_nf_call_ip6tables.and_then(flag)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn device(name: &str, conf: &InetConf) -> Vec<Value> {
    let InetConf {
        forwarding,
        rp_filter,
        accept_local,
        route_localnet,
        arp_ignore,
        arp_announce,
        arp_filter,
        proxy_arp,
        proxy_arp_pvlan,
        src_valid_mark,
        ignore_routes_with_linkdown,
        send_redirects,
        shared_media,
        drop_unicast_in_l2_multicast,
        bc_forwarding,
    } = *conf;
    [
        ("forwarding", forwarding.into()),
        ("rp_filter", rp_filter),
        ("accept_local", accept_local.into()),
        ("route_localnet", route_localnet.into()),
        ("arp_ignore", arp_ignore),
        ("arp_announce", arp_announce),
        ("arp_filter", arp_filter.into()),
        ("proxy_arp", proxy_arp.into()),
        ("proxy_arp_pvlan", proxy_arp_pvlan.into()),
        ("src_valid_mark", src_valid_mark.into()),
        ("ignore_routes_with_linkdown", ignore_routes_with_linkdown.into()),
        ("send_redirects", send_redirects.into()),
        ("shared_media", shared_media.into()),
        ("drop_unicast_in_l2_multicast", drop_unicast_in_l2_multicast.into()),
        ("bc_forwarding", bc_forwarding.into()),
    ]
    .map(|(key, value): (&str, u8)| {
        (format!("net.ipv4.conf.{name}.{key}"), Some(value.to_string()))
    })
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostId, NsId, NsKey};

    #[test]
    fn labels_that_differ_are_told_by_their_networks() {
        let id = NsId { host: HostId::default(), key: NsKey::Unseen(1) };
        let (was, mut is) = (Namespace::new(id), Namespace::new(id));
        let label =
            |net: &str, label| AddressLabel { net: net.parse().unwrap(), link: None, label };
        is.address_labels.set(label("2001:db8::/32", 99));
        is.address_labels.set(label("fc00::/7", 9));
        let told: Vec<String> = of_labels(&was, &is)
            .into_iter()
            .map(|what| match what {
                What::Setting { name, before, after } => format!("{name}: {before:?} {after:?}"),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            told,
            [
                "address label of 2001:db8::/32: None Some(\"99\")",
                "address label of fc00::/7: Some(\"5\") Some(\"9\")",
            ]
        );
        assert_eq!(of_labels(&is, &is), []);
    }
}
