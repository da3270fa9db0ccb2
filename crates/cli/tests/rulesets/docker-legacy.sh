# The same Docker where `iptables` is iptables-legacy.
mkdir -p /run/legacy
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -s "$(command -v xtables-legacy-multi)" "/run/legacy/$name"
done
export PATH=/run/legacy:$PATH
. "$here/docker.sh"
