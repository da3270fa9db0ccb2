//! A network that tunnels are laid over.

/// `a` and `b` with a router between them, whose Ethernet address `a` knows.
macro_rules! routed {
    () => {
        "
ns a
ns r forward
ns b
veth a:e0 r:ea
veth r:eb b:e0
addr a:e0 10.0.1.1/24
addr r:ea 10.0.1.2/24
addr r:eb 10.0.2.2/24
addr b:e0 10.0.2.1/24
route a default via 10.0.1.2 dev e0
route b default via 10.0.2.2 dev e0
neigh a:e0 10.0.1.2 02:00:00:00:00:05
"
    };
}
pub(crate) use routed;
