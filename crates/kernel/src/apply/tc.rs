//! What tc does at a link: a `clsact`, and filters; what stands behind it.

use model::{LinkRef, Queue, Tc};
use wire::request;

use super::{Builder, Cause};
use crate::netlink::Request;

impl Builder<'_> {
    pub(super) fn make_tc(&mut self, link: &LinkRef, tc: &Tc<String>) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let Some(tc) = tc.renamed(|name| space.index(name).ok()) else {
            return Err(Cause::new(format!("a link that a filter of {link} names is not there")));
        };
        let place = Request::new(request::RTM_NEWQDISC, request::clsact(index)).create();
        space.route.ack(place)?;
        let ingress = tc.ingress.iter().map(|filter| (true, filter));
        for (side, filter) in ingress.chain(tc.egress.iter().map(|filter| (false, filter))) {
            let Some(body) = request::filter(index, side, filter) else {
                return Err(Cause::new(format!(
                    "a filter of {link} is of a kind that is not made"
                )));
            };
            let request = Request::new(request::RTM_NEWTFILTER, body).create();
            space.route.ack(request).map_err(|e| Cause::from(e).about("filter"))?;
        }
        Ok(())
    }

    pub(super) fn remove_tc(&mut self, link: &LinkRef) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let place = Request::new(request::RTM_DELQDISC, request::clsact(index));
        Ok(space.route.ack(place)?)
    }

    pub(super) fn make_queue(&mut self, link: &LinkRef, queue: &Queue) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let index = space.index(&link.name)?;
        let Some(body) = request::queue(index, queue) else {
            return Err(Cause::new(format!(
                "what stands behind {link} is of a kind that is not made"
            )));
        };
        Ok(space.route.ack(Request::new(request::RTM_NEWQDISC, body).create())?)
    }

    pub(super) fn remove_queue(&mut self, link: &LinkRef) -> Result<(), Cause> {
        let space = self.space_mut(&link.ns)?;
        let body = request::no_queue(space.index(&link.name)?);
        Ok(space.route.ack(Request::new(request::RTM_DELQDISC, body))?)
    }
}
