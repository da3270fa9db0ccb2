# Podman with netavark: the network that it has always, and two of one's own, of which one is
# internal; ports published.
image
mkdir -p /var/lib/containers
mount -t tmpfs tmpfs /var/lib/containers
podman() { command podman --cgroup-manager cgroupfs "$@"; }
podman import /run/image.tar box:1
podman network create --subnet 10.89.5.0/24 shop
podman network create --subnet 10.89.6.0/24 --internal vault
run() { podman run -d --name "$@" box:1 /bin/httpd -f -p 80; }
run web -p 8080:80 -p 5353:53/udp
run shop1 --network shop -p 198.51.100.1:8443:80 -p 9000-9002:9000-9002
run db --network vault
