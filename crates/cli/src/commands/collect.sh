#!/bin/sh
# Collects what `nestwork map --bundle FOLDER` needs, with this host's own tools. It only reads:
# no setting, table, module or number of a namespace is made. As root it enters every network
# namespace that a process is in; else it tells of its own alone.
#
# usage: sh collect.sh FOLDER

out=${1:-nestwork-$(cat /proc/sys/kernel/hostname)}
umask 077
mkdir "$out" || exit 1

# A command's output, in a file that is named after it. Of a command that fails, none is kept.
keep() {
	name=$(echo "$*" | tr ' /' '--' | sed 's/--*/-/g')
	if ! $enter "$@" > "$dir/$name.txt" 2> /dev/null; then
		rm -f "$dir/$name.txt"
		return 1
	fi
}

have() {
	command -v "$1" > /dev/null 2>&1
}

# iproute2 understands -d; busybox's ip does not.
if ip -d link > /dev/null 2>&1; then full=yes; else full=; fi

# A namespace's settings are below /proc/sys of a process in it, so its own shell lists them.
settings='grep -sH . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_default_ttl /proc/sys/net/ipv4/ip_forward_use_pmtu \
	/proc/sys/net/ipv4/fib_multipath_hash_policy /proc/sys/net/ipv4/icmp_* \
	/proc/sys/net/bridge/bridge-nf-* /proc/sys/net/ipv6/conf/all/forwarding \
	/proc/sys/net/ipv6/conf/all/proxy_ndp /proc/sys/net/ipv6/icmp/* \
	/proc/sys/net/ipv6/fib_multipath_hash_policy /proc/sys/net/ipv6/anycast_src_echo_reply \
	/proc/sys/net/ipv4/fwmark_reflect /proc/sys/net/ipv6/fwmark_reflect \
	/proc/sys/net/ipv4/tcp_fwmark_accept /proc/sys/net/ipv4/tcp_reflect_tos \
	/proc/sys/net/ipv4/ip_no_pmtu_disc /proc/sys/net/netfilter/nf_conntrack_tcp_loose \
	/proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max \
	/proc/sys/net/ipv4/conf/*/*'

# Whether a module is there already: asking for what it does would load it.
loaded() {
	[ ! -e /proc/modules ] || grep -q "^$1 " /proc/modules ||
		grep -qs "/$1.ko" "/lib/modules/$(uname -r)/modules.builtin"
}
if loaded nf_tables; then nftables=yes; else nftables=; fi
if loaded ip_set; then ipsets=yes; else ipsets=; fi
if loaded xfrm_user; then ipsec=yes; else ipsec=; fi

collect() {
	if [ "$full" ]; then
		keep ip -d link
		keep ip addr
		keep ip route show table all
		keep ip rule
		keep ip neigh
		keep ip netns list-id
	else
		keep ip link
		keep ip addr
		keep ip route show table all || keep ip route
		keep ip rule
		keep ip neigh
	fi
	if have bridge; then
		keep bridge fdb
		keep bridge -d link
	fi
	have tc && keep tc qdisc
	[ "$ipsec" ] && [ "$full" ] && keep ip xfrm policy
	$enter test -e /proc/net/ip_vs && keep cat /proc/net/ip_vs
	$enter sh -c "$settings" > "$dir/sysctl.txt" 2> /dev/null
	# Listing makes tables that are not there, or loads modules: only what is there is listed.
	if have nft && [ "$nftables" ]; then
		keep nft list ruleset
	fi
	if have ipset && [ "$ipsets" ]; then
		keep ipset save
	fi
	tables=$($enter cat /proc/net/ip_tables_names 2> /dev/null)
	if [ "$tables" ] && have iptables-legacy-save; then
		keep cat /proc/net/ip_tables_names
		for table in $tables; do
			$enter iptables-legacy-save -t "$table"
		done > "$dir/iptables-legacy-save.txt" 2> /dev/null
	elif [ "$tables" ]; then
		keep cat /proc/net/ip_tables_names
	elif [ "$nftables" ] && have iptables-nft-save && have nft &&
		$enter nft list tables ip 2> /dev/null | grep -q .; then
		# What iptables wrote, nft tells of by halves.
		keep iptables-nft-save
	fi
}

# The namespace of the nearest process above a process that is in another one.
above() {
	pid=$1
	while :; do
		pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2> /dev/null)
		[ "${pid:-0}" -gt 0 ] || break
		net=$(readlink "/proc/$pid/ns/net" 2> /dev/null)
		if [ "$net" ] && [ "$net" != "$2" ]; then
			echo "$net"
			return
		fi
	done
	echo "$own"
}

about() {
	{
		echo "namespace $2"
		echo "pid $1"
		echo "inner-pid $(sed -n 's/^NSpid:.*[[:space:]]//p' "/proc/$1/status")"
		echo "uid $(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status")"
		echo "comm $(tr -d '\000-\037\177' < "/proc/$1/comm")"
		if [ "$2" = "$own" ]; then echo own; else echo "parent $(above "$1" "$2")"; fi
		echo "name $3"
		[ "$ipsec" ] || echo "without ipsec"
		$enter test -e /proc/net/ip_vs || echo "without ipvs"
	} 2> /dev/null > "$dir/nestwork-about.txt"
}

# A name that is safe as a file's.
safe() {
	tr -cd 'A-Za-z0-9_.-' | cut -c 1-64 | sed 's/^[.]*//'
}

own=$(readlink /proc/self/ns/net)
host=$(safe < /proc/sys/kernel/hostname)
enter=
dir=$out/${host:-host}
mkdir "$dir" || exit 1
about $$ "$own" "${host:-host}"
collect
have lsns && keep lsns -t net
have ip && [ "$full" ] && keep ip netns

have nsenter || { echo "$out: only this namespace: there is no nsenter" >&2; exit 0; }
seen=" $own "
for process in $(ls /proc | grep '^[0-9][0-9]*$' | sort -n); do
	net=$(readlink "/proc/$process/ns/net" 2> /dev/null) || continue
	case $seen in *" $net "*) continue ;; esac
	nsenter -t "$process" -n true 2> /dev/null || continue
	seen="$seen$net "
	# Its own host name, if it has one.
	name=$(nsenter -t "$process" -u cat /proc/sys/kernel/hostname 2> /dev/null | safe)
	if [ -z "$name" ] || [ "$name" = "$host" ]; then name=$(safe < "/proc/$process/comm"); fi
	dir=$out/${name:-unnamed}
	[ -e "$dir" ] && dir=$out/${name:-unnamed}-$process
	mkdir "$dir" || continue
	enter="nsenter -t $process -n"
	about "$process" "$net" "${name:-unnamed}"
	collect
done
echo "$out: nestwork map --bundle $out" >&2
