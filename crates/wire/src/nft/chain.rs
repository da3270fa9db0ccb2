//! NFTA_CHAIN_* and NFTA_HOOK_*.

use model::{BaseChain, Chain, Family, Hook, Policy};

use super::attr::{Attrs, Writer, text};

const TABLE: u16 = 1;
const NAME: u16 = 3;
const HOOK: u16 = 4;
const POLICY: u16 = 5;
const TYPE: u16 = 7;

const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
const HOOK_DEVICE: u16 = 3;
const HOOK_DEVICES: u16 = 4;
const DEVICE_NAME: u16 = 1;

/// A chain without its rules, and the name of its table. None if the bytes are not one; Err with
/// the chain's name if it hooks in where no known hook is.
pub(super) fn decode(family: Family, body: &[u8]) -> Option<Result<(String, Chain), String>> {
    let attrs = Attrs::parse(body)?;
    let (table, name) = (attrs.text(TABLE)?, attrs.text(NAME)?);
    let base = match attrs.nest(HOOK) {
        None => None,
        Some(nest) => match decode_base(family, &attrs, &nest) {
            Some(base) => Some(base),
            None => return Some(Err(name)),
        },
    };
    Some(Ok((table, Chain { name, base, rules: Vec::new() })))
}

fn decode_base(family: Family, attrs: &Attrs<'_>, nest: &Attrs<'_>) -> Option<BaseChain> {
    Some(BaseChain {
        hook: hook(family, nest.u32(HOOK_NUMBER)?)?,
        priority: nest.u32(HOOK_PRIORITY)?.cast_signed(),
        kind: attrs.text(TYPE).unwrap_or_else(|| "filter".to_owned()),
        policy: match attrs.u32(POLICY) {
            Some(0) => Policy::Drop,
            _ => Policy::Accept,
        },
        devices: devices(nest),
    })
}

fn devices(nest: &Attrs<'_>) -> Vec<String> {
    match nest.nest(HOOK_DEVICES) {
        Some(list) => list.iter().map(|(_, name)| text(name)).collect(),
        None => nest.text(HOOK_DEVICE).into_iter().collect(),
    }
}

pub(super) fn encode(family: Family, table: &str, chain: &Chain) -> Writer {
    let mut w = Writer::default();
    w.text(TABLE, table);
    w.text(NAME, &chain.name);
    if let Some(base) = &chain.base {
        w.nest(HOOK, |w| {
            w.u32(HOOK_NUMBER, hook_number(family, base.hook));
            w.u32(HOOK_PRIORITY, base.priority.cast_unsigned());
            encode_devices(w, &base.devices);
        });
        w.u32(POLICY, u32::from(base.policy == Policy::Accept));
        w.text(TYPE, &base.kind);
    }
    w
}

fn encode_devices(w: &mut Writer, devices: &[String]) {
    match devices {
        [] => {}
        [one] => w.text(HOOK_DEVICE, one),
        many => w.nest(HOOK_DEVICES, |w| many.iter().for_each(|d| w.text(DEVICE_NAME, d))),
    }
}

/// NF_INET_*, NF_BR_*, NF_ARP_* and NF_NETDEV_*.
const fn hook(family: Family, number: u32) -> Option<Hook> {
    Some(match (family, number) {
        (Family::Netdev, 0) => Hook::Ingress,
        (Family::Netdev, 1) => Hook::Egress,
        (Family::Netdev, _) => return None,
        (Family::Arp, 0) => Hook::Input,
        (Family::Arp, 1) => Hook::Output,
        (Family::Arp, 2) => Hook::Forward,
        (Family::Arp, _) => return None,
        (_, 0) => Hook::Prerouting,
        (_, 1) => Hook::Input,
        (_, 2) => Hook::Forward,
        (_, 3) => Hook::Output,
        (_, 4) => Hook::Postrouting,
        (Family::Inet, 5) => Hook::Ingress,
        _ => return None,
    })
}

/// The inverse; a hook that the family does not have gets a number that the kernel refuses.
const fn hook_number(family: Family, hook: Hook) -> u32 {
    match (family, hook) {
        (Family::Netdev, Hook::Ingress) | (Family::Arp, Hook::Input) => 0,
        (Family::Netdev, Hook::Egress) | (Family::Arp, Hook::Output) => 1,
        (Family::Arp, Hook::Forward) => 2,
        (Family::Netdev | Family::Arp, _) => u32::MAX,
        (_, Hook::Prerouting) => 0,
        (_, Hook::Input) => 1,
        (_, Hook::Forward) => 2,
        (_, Hook::Output) => 3,
        (_, Hook::Postrouting) => 4,
        (Family::Inet, Hook::Ingress) => 5,
        (_, Hook::Ingress | Hook::Egress) => u32::MAX,
    }
}
