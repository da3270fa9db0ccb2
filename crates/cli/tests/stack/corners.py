"""One network namespace of each kind that is hard to find or to tell. Holds them until it is killed."""
import array, ctypes, os, socket, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
NEWUSER, NEWNET = 0x10000000, 0x40000000


def ns():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


HOME = ns()


def fresh():
    """A descriptor of a new namespace; this thread goes home again."""
    check(libc.unshare(NEWNET))
    fd = ns()
    check(libc.setns(HOME, NEWNET))
    return fd


def within(fd, work):
    check(libc.setns(fd, NEWNET))
    try:
        return work()
    finally:
        check(libc.setns(HOME, NEWNET))


def ip(fd, *commands):
    """`ip` in a namespace; other namespaces by /proc/PID/fd/N of this process."""
    text = "\n".join(commands) + "\n"
    run = lambda: subprocess.run(["ip", "-batch", "-"], input=text.encode(), check=True)
    within(fd, run)


def path(fd):
    return f"/proc/{os.getpid()}/fd/{fd}"


held = {}


def flight(fd):
    """Nobody has it open any more: it is on its way between two sockets."""
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    os.close(fd)
    held.setdefault("sockets", []).append((a, b))


def inode(fd):
    return os.fstat(fd).st_ino


names = {}

# Held by a descriptor only.
names["fd"] = fd = fresh()

# Held by a socket only.
socket_ns = fresh()
held["socket"] = within(socket_ns, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
names["socket"] = inode(socket_ns)
os.close(socket_ns)
names["fd"] = inode(fd)

# In flight, joined to this machine by a veth, and a chain of four behind it of which nobody has
# any open: each is seen only through the one before.
chain = [HOME] + [fresh() for _ in range(3)]
for here, (near, far) in enumerate(zip(chain, chain[1:])):
    ip(near, f"link add chain{here} type veth peer name back{here} netns {path(far)}")
names["flight"], names["chain"] = inode(chain[1]), [inode(c) for c in chain[1:]]
for fd in chain[1:]:
    flight(fd)

# The same ifindex on both sides.
equal = fresh()
ip(equal, "link add same0 index 77 type veth peer name same1 index 77 netns " + path(HOME))
names["equal"] = inode(equal)
held["equal"] = equal

# A vxlan without a lower device, made here and moved there.
tunnel = fresh()
ip(HOME, f"link add vx0 type vxlan id 7 dstport 4789 remote 192.0.2.1", f"link set vx0 netns {path(tunnel)}")
names["vxlan"] = inode(tunnel)
held["vxlan"] = tunnel

# A table of 300 nsids.
many = fresh()
names["many"] = inode(many)
held["many"] = [many]


def number_all():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    for nsid in range(300):
        fd = held["many"][nsid + 1]
        body = struct.pack("B3x", 0) + struct.pack("HHi", 8, 1, nsid) + struct.pack("HHI", 8, 3, fd)
        s.send(struct.pack("IHHII", 16 + len(body), 88, 5, nsid, 0) + body)
        kind, error = struct.unpack("4xH10xi", s.recv(4096)[:20])
        assert (kind, error) == (2, 0), (kind, error)


held["many"] += [fresh() for _ in range(300)]
within(many, number_all)

# A child in a user namespace of its own.
held["user"] = subprocess.Popen(["unshare", "-Urn", "sleep", "100000"])

# A zombie.
zombie = os.fork()
if zombie == 0:
    libc.unshare(NEWNET)
    os._exit(0)

# A name whose namespace has gone.
open("/run/netns/stale", "w").close()

# The threads of a process are not all where their process is.
import threading

moved = threading.Event()


def elsewhere():
    check(libc.unshare(NEWNET))
    names["thread"] = inode(ns())
    moved.set()
    time.sleep(100000)


threading.Thread(target=elsewhere, daemon=True).start()
moved.wait()
while os.readlink(f"/proc/{held['user'].pid}/ns/user") == os.readlink("/proc/self/ns/user"):
    time.sleep(0.01)
names["user"] = os.stat(f"/proc/{held['user'].pid}/ns/net").st_ino
with open("/run/corners.json", "w") as file:
    import json
    json.dump(names, file)
os.rename("/run/corners.json", "/run/corners.ready")
time.sleep(100000)
