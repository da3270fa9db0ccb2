#!/bin/bash
# First process of the LXC container: Docker, a network of its own, two containers.
set -euo pipefail
exec >/guest.log 2>&1
mount -t tmpfs tmpfs /run
mkdir -p /var/lib/docker
mount -t tmpfs tmpfs /var/lib/docker
dockerd --data-root /var/lib/docker --storage-driver vfs --exec-opt native.cgroupdriver=cgroupfs &
for _ in $(seq 300); do
  if docker version >/dev/null 2>&1; then break; fi
  sleep 0.1
done
docker import /image.tar box:1
docker network create --subnet 172.30.5.0/24 shop
docker run -d --name alpinebox -p 8080:80 box:1 /bin/httpd -f -p 80
docker run -d --name web --network shop box:1 /bin/httpd -f -p 80
docker run -d --name sidecar --network container:web box:1 /bin/sleep 100000
touch /guest.ready
sleep infinity &
wait
