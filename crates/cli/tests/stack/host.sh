#!/bin/bash
# First process of a machine of its own (new network, mount, PID, UTS and IPC namespaces): an LXC
# container with Docker in it and two containers in that, Podman beside it, and the corner cases.
# Prints "ready", and ends, with all that it began, when its standard input does.
set -euo pipefail
here=$1 # the folder of these scripts
exec 3>&1 >&2

hostname stackhost
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/netns /run/podman /run/cgroup
# A sysfs of the new network namespace, with the cgroups of the old one.
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup
mkdir -p /var/lib/lxc /var/lib/containers
mount -t tmpfs tmpfs /var/lib/lxc
mount -t tmpfs tmpfs /var/lib/containers

ip link set lo up
ip link add lxcbr0 type bridge
ip addr add 10.0.3.1/24 dev lxcbr0
ip link set lxcbr0 up

image=/run/image
mkdir -p "$image/bin"
cp /bin/busybox "$image/bin/"
for name in sh sleep ip httpd ping; do ln -s busybox "$image/bin/$name"; done
tar -C "$image" -cf /run/image.tar .

guest=/var/lib/lxc/dockerbox
mkdir -p $guest/{rootfs,upper,work}
mount -t overlay overlay -o lowerdir=/,upperdir=$guest/upper,workdir=$guest/work $guest/rootfs
install -m 0755 "$here/guest.sh" $guest/rootfs/guest.sh
cp /run/image.tar $guest/rootfs/image.tar
cat >$guest/config <<'C'
lxc.uts.name = dockerbox
lxc.rootfs.path = dir:/var/lib/lxc/dockerbox/rootfs
lxc.mount.auto = proc:rw sys:rw
lxc.mount.entry = /sys/fs/cgroup sys/fs/cgroup none rbind,rw,create=dir
lxc.cap.drop =
lxc.apparmor.profile = unconfined
lxc.net.0.type = veth
lxc.net.0.link = lxcbr0
lxc.net.0.veth.pair = vethlxc0
lxc.net.0.name = eth0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.0.3.10/24
lxc.net.0.ipv4.gateway = 10.0.3.1
lxc.init.cmd = /guest.sh
lxc.environment = PATH=/usr/sbin:/usr/bin:/sbin:/bin
C
lxc-start -n dockerbox -F -o /run/lxc.log &

podman="podman --cgroup-manager cgroupfs"
$podman import /run/image.tar box:1
$podman run -d --name cache -p 9090:80 box:1 /bin/httpd -f -p 80
$podman system service -t 0 unix:///run/podman/podman.sock &

python3 "$here/corners.py" &

# Each waits for something that comes, at most 30 s.
until_true() {
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "in vain: $*"
  cat /run/lxc.log $guest/rootfs/guest.log || true
  exit 1
}
until_true test -e $guest/rootfs/guest.ready
until_true test -S /run/podman/podman.sock
until_true test -e /run/corners.ready
echo ready >&3
cat >/dev/null
