# Everything of a machine that reading could change, and nothing that changes by itself.
# Arguments: the processes to look at, those of all its network namespaces among them.
# Nothing here changes anything, either: a dump of nsids allots none (a dump of links would).
seen=" "
for pid in "$@"; do
  echo "# process $pid $(cat "/proc/$pid/comm")"
  cat "/proc/$pid/mountinfo"
  ls -l "/proc/$pid/fd" | sed -n 's/.* \([0-9]*\) -> \([a-z]*:\[[0-9]*\]\)$/\1 \2/p'
  net=$(stat -Lc %i "/proc/$pid/ns/net")
  case "$seen" in *" $net "*) continue ;; esac
  seen="$seen$net "
  echo "# network $net"
  nsenter -t "$pid" -n sh -c '
    ip netns list-id 2>&1
    if [ ! -e /proc/modules ] || grep -qw ^nf_tables /proc/modules; then nft -s list ruleset 2>&1; fi
    cat /proc/thread-self/net/ip_tables_names /proc/thread-self/net/ip6_tables_names 2>/dev/null
    ip neigh | awk "{ print \$1, \$2, \$3, \$4, \$5 }" | sort
    grep -o "src=.*" /proc/thread-self/net/nf_conntrack 2>/dev/null | sort
    cd /proc/sys/net
    find . -type f -perm -u=r ! -name "*_count" | sort | xargs grep -sH . || true
  '
done
echo "# modules"
cut -d" " -f1 /proc/modules 2>/dev/null | sort
