# Docker with three networks, of which one is internal; ports published for both protocols, on one
# address only, and a range.
image
mkdir -p /var/lib/docker
mount -t tmpfs tmpfs /var/lib/docker
dockerd --data-root /var/lib/docker --storage-driver vfs --exec-opt native.cgroupdriver=cgroupfs &
until_true docker version
docker import /run/image.tar box:1
docker network create --subnet 172.30.5.0/24 shop
docker network create --subnet 172.30.6.0/24 --internal vault
run() { docker run -d --name "$@" box:1 /bin/httpd -f -p 80; }
run web -p 8080:80 -p 5353:53/udp
run shop1 --network shop -p 198.51.100.1:8443:80 -p 9000-9002:9000-9002
run shop2 --network shop
run db --network vault
docker network connect vault shop1
