# ufw as it is, with a few rules of the kinds that it knows.
neighbour near lan0 10.9.0.1 10.9.0.2
sysctl -qw net.ipv4.ip_forward=1
busybox httpd -p 80
ufw --force enable
ufw allow 22/tcp
ufw limit 2222/tcp
ufw allow proto tcp from 198.51.100.0/24 to any port 80,443,8000:8010
ufw deny in on lan0 to any port 80
ufw reject 25/tcp
ufw allow OpenSSH || true
ufw route allow in on lan0 out on eth0
ufw logging high
