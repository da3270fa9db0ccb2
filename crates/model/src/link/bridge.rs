use crate::Mac;

/// What only a bridge has (IFLA_BR_*).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the kernel's own switches, one each")]
pub struct Bridge {
    /// Seconds that a learned entry lives without being seen, in hundredths (IFLA_BR_AGEING_TIME).
    pub ageing_time: u32,
    /// Spanning tree.
    pub stp: StpState,
    /// Hundredths of a second.
    pub forward_delay: u32,
    /// `vlan_filtering 1`.
    pub vlan_filtering: bool,
    /// EtherType of the tags that it filters by: 0x8100 or 0x88a8.
    pub vlan_protocol: u16,
    /// The VLAN that new ports are put in, untagged; 0: none.
    pub default_pvid: u16,
    /// Spanning trees of VLANs, of which each has its ports' states for itself.
    pub mst: bool,
    /// Multicasts are kept apart by VLAN.
    pub mcast_vlan_snooping: bool,
    /// Listens to IGMP and MLD before it floods groups.
    pub multicast_snooping: bool,
    /// Asks for members itself where nobody else does.
    pub multicast_querier: bool,
    /// Somebody else on its segments asks for members.
    pub querier_seen: bool,
    /// Somebody asks for members of IPv6: itself, once it has an address, or somebody else.
    pub querier_seen6: bool,
    /// Somebody else's questions may be new, and not relied upon yet; and of IPv6.
    pub querier_new: bool,
    /// The same of IPv6.
    pub querier_new6: bool,
    /// Hundredths of a second that members may take to answer: for as long a new querier is not
    /// relied upon.
    pub query_response_interval: u32,
    /// Version of IGMP that it speaks: 2 or 3.
    pub igmp_version: u8,
    /// Version of MLD that it speaks: 1 or 2.
    pub mld_version: u8,
    /// Whether this host itself gets all multicast: 0 never, 1 where it was learned, 2 always.
    pub multicast_router: u8,
    /// Which of 01:80:c2:00:00:0X are forwarded.
    pub group_fwd_mask: u16,
    /// It learns nothing from what is for a reserved address.
    pub no_linklocal_learn: bool,
    /// How many addresses it learns at most; 0: as many as there are.
    pub fdb_max_learned: u32,
    /// Per-bridge switch of br_netfilter; it counts OR'd with the namespace's.
    pub nf_call_iptables: bool,
    /// The same for ARP and arptables.
    pub nf_call_arptables: bool,
    /// The same of IPv6.
    pub nf_call_ip6tables: bool,
}

impl Default for Bridge {
    /// As the kernel makes a new one.
    fn default() -> Self {
        Self {
            ageing_time: 30_000,
            stp: StpState::Off,
            forward_delay: 1500,
            vlan_filtering: false,
            vlan_protocol: 0x8100,
            default_pvid: 1,
            mst: false,
            no_linklocal_learn: false,
            fdb_max_learned: 0,
            mcast_vlan_snooping: false,
            multicast_snooping: true,
            multicast_querier: false,
            querier_seen: false,
            querier_seen6: false,
            querier_new: false,
            querier_new6: false,
            query_response_interval: 1000,
            igmp_version: 2,
            mld_version: 1,
            multicast_router: 1,
            group_fwd_mask: 0,
            nf_call_iptables: false,
            nf_call_arptables: false,
            nf_call_ip6tables: false,
        }
    }
}

/// Spanning-tree mode of a bridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StpState {
    /// Off.
    #[default]
    Off,
    /// In the kernel.
    Kernel,
    /// By a daemon.
    User,
}

/// What a link has as port of a bridge (IFLA_BRPORT_*).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the kernel's own flags, one each")]
pub struct BridgePort {
    /// Its number on the bridge (IFLA_BRPORT_NO), the lowest that was free; 0: not known. Frames
    /// for several ports go out by the port that was added last first.
    pub number: u16,
    /// Only `Forwarding` passes frames; `Learning` learns and drops.
    pub state: PortState,
    /// Learns source addresses.
    pub learning: bool,
    /// Unknown unicast is flooded to it.
    pub flood: bool,
    /// Multicast without listener is flooded to it.
    pub mcast_flood: bool,
    /// Broadcast is flooded to it.
    pub bcast_flood: bool,
    /// May send a frame back where it came from.
    pub hairpin: bool,
    /// Does not exchange frames with other isolated ports.
    pub isolated: bool,
    /// Multicasts go to each member behind it as frames of their own.
    pub mcast_to_unicast: bool,
    /// Whether a multicast router is behind it: 0 never, 1 where it was heard, 2 always, 3 for a while.
    pub multicast_router: u8,
    /// Tags are those of tunnels (`vlan_tunnel`).
    pub vlan_tunnel: bool,
    /// Answers ARP and ND from the FDB and keeps them off this port.
    pub neigh_suppress: bool,
    /// Only sources with an FDB entry may send.
    pub locked: bool,
    /// The bridge answers ARP for what is behind this port.
    pub proxy_arp: bool,
    /// The same, and nothing behind this port is told who asks (IEEE 802.11).
    pub proxy_arp_wifi: bool,
    /// Where `locked` keeps a source out, it is noted as one that was (MAC authentication bypass).
    pub mab: bool,
    /// Which of 01:80:c2:00:00:0X are forwarded from this port, beside those that the bridge says.
    pub group_fwd_mask: u16,
    /// `guard on`, `root_block`… change nothing in what the walk models; kept for `show`.
    pub bpdu_guard: bool,
    /// ifindex of the port to use when this one has no carrier.
    pub backup_port: Option<u32>,
    /// The designated bridge's address, for `show`.
    pub designated: Option<Mac>,
}

impl Default for BridgePort {
    /// As the kernel makes a new port, once it forwards.
    fn default() -> Self {
        Self {
            number: 0,
            state: PortState::Forwarding,
            learning: true,
            flood: true,
            mcast_flood: true,
            bcast_flood: true,
            hairpin: false,
            isolated: false,
            mcast_to_unicast: false,
            multicast_router: 1,
            vlan_tunnel: false,
            neigh_suppress: false,
            locked: false,
            proxy_arp: false,
            proxy_arp_wifi: false,
            mab: false,
            group_fwd_mask: 0,
            bpdu_guard: false,
            backup_port: None,
            designated: None,
        }
    }
}

/// Spanning-tree state of a port (BR_STATE_*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum PortState {
    Disabled,
    Listening,
    Learning,
    #[default]
    Forwarding,
    Blocking,
}

impl PortState {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Disabled, Self::Listening, Self::Learning, Self::Forwarding, Self::Blocking];

    /// As `bridge link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Listening => "listening",
            Self::Learning => "learning",
            Self::Forwarding => "forwarding",
            Self::Blocking => "blocking",
        }
    }
}
