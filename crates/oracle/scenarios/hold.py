"""Holds a tun or tap, and answers what comes out of it as a host there would: hold.py tun|tap LINK.

It says in a line that it is ready, and ends with its input."""

import fcntl
import os
import select
import struct
import sys

TUNSETIFF, NO_PI = 0x400454CA, 0x1000
KINDS = {"tun": (1, 0), "tap": (2, 14)}
ICMP, UDP = 1, 17


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def swap(frame, at, length):
    a, b = frame[at : at + length], frame[at + length : at + 2 * length]
    frame[at : at + 2 * length] = b + a


def answer(frame, at):
    """Turns a frame into its answer; False: there is none."""
    if len(frame) < at + 28 or frame[at] != 0x45:
        return False
    protocol, behind = frame[at + 9], at + 20
    if protocol == ICMP and frame[behind] == 8:
        frame[behind] = 0
        frame[behind + 2 : behind + 4] = b"\0\0"
        rest = bytes(frame[behind:]) + b"\0" * (len(frame[behind:]) % 2)
        struct.pack_into("!H", frame, behind + 2, checksum(rest))
    elif protocol == UDP:
        swap(frame, behind, 2)
        frame[at + 6] |= 0x40  # a socket of Linux says: don't fragment
    else:
        return False
    if at:
        swap(frame, 0, 6)
    swap(frame, at + 12, 4)
    frame[at + 8] = 64
    struct.pack_into("!H", frame, at + 10, 0)
    struct.pack_into("!H", frame, at + 10, checksum(bytes(frame[at : at + 20])))
    return True


def main(kind, link):
    mode, at = KINDS[kind]
    held = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(held, TUNSETIFF, struct.pack("16sH22x", link.encode(), mode | NO_PI))
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([held, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        frame = bytearray(os.read(held, 65536))
        if answer(frame, at):
            os.write(held, frame)


main(*sys.argv[1:])
