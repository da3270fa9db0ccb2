# LXC's own bridge, by nftables; a guest on it.
echo "LXC_USE_NFT=${nft:-true}" >>/etc/default/lxc
mount -t tmpfs tmpfs /var/lib/misc
/usr/libexec/lxc/lxc-net start
ip netns add guest
ip link add vethguest type veth peer name eth0 netns guest
ip link set vethguest up master lxcbr0
ip -n guest link set lo up
ip -n guest addr add 10.0.3.10/24 dev eth0
ip -n guest link set eth0 up
ip -n guest route add default via 10.0.3.1
ip netns exec guest busybox httpd -p 80
