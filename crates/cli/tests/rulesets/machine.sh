#!/bin/bash
# First process of a machine of its own (new network, mount, PID, UTS and IPC namespaces), on which
# one program writes its rules: machine.sh FOLDER PROGRAM, with FOLDER that of these scripts.
# Prints "ready", and ends, with all that it began, when its standard input does.
#
#   far 198.51.100.2 ── eth0 198.51.100.1 [the machine] ── what the program makes
#                                      lan0 10.9.0.1 ── 10.9.0.2 near
set -euo pipefail
here=$1
program=$2
exec 3>&1 >&2

hostname machine
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/netns /run/cgroup /run/etc/upper /run/etc/work
# A sysfs of the new network namespace, with the cgroups of the old one.
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup
# Whatever is configured here is nobody else's.
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
ip link set lo up

# neighbour NAME LINK ADDRESS THEIRS: a namespace beside this one, behind LINK, with sockets open.
neighbour() {
  ip netns add "$1"
  ip link add "$2" type veth peer name eth0 netns "$1"
  ip addr add "$3/24" dev "$2"
  ip link set "$2" up
  ip -n "$1" link set lo up
  ip -n "$1" addr add "$4/24" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via "$3"
  ip netns exec "$1" busybox httpd -p 80
}
neighbour far eth0 198.51.100.1 198.51.100.2

# Each waits for something that comes, at most 30 s.
until_true() {
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "in vain: $*"
  exit 1
}

# An image with nothing but busybox in it.
image() {
  mkdir -p /run/image/bin
  cp /bin/busybox /run/image/bin/
  for name in sh sleep httpd; do ln -s busybox "/run/image/bin/$name"; done
  tar -C /run/image -cf /run/image.tar .
}

. "$here/$program.sh"

echo ready >&3
cat >/dev/null
