# The same by iptables.
nft=false
. "$here/lxc-net.sh"
