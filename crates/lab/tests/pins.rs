//! What is pinned, and what follows from it.

#![allow(missing_docs, reason = "tests")]

use model::{Fact, LinkSpecKind};

/// The pairs of a lab: each end with its ifindex, the near one first.
fn check(text: &str) -> String {
    let lab = lab::parse(text, "test.yaml").unwrap_or_else(|e| panic!("{e:?}"));
    let mut lines = Vec::new();
    for fact in lab::expand(&lab).facts {
        let Fact::Link(spec) = fact else { continue };
        let LinkSpecKind::Veth(end) = &spec.kind else { continue };
        let index = |i: Option<u32>| i.map_or("-".to_owned(), |i| i.to_string());
        let (near, far) = (index(spec.pins.index), index(end.pins.index));
        lines.push(format!("{} {near} ⇄ {} {far}", spec.link, end.link));
    }
    lines.join("\n")
}

#[test]
fn the_kernel_heeds_the_far_ends_ifindex_only_beside_the_near_ones() {
    insta::assert_snapshot!(check("
        name: x
        namespaces:
          h:
            links:
              br: {kind: bridge}
              a0: {kind: veth, peer: b0}
              b0: {index: 8}
              fwpr100p0: {index: 20}
            docker: {networks: {}}
          g:
            inside: h
            proxmox: {vmid: 100, net0: 'name=eth0,bridge=br,firewall=1'}
            links: {eth0: {index: 7}}
          c:
            inside: h
            docker: {veth: veth0, network: bridge}
            links: {eth0: {index: 30}}
    "), @"
    h:a0 9 ⇄ h:b0 8
    g:eth0 7 ⇄ h:veth100i0 -
    h:fwln100i0 21 ⇄ h:fwpr100p0 20
    h:veth0 31 ⇄ c:eth0 30
    ");
}
