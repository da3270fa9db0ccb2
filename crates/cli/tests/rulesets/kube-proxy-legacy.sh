# The same rules by iptables-legacy.
restore=iptables-legacy-restore
. "$here/kube-proxy.sh"
