# firewalld as it is, with a zone for each link; a service, a port that is sent on, masquerading, a
# rich rule.
neighbour near lan0 10.9.0.1 10.9.0.2
sysctl -qw net.ipv4.ip_forward=1
busybox httpd -p 80
mkdir -p /run/dbus
dbus-daemon --system --nofork --nopidfile &
until_true test -S /run/dbus/system_bus_socket
firewalld --nofork --nopid &
until_true firewall-cmd --state
firewall-cmd --zone=external --change-interface=eth0
firewall-cmd --zone=internal --change-interface=lan0
firewall-cmd --zone=external --add-service=http
firewall-cmd --zone=external --add-forward-port=port=8080:proto=tcp:toport=80:toaddr=10.9.0.2
firewall-cmd --zone=internal --add-rich-rule='rule family="ipv4" source address="10.9.0.2" port port="81" protocol="tcp" reject'
firewall-cmd --zone=internal --add-source-port=7000-7010/udp
firewall-cmd --zone=public --add-icmp-block=echo-request
