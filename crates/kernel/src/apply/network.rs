//! Addresses, routes, neighbours, sysctls and nftables tables.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::Ipv6Net;
use model::{AddressLabel, AddressLabels, AddressSpec, LinkRef, Mac, RouteSpec, Rule, Table};
use netlink_packet_route::RouteNetlinkMessage as Message;
use rustix::io::Errno;
use wire::{nft, request, rtnl};

use super::link::master as link_master;
use super::{Builder, Cause, Space};
use crate::neighbour::Watch;
use crate::netlink::{Protocol, Refusal, Request, Socket};
use crate::netns;
use crate::sys::{self, Spaces};

/// How long a neighbour that is asked for may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Builder<'_> {
    pub(super) fn make_address(&mut self, spec: &AddressSpec) -> Result<(), Cause> {
        let space = self.space_mut(&spec.link.ns)?;
        let message = request::address(spec, space.index(&spec.link.name)?);
        Ok(space.route.ack(Request::from(Message::NewAddress(message)).create())?)
    }

    pub(super) fn remove_address(&mut self, spec: &AddressSpec) -> Result<(), Cause> {
        let space = self.space_mut(&spec.link.ns)?;
        let message = request::address(spec, space.index(&spec.link.name)?);
        Ok(space.route.ack(Message::DelAddress(message))?)
    }

    pub(super) fn make_route(&mut self, spec: &RouteSpec) -> Result<(), Cause> {
        let space = self.space_mut(&spec.ns)?;
        let message = Message::NewRoute(request::route(spec, &links_out(space, spec)?));
        Ok(space.route.ack(Request::from(message).create())?)
    }

    pub(super) fn remove_route(&mut self, spec: &RouteSpec) -> Result<(), Cause> {
        let space = self.space_mut(&spec.ns)?;
        let links = links_out(space, spec)?;
        Ok(space.route.ack(Message::DelRoute(request::route(spec, &links)))?)
    }

    pub(super) fn make_rule(&mut self, ns: &str, rule: &Rule) -> Result<(), Cause> {
        let message = Message::NewRule(request::rule(rule));
        let route = &mut self.space_mut(ns)?.route;
        route.ack(Request::from(message).create())?;
        let Some(lacking) = passed_over(route, rule)? else { return Ok(()) };
        // It is another one than was wanted, and may catch much more.
        route.ack(Message::DelRule(request::rule(rule)))?;
        Err(Cause::new(format!(
            "this kernel passes over {lacking}, as if it had not been said: leave it out, or take a newer kernel"
        )))
    }

    pub(super) fn remove_rule(&mut self, ns: &str, rule: &Rule) -> Result<(), Cause> {
        Ok(self.space_mut(ns)?.route.ack(Message::DelRule(request::rule(rule)))?)
    }

    /// Gives addresses a label, or (None) that which every namespace starts with, if there is one.
    pub(super) fn set_label(
        &mut self,
        ns: &str,
        net: Ipv6Net,
        dev: Option<&String>,
        label: Option<u32>,
    ) -> Result<(), Cause> {
        let space = self.space_mut(ns)?;
        let link = dev.map(|dev| space.index(dev)).transpose()?;
        let body = |label| request::address_label(&AddressLabel { net, link, label });
        let request = match label.or_else(|| AddressLabels::usual(net, link)) {
            Some(label) => Request::new(request::RTM_NEWADDRLABEL, body(label)).create().replace(),
            None => Request::new(request::RTM_DELADDRLABEL, body(0)),
        };
        Ok(space.route.ack(request)?)
    }

    pub(super) fn make_neighbour(
        &mut self,
        link: &LinkRef,
        ip: IpAddr,
        mac: Option<Mac>,
    ) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let request = Request::from(Message::NewNeighbour(request::neighbour(index, ip, mac)));
        if mac.is_some() {
            return Ok(space.route.ack(request.replace())?);
        }
        // Listened for before it is asked: the answer may come at once.
        let watch = Watch::open_in(&space.net)?;
        space.route.ack(request.replace())?;
        let until = Instant::now() + ANSWER_WITHIN;
        match watch.resolved(index, ip, until)? {
            true => Ok(()),
            false => Err(Cause::new(format!("{ip} does not answer on {link}"))),
        }
    }

    pub(super) fn remove_neighbour(&mut self, link: &LinkRef, ip: IpAddr) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let message = Message::DelNeighbour(request::neighbour(index, ip, None));
        Ok(space.route.ack(message)?)
    }

    pub(super) fn make_proxy(&mut self, link: &LinkRef, ip: IpAddr) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let message = request::proxy(space.index(&link.name)?, ip);
        Ok(space.route.ack(Request::from(Message::NewNeighbour(message)).create())?)
    }

    pub(super) fn remove_proxy(&mut self, link: &LinkRef, ip: IpAddr) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let message = request::proxy(space.index(&link.name)?, ip);
        Ok(space.route.ack(Message::DelNeighbour(message))?)
    }

    pub(super) fn make_fdb(&mut self, link: &LinkRef, mac: Mac) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let message = request::fdb(space.index(&link.name)?, mac);
        Ok(space.route.ack(Request::from(Message::NewNeighbour(message)).replace())?)
    }

    pub(super) fn remove_fdb(&mut self, link: &LinkRef, mac: Mac) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let message = request::fdb(space.index(&link.name)?, mac);
        Ok(space.route.ack(Message::DelNeighbour(message))?)
    }

    pub(super) fn make_vlan(
        &mut self,
        link: &LinkRef,
        id: u16,
        pvid: bool,
        untagged: bool,
    ) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let own = link_master(space, index)?.is_none();
        let body = request::bridge_vlan(index, own, id, pvid, untagged);
        space.route.ack(Request::new(request::RTM_SETLINK, body)).map_err(|e| {
            let lacking = e.errno == Errno::OPNOTSUPP;
            let mut cause = Cause::from(e);
            if lacking {
                cause.text = "bridges of this kernel do not filter VLANs".to_owned();
            }
            cause
        })
    }

    pub(super) fn remove_vlan(&mut self, link: &LinkRef, id: u16) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let own = link_master(space, index)?.is_none();
        let body = request::bridge_vlan(index, own, id, false, false);
        Ok(space.route.ack(Request::new(request::RTM_DELLINK, body))?)
    }

    /// An entry is taken only by a bridge and a port that are in use: once carriers are told.
    pub(super) fn make_mdb(&mut self, link: &LinkRef, group: IpAddr) -> Result<(), Cause> {
        self.settle_links()?;
        let (space, body) = self.mdb_entry(link, group)?;
        let request = Request::new(request::RTM_NEWMDB, body).create();
        Ok(space.route.ack(request)?)
    }

    pub(super) fn remove_mdb(&mut self, link: &LinkRef, group: IpAddr) -> Result<(), Cause> {
        let (space, body) = self.mdb_entry(link, group)?;
        Ok(space.route.ack(Request::new(request::RTM_DELMDB, body))?)
    }

    fn mdb_entry(&mut self, link: &LinkRef, group: IpAddr) -> Result<(&mut Space, Vec<u8>), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let master = link_master(space, index)?;
        Ok((space, request::mdb(master.unwrap_or(index), index, group)))
    }

    pub(super) fn set_sysctl(&mut self, ns: &str, key: &str, value: &str) -> Result<(), Cause> {
        let path = format!("/proc/sys/{key}");
        netns::within(&self.space(ns)?.net, || std::fs::write(&path, value))?.map_err(|e| {
            let missing = e.kind() == io::ErrorKind::NotFound;
            let mut cause = Cause::from(e);
            if missing {
                cause.text = format!("this kernel has no {path} in {ns}");
            }
            cause
        })
    }

    /// Gives a sysctl the value that it would have if nobody had set it.
    pub(super) fn reset_sysctl(&mut self, ns: &str, key: &str) -> Result<(), Cause> {
        let read = |key: &str| std::fs::read_to_string(format!("/proc/sys/{key}"));
        let value = match default_of(key) {
            Some(default) => netns::within(&self.space(ns)?.net, || read(&default))??,
            // A fresh namespace has the values that this one began with. A thread of its own ends
            // in it, and with it the namespace.
            None => std::thread::scope(|scope| {
                let fresh = || sys::unshare(Spaces::NET).and_then(|()| read(key));
                scope.spawn(fresh).join().unwrap_or_else(|_| Err(io::Error::other("panicked")))
            })?,
        };
        self.set_sysctl(ns, key, value.trim_end())
    }

    pub(super) fn set_table(&mut self, ns: &str, table: &Table, exists: bool) -> Result<(), Cause> {
        if table.ip_sets().next().is_none() {
            return self.write_table(ns, table, exists);
        }
        let mut table = table.clone();
        self.number_ipsets(ns, &mut table)?;
        self.write_table(ns, &table, exists)
    }

    fn write_table(&mut self, ns: &str, table: &Table, exists: bool) -> Result<(), Cause> {
        match table.is_legacy() {
            true => self.set_legacy(ns, table),
            false => self.transact(ns, &nft::replace_table(exists, table)),
        }
    }

    pub(super) fn remove_table(&mut self, ns: &str, table: &Table) -> Result<(), Cause> {
        if table.is_legacy() {
            return self.clear_legacy(ns, table);
        }
        self.transact(ns, &nft::delete_table(table.family, &table.name))
    }

    /// Sends one nftables transaction: all of it is done, or none.
    fn transact(&mut self, ns: &str, batch: &nft::Batch) -> Result<(), Cause> {
        let mut socket = Socket::open_in(&self.space(ns)?.net, Protocol::Netfilter)?;
        let requests: Vec<Request> = batch
            .messages
            .iter()
            .map(|m| Request::new(m.kind, m.body.clone()).with(m.flags))
            .collect();
        match socket.batch(&requests)?.into_iter().next() {
            None => Ok(()),
            Some(refused) => Err(refusal(batch, &refused)),
        }
    }
}

/// Where new links take the value of a link's own setting from.
fn default_of(key: &str) -> Option<String> {
    let parts: Vec<&str> = key.split('/').collect();
    match parts.as_slice() {
        ["net", family, kind @ ("conf" | "neigh"), link, name]
            if !["all", "default"].contains(link) =>
        {
            Some(["net", *family, *kind, "default", *name].join("/"))
        }
        _ => None,
    }
}

/// Names the part of the transaction that the kernel did not take.
fn refusal(batch: &nft::Batch, refused: &Refusal) -> Cause {
    let part = batch.messages.get(refused.index).map_or("", |m| m.what.as_str());
    let errno = refused.error.errno;
    let hint = match errno {
        Errno::NOENT | Errno::OPNOTSUPP => " (this kernel may lack what it uses)",
        _ => "",
    };
    Cause { text: format!("{part}: {}{hint}", refused.error), errno: Some(errno) }
}

/// The links of all ways out of a route.
/// What the kernel has left out of a rule that it was given, if it is not the same: older ones do not
/// know all selectors, and do not say so.
pub(crate) fn passed_over(route: &mut Socket, rule: &Rule) -> Result<Option<&'static str>, Cause> {
    let odd = |r: &Rule| (r.dscp, r.port_masks);
    if odd(rule) == (None, (None, None)) {
        return Ok(None);
    }
    let replies = route.dump(rtnl::get_rules())?;
    let all = rtnl::messages(&replies.bytes).filter_map(|m| rtnl::rule(&m));
    let mut made = all.filter(|r| (r.ipv6, r.priority) == (rule.ipv6, rule.priority));
    let lacking = if rule.dscp.is_some() {
        "`dscp` of a routing rule (known from Linux 6.12 on)"
    } else {
        "the mask of a port in a routing rule (known from Linux 6.15 on)"
    };
    Ok((!made.any(|r| odd(&r) == odd(rule))).then_some(lacking))
}

fn links_out(space: &mut Space, spec: &RouteSpec) -> Result<Vec<u32>, Cause> {
    let names = spec.dev.iter().chain(spec.more.iter().filter_map(|hop| hop.dev.as_ref()));
    names.map(|dev| space.index(dev)).collect()
}
