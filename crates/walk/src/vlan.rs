//! VLAN links (`net/8021q`): what they send gets a tag and goes out by the link below; what comes in
//! there with that tag is theirs, before anybody else is asked.

use model::{Link, LinkId, LinkKind, Vlan};

use crate::skb::{Next, Skb, Stop, Tag};
use crate::trace::VlanStep;
use crate::walker::Walker;
use crate::{Action, Reason, Sink, Stage};

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `vlan_dev_hard_start_xmit`. (Without `reorder_hdr` the tag is in the frame already; what goes
    /// over the link is the same.)
    pub(crate) fn vlan_out(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        link: &Link,
        vlan: &Vlan,
    ) -> Result<Next<'a>, Stop> {
        let lower = self.lower(id, link)?;
        skb.tags.push(Tag { protocol: vlan.protocol, id: vlan.id });
        let (id, step) = (vlan.id, VlanStep::Tagged);
        self.tell(skb, Stage::Transmit, || Action::Vlan { link: lower, id, step });
        self.out_by(lower)
    }

    /// `vlan_do_receive`: the VLAN link whose tag a frame has; None: there is none.
    pub(crate) fn vlan_in(
        &mut self,
        skb: &mut Skb,
        lower: LinkId,
    ) -> Result<Option<Next<'a>>, Stop> {
        let Some(tag) = skb.tags.last().copied() else { return Ok(None) };
        let Some(upper) = self.vlan_on(lower, tag) else { return Ok(None) };
        let link = self.link(upper, Stage::Receive)?;
        if !link.is_up() {
            return Err(Stop::lost(Stage::Receive, upper.ns, Some(upper), Reason::LinkDown));
        }
        skb.tags.pop();
        skb.kept = skb.ours.then_some(true);
        let (id, step) = (tag.id, VlanStep::Untagged);
        self.tell(skb, Stage::Receive, || Action::Vlan { link: upper, id, step });
        self.in_by(upper).map(Some)
    }

    fn vlan_on(&self, lower: LinkId, tag: Tag) -> Option<LinkId> {
        let has = |upper: &&LinkId| {
            let kind = self.net.link(**upper).map(|link| &link.kind);
            matches!(kind, Some(LinkKind::Vlan(v)) if (v.protocol, v.id) == (tag.protocol, tag.id))
        };
        self.net.uppers(lower).iter().find(has).copied()
    }

    /// `__netif_receive_skb_core`: what still has a tag is for nobody, unless that says only a
    /// priority.
    pub(crate) fn without_tag(&self, skb: &mut Skb, id: LinkId) -> Result<(), Stop> {
        while skb.tags.pop_if(|tag| tag.id == 0).is_some() {}
        let Some(tag) = skb.tags.last() else { return Ok(()) };
        if skb.spare || skb.is_discovery() {
            return Err(Stop::ignored(Stage::Receive));
        }
        let reason = Reason::NoVlanLink { id: tag.id };
        Err(Stop::lost(Stage::Receive, id.ns, Some(id), reason))
    }
}
