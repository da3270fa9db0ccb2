# Rules in kube-proxy's form, by iptables-nft; two pods, each behind a link of its own. (kube-proxy
# itself cannot run without Kubernetes.)
sysctl -qw net.ipv4.ip_forward=1
ip route add default via 198.51.100.2
neighbour pod1 cali1 10.244.1.1 10.244.1.2
neighbour pod2 cali2 10.244.2.1 10.244.2.2
${restore:-iptables-nft-restore} <"$here/kube-proxy.rules"
