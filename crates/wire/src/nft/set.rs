//! NFTA_SET_*, NFTA_SET_ELEM_LIST_* and NFTA_SET_ELEM_*.

use std::collections::BTreeMap;

use model::{Set, SetElement};

use super::attr::{Attrs, Writer};
use super::expr::{data, decode_list, encode_all};

const TABLE: u16 = 1;
const NAME: u16 = 2;
const FLAGS: u16 = 3;
const KEY_TYPE: u16 = 4;
const KEY_LEN: u16 = 5;
const DATA_TYPE: u16 = 6;
const DATA_LEN: u16 = 7;
const POLICY: u16 = 8;
const DESC: u16 = 9;
const ID: u16 = 10;
const TIMEOUT: u16 = 11;
const GC_INTERVAL: u16 = 12;
const USERDATA: u16 = 13;
const OBJECT: u16 = 15;
const EXPR: u16 = 17;
const EXPRESSIONS: u16 = 18;

const DESC_SIZE: u16 = 1;
const DESC_CONCAT: u16 = 2;
const CONCAT_FIELD: u16 = 1;
const FIELD_LEN: u16 = 1;

const LIST_TABLE: u16 = 1;
const LIST_SET: u16 = 2;
const LIST_ELEMENTS: u16 = 3;
const LIST_SET_ID: u16 = 4;
const LIST_ELEMENT: u16 = 1;

const ELEM_KEY: u16 = 1;
const ELEM_DATA: u16 = 2;
const ELEM_FLAGS: u16 = 3;
const ELEM_TIMEOUT: u16 = 4;
const ELEM_EXPIRATION: u16 = 5;
const ELEM_USERDATA: u16 = 6;
const ELEM_EXPR: u16 = 7;
const ELEM_OBJECT: u16 = 9;
const ELEM_KEY_END: u16 = 10;
const ELEM_EXPRESSIONS: u16 = 11;

const DATA_VALUE: u16 = 1;

/// NFT_SET_ANONYMOUS: the kernel numbers it itself.
const ANONYMOUS: u32 = 1;
/// NFT_SET_MAP.
const MAP: u32 = 8;
/// NFT_SET_ELEM_CATCHALL.
const CATCHALL: u32 = 2;
/// An element list must fit one attribute of 65535 bytes; half of it leaves room for any element.
const LIST_BYTES: usize = 32 * 1024;

/// Numbers by which the rules of one batch point to sets that it makes.
#[derive(Debug, Default)]
pub(super) struct SetIds(BTreeMap<String, (u32, String)>);

impl SetIds {
    pub(super) fn new(sets: &[Set]) -> Self {
        Self((1..).zip(sets).map(|(id, set)| (set.name.clone(), (id, written_name(set)))).collect())
    }

    /// Number and name to be written for the set of that name; None: it is not of this batch.
    pub(super) fn get(&self, name: &str) -> Option<(u32, &str)> {
        self.0.get(name).map(|(id, name)| (*id, name.as_str()))
    }
}

/// The kernel fills in the `%d` of an anonymous set's name.
fn written_name(set: &Set) -> String {
    match (set.flags & ANONYMOUS != 0, set.flags & MAP != 0) {
        (true, true) => "__map%d".to_owned(),
        (true, false) => "__set%d".to_owned(),
        (false, _) => set.name.clone(),
    }
}

/// A set without its elements, and the name of its table.
pub(super) fn decode(body: &[u8]) -> Option<(String, Set)> {
    let attrs = Attrs::parse(body)?;
    let set = Set {
        name: attrs.text(NAME)?,
        flags: attrs.u32(FLAGS).unwrap_or(0),
        key_type: attrs.u32(KEY_TYPE).unwrap_or(0),
        key_len: attrs.u32(KEY_LEN).unwrap_or(0),
        data_type: attrs.u32(DATA_TYPE),
        data_len: attrs.u32(DATA_LEN),
        fields: fields(&attrs).unwrap_or_default(),
        object: attrs.u32(OBJECT),
        timeout: attrs.u64(TIMEOUT).unwrap_or(0),
        gc_interval: attrs.u32(GC_INTERVAL).unwrap_or(0),
        size: attrs.nest(DESC).and_then(|desc| desc.u32(DESC_SIZE)).unwrap_or(0),
        policy: attrs.u32(POLICY).unwrap_or(0),
        exprs: decode_list(&attrs, EXPR, EXPRESSIONS)?,
        userdata: attrs.get(USERDATA).unwrap_or_default().to_vec(),
        elements: Vec::new(),
    };
    Some((attrs.text(TABLE)?, set))
}

fn fields(attrs: &Attrs<'_>) -> Option<Vec<u32>> {
    let concat = attrs.nest(DESC)?.nest(DESC_CONCAT)?;
    concat.iter().map(|(_, field)| Attrs::parse(field)?.u32(FIELD_LEN)).collect()
}

/// Table, set, and elements of one NEWSETELEM.
pub(super) fn decode_elements(body: &[u8]) -> Option<(String, String, Vec<SetElement>)> {
    let attrs = Attrs::parse(body)?;
    let mut elements = Vec::new();
    if attrs.get(LIST_ELEMENTS).is_some() {
        for (_, one) in attrs.nest(LIST_ELEMENTS)?.iter() {
            elements.push(decode_element(one)?);
        }
    }
    Some((attrs.text(LIST_TABLE)?, attrs.text(LIST_SET)?, elements))
}

fn decode_element(bytes: &[u8]) -> Option<SetElement> {
    let attrs = Attrs::parse(bytes)?;
    let flags = attrs.u32(ELEM_FLAGS).unwrap_or(0);
    let value = |kind| attrs.nest(kind).and_then(|d| d.get(DATA_VALUE).map(<[u8]>::to_vec));
    let key = value(ELEM_KEY);
    if key.is_none() && flags & CATCHALL == 0 {
        return None;
    }
    let data = match attrs.get(ELEM_DATA) {
        Some(bytes) => Some(data::decode(bytes)?),
        None => None,
    };
    let userdata = attrs.get(ELEM_USERDATA).unwrap_or_default().to_vec();
    Some(SetElement {
        key,
        key_end: value(ELEM_KEY_END),
        flags,
        data,
        object: attrs.text(ELEM_OBJECT),
        timeout: attrs.u64(ELEM_TIMEOUT),
        expires: attrs.u64(ELEM_EXPIRATION),
        exprs: decode_list(&attrs, ELEM_EXPR, ELEM_EXPRESSIONS)?,
        userdata,
    })
}

pub(super) fn encode(table: &str, set: &Set, ids: &SetIds) -> Writer {
    let mut w = Writer::default();
    let (id, name) = ids.get(&set.name).unwrap_or((0, &set.name));
    w.text(TABLE, table);
    w.text(NAME, name);
    w.u32(FLAGS, set.flags);
    w.u32(KEY_TYPE, set.key_type);
    w.u32(KEY_LEN, set.key_len);
    if let Some(kind) = set.data_type {
        w.u32(DATA_TYPE, kind);
    }
    if let Some(len) = set.data_len {
        w.u32(DATA_LEN, len);
    }
    encode_description(set, &mut w);
    set.object.iter().for_each(|kind| w.u32(OBJECT, *kind));
    if set.policy != 0 {
        w.u32(POLICY, set.policy);
    }
    if set.timeout != 0 {
        w.u64(TIMEOUT, set.timeout);
    }
    if set.gc_interval != 0 {
        w.u32(GC_INTERVAL, set.gc_interval);
    }
    encode_all(&set.exprs, EXPR, EXPRESSIONS, ids, &mut w);
    w.u32(ID, id);
    if !set.userdata.is_empty() {
        w.bytes(USERDATA, &set.userdata);
    }
    w
}

fn encode_description(set: &Set, w: &mut Writer) {
    if set.fields.is_empty() && set.size == 0 {
        return;
    }
    let field = |w: &mut Writer, len: &u32| w.nest(CONCAT_FIELD, |w| w.u32(FIELD_LEN, *len));
    w.nest(DESC, |w| {
        if set.size != 0 {
            w.u32(DESC_SIZE, set.size);
        }
        if !set.fields.is_empty() {
            w.nest(DESC_CONCAT, |w| set.fields.iter().for_each(|f| field(w, f)));
        }
    });
}

/// The elements, in as many messages as they need.
pub(super) fn encode_elements(table: &str, set: &Set, ids: &SetIds) -> Vec<Writer> {
    let mut bodies = Vec::new();
    let mut list = Writer::default();
    for element in &set.elements {
        list.nest(LIST_ELEMENT, |w| encode_element(element, ids, w));
        if list.len() > LIST_BYTES {
            bodies.push(element_list(table, set, ids, std::mem::take(&mut list)));
        }
    }
    if list.len() > 0 {
        bodies.push(element_list(table, set, ids, list));
    }
    bodies
}

fn element_list(table: &str, set: &Set, ids: &SetIds, list: Writer) -> Writer {
    let mut w = Writer::default();
    let (id, name) = ids.get(&set.name).unwrap_or((0, &set.name));
    w.text(LIST_TABLE, table);
    w.text(LIST_SET, name);
    w.u32(LIST_SET_ID, id);
    w.nested_bytes(LIST_ELEMENTS, &list.finish());
    w
}

fn encode_element(element: &SetElement, ids: &SetIds, w: &mut Writer) {
    if element.flags != 0 {
        w.u32(ELEM_FLAGS, element.flags);
    }
    if let Some(key) = &element.key {
        w.nest(ELEM_KEY, |w| w.bytes(DATA_VALUE, key));
    }
    if let Some(key) = &element.key_end {
        w.nest(ELEM_KEY_END, |w| w.bytes(DATA_VALUE, key));
    }
    if let Some(value) = &element.data {
        data::encode(ELEM_DATA, value, w);
    }
    element.timeout.iter().for_each(|ms| w.u64(ELEM_TIMEOUT, *ms));
    element.expires.iter().for_each(|ms| w.u64(ELEM_EXPIRATION, *ms));
    element.object.iter().for_each(|name| w.text(ELEM_OBJECT, name));
    encode_all(&element.exprs, ELEM_EXPR, ELEM_EXPRESSIONS, ids, w);
    if !element.userdata.is_empty() {
        w.bytes(ELEM_USERDATA, &element.userdata);
    }
}
