//! The iptables tables of a namespace: those of the file, and what Docker 26 writes, each rule in
//! the place where it ends up. (Docker inserts most rules at the top, so that the youngest network
//! comes first.)

use std::net::Ipv4Addr;

use model::Fact;
use wire::nft_text::Part;

use super::Making;
use super::docker::{Endpoint, Host, Network};
use crate::error::Problem;
use crate::file::{NftEntry, Publish, Space};
use crate::firewall::{self, Chain, Table, Tool};
use crate::node::{At, Said};

/// Docker's chains of the filter table, in the order of their making.
const DOCKER_CHAINS: [&str; 4] =
    ["DOCKER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2", "DOCKER-USER"];

impl<'l> Making<'l> {
    /// The tables of `nft:`.
    pub(super) fn nft(&mut self, space: &'l Space) {
        for entry in &space.nft {
            match wire::nft_text::table(&entry.spec) {
                Ok(table) => {
                    let ns = space.name.clone();
                    self.tell(entry.at, Fact::Table { ns, table });
                }
                Err(error) => {
                    let why = error.why.to_string();
                    self.errors.push(place(entry, &error.part), Problem::Nft(why));
                }
            }
        }
    }

    /// Those of iptables-legacy, or the others. The kernel asks who was made last first, where
    /// priorities are equal, and does not tell which that is: so iptables-legacy's are made last, as
    /// they are read.
    pub(super) fn tables(&mut self, space: &'l Space, host: Option<&Host>, legacy: bool) {
        for table in worded(space, host).into_iter().filter(|t| t.tool.legacy == legacy) {
            match table.encoded() {
                Ok(encoded) => {
                    self.named_ipsets(space, table.at, &encoded);
                    let ns = space.name.clone();
                    self.tell(table.at, Fact::Table { ns, table: encoded });
                }
                Err((at, problem)) => self.errors.push(at, problem),
            }
        }
    }
}

/// Where in the file a part of a table stands.
fn place(entry: &NftEntry, part: &Part) -> At {
    let spec = &entry.spec;
    let chain = |name: &str| spec.chains.iter().position(|c| c.name == name);
    let found = match part {
        Part::Set(name) => {
            let nth = spec.sets.iter().position(|s| s.name == *name);
            nth.and_then(|nth| entry.sets.get(nth)).copied()
        }
        Part::Hook(name) => chain(name).map(|nth| entry.chains[nth].0),
        Part::Rule(name, number) => {
            chain(name).and_then(|nth| entry.chains[nth].1.get(*number)).copied()
        }
    };
    found.unwrap_or(entry.at)
}

/// All tables of a namespace, in iptables' words.
fn worded(space: &Space, host: Option<&Host>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for entry in &space.iptables {
        let table = firewall::find(&mut tables, entry.tool, &entry.name, entry.at);
        for said in &entry.chains {
            let chain = table.chain(&said.name, said.at);
            chain.drop = said.drop;
            chain.rules.extend(said.rules.iter().cloned());
        }
    }
    if let (Some(host), Some(said)) = (host, &space.docker_host) {
        nat(firewall::find(&mut tables, Tool::IPTABLES, "nat", said.at), host, said.at);
        let drop = !forwards_by_itself(space);
        filter(firewall::find(&mut tables, Tool::IPTABLES, "filter", said.at), host, said.at, drop);
    }
    tables
}

/// Docker makes DROP the policy of FORWARD only where it had to switch ip_forward on itself.
fn forwards_by_itself(space: &Space) -> bool {
    let forward = |key: &str| matches!(key, "net/ipv4/ip_forward" | "net/ipv4/conf/all/forwarding");
    space.sysctls.iter().any(|s| forward(&s.what.0) && s.what.1 != "0")
}

fn nat(table: &mut Table, host: &Host, at: At) {
    let rule = |text: &str| Said::new(at, text.to_owned());
    let local = "-m addrtype --dst-type LOCAL -j DOCKER";
    table.chain("PREROUTING", at).rules.push(rule(local));
    let output = format!("! -d 127.0.0.0/8 {local}");
    table.chain("OUTPUT", at).rules.push(rule(&output));
    let masquerade = host.nets.iter().rev().map(|net| {
        Said::new(net.at, format!("-s {} ! -o {} -j MASQUERADE", net.subnet, net.bridge))
    });
    let to_itself = published(host).map(|(_, end, p)| {
        let (ip, port, proto) = (end.ip, p.what.guest, proto(p.what));
        let text = format!("-s {ip}/32 -d {ip}/32 -p {proto} --dport {port} -j MASQUERADE");
        Said::new(p.at, text)
    });
    let postrouting = table.chain("POSTROUTING", at);
    postrouting.rules.splice(0..0, masquerade);
    postrouting.rules.extend(to_itself);
    let from_inside =
        host.nets.iter().rev().map(|n| Said::new(n.at, format!("-i {} -j RETURN", n.bridge)));
    let to_container = published(host).map(|(net, end, p)| {
        let (proto, to) = (proto(p.what), Publish { ip: None, ..p.what });
        let dst = p.what.ip.map(|ip: Ipv4Addr| format!("-d {ip}/32 ")).unwrap_or_default();
        let text = format!(
            "{dst}! -i {} -p {proto} --dport {} -j DNAT --to-destination {}:{}",
            net.bridge, to.host, end.ip, to.guest
        );
        Said::new(p.at, text)
    });
    let docker = table.chain("DOCKER", at);
    docker.rules.splice(0..0, from_inside);
    docker.rules.extend(to_container);
}

fn filter(table: &mut Table, host: &Host, at: At, drop: bool) {
    for name in DOCKER_CHAINS {
        table.chain(name, at);
    }
    let jump = |to: &str| Said::new(at, format!("-j {to}"));
    let mut forward = vec![jump("DOCKER-USER"), jump("DOCKER-ISOLATION-STAGE-1")];
    for net in host.nets.iter().rev() {
        let br = &net.bridge;
        let rules = [
            format!("-o {br} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
            format!("-o {br} -j DOCKER"),
            format!("-i {br} ! -o {br} -j ACCEPT"),
            format!("-i {br} -o {br} -j ACCEPT"),
        ];
        forward.extend(rules.map(|r| Said::new(net.at, r)));
    }
    let chain = table.chain("FORWARD", at);
    chain.rules.splice(0..0, forward);
    chain.drop = chain.drop.or(Some(drop));
    let accept = published(host).map(|(net, end, p)| {
        let (proto, port) = (proto(p.what), p.what.guest);
        let text = format!(
            "-d {}/32 ! -i {br} -o {br} -p {proto} --dport {port} -j ACCEPT",
            end.ip,
            br = net.bridge
        );
        Said::new(p.at, text)
    });
    table.chain("DOCKER", at).rules.extend(accept);
    isolate(table, host, at);
    table.chain("DOCKER-USER", at).rules.push(jump("RETURN"));
}

/// No network of this host reaches another: STAGE-1 sees where a packet is from, STAGE-2 where to.
fn isolate(table: &mut Table, host: &Host, at: At) {
    let stage = |table: &mut Table, name: &str, rule: &dyn Fn(&Network) -> String| {
        let rules = host.nets.iter().rev().map(|n| Said::new(n.at, rule(n)));
        let end = Said::new(at, "-j RETURN".to_owned());
        let chain: &mut Chain = table.chain(name, at);
        chain.rules.splice(0..0, rules);
        chain.rules.push(end);
    };
    stage(table, "DOCKER-ISOLATION-STAGE-1", &|n| {
        format!("-i {br} ! -o {br} -j DOCKER-ISOLATION-STAGE-2", br = n.bridge)
    });
    stage(table, "DOCKER-ISOLATION-STAGE-2", &|n| format!("-o {} -j DROP", n.bridge));
}

/// Every published port, in the order in which the containers start.
fn published(host: &Host) -> impl Iterator<Item = (&Network, &Endpoint, &Said<Publish>)> {
    let mut all: Vec<(&Network, &Endpoint, &Said<Publish>)> = Vec::new();
    for net in &host.nets {
        for end in &net.endpoints {
            all.extend(end.publish.iter().map(|p| (net, end, p)));
        }
    }
    all.sort_by_key(|(_, _, p)| p.at);
    all.into_iter()
}

const fn proto(publish: Publish) -> &'static str {
    if publish.udp { "udp" } else { "tcp" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Errors;

    /// The tables of the namespace `host` as `iptables-save` would write them, counters aside.
    fn check(text: &str) -> String {
        let lab = crate::parse(text, "test.yaml").unwrap_or_else(|e| panic!("{e:?}"));
        let spaces: Vec<&Space> = lab.spaces.iter().collect();
        let hosts = super::super::docker::resolve(&lab, &spaces, &mut Errors::new("test.yaml"));
        let space = lab.space("host").unwrap();
        worded(space, hosts.get("host")).iter().map(Table::to_string).collect()
    }

    #[test]
    fn one_network() {
        insta::assert_snapshot!(check("name: x\nnamespaces: {host: {docker: {networks: {}}}}"), @"
    *nat
    :PREROUTING None
    :OUTPUT None
    :POSTROUTING None
    :DOCKER None
    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
    -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
    -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
    -A DOCKER -i docker0 -j RETURN
    *filter
    :DOCKER None
    :DOCKER-ISOLATION-STAGE-1 None
    :DOCKER-ISOLATION-STAGE-2 None
    :DOCKER-USER None
    :FORWARD Some(true)
    -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
    -A DOCKER-ISOLATION-STAGE-1 -j RETURN
    -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
    -A DOCKER-ISOLATION-STAGE-2 -j RETURN
    -A DOCKER-USER -j RETURN
    -A FORWARD -j DOCKER-USER
    -A FORWARD -j DOCKER-ISOLATION-STAGE-1
    -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    -A FORWARD -o docker0 -j DOCKER
    -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
    -A FORWARD -i docker0 -o docker0 -j ACCEPT
    ");
    }

    #[test]
    fn two_networks_and_published_ports() {
        insta::assert_snapshot!(check("
            name: x
            namespaces:
              host:
                sysctls: {net.ipv4.ip_forward: 1}
                docker: {networks: {back: {bridge: br-back}}}
                iptables:
                  filter: {DOCKER-USER: [-s 10.0.0.9 -j DROP], FORWARD: [-i eth0 -j ACCEPT]}
                  nat: {POSTROUTING: [-s 10.0.0.0/8 -j MASQUERADE]}
                  raw: {PREROUTING: {policy: DROP}}
              a: {inside: host, docker: {publish: ['8080:80', '127.0.0.1:53:53/udp']}}
              b: {inside: host, docker: {network: back, publish: ['90:91']}}
        "), @"
    *filter
    :DOCKER-USER None
    :FORWARD Some(false)
    :DOCKER None
    :DOCKER-ISOLATION-STAGE-1 None
    :DOCKER-ISOLATION-STAGE-2 None
    -A DOCKER-USER -s 10.0.0.9 -j DROP
    -A DOCKER-USER -j RETURN
    -A FORWARD -j DOCKER-USER
    -A FORWARD -j DOCKER-ISOLATION-STAGE-1
    -A FORWARD -o br-back -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    -A FORWARD -o br-back -j DOCKER
    -A FORWARD -i br-back ! -o br-back -j ACCEPT
    -A FORWARD -i br-back -o br-back -j ACCEPT
    -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    -A FORWARD -o docker0 -j DOCKER
    -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
    -A FORWARD -i docker0 -o docker0 -j ACCEPT
    -A FORWARD -i eth0 -j ACCEPT
    -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT
    -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p udp --dport 53 -j ACCEPT
    -A DOCKER -d 172.18.0.2/32 ! -i br-back -o br-back -p tcp --dport 91 -j ACCEPT
    -A DOCKER-ISOLATION-STAGE-1 -i br-back ! -o br-back -j DOCKER-ISOLATION-STAGE-2
    -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
    -A DOCKER-ISOLATION-STAGE-1 -j RETURN
    -A DOCKER-ISOLATION-STAGE-2 -o br-back -j DROP
    -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
    -A DOCKER-ISOLATION-STAGE-2 -j RETURN
    *nat
    :POSTROUTING None
    :PREROUTING None
    :OUTPUT None
    :DOCKER None
    -A POSTROUTING -s 172.18.0.0/16 ! -o br-back -j MASQUERADE
    -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
    -A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE
    -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp --dport 80 -j MASQUERADE
    -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p udp --dport 53 -j MASQUERADE
    -A POSTROUTING -s 172.18.0.2/32 -d 172.18.0.2/32 -p tcp --dport 91 -j MASQUERADE
    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
    -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
    -A DOCKER -i br-back -j RETURN
    -A DOCKER -i docker0 -j RETURN
    -A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
    -A DOCKER -d 127.0.0.1/32 ! -i docker0 -p udp --dport 53 -j DNAT --to-destination 172.17.0.2:53
    -A DOCKER ! -i br-back -p tcp --dport 90 -j DNAT --to-destination 172.18.0.2:91
    *raw
    :PREROUTING Some(true)
    ");
    }
}
