//! The program that runs whenever the kernel throws a packet away: it keeps what carries the tag.
//!
//! BPF, as in Documentation/bpf/standardization/instruction-set.rst, of few enough instructions
//! to be written down one by one.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::sys::bpf::Instruction;

/// Where the kernel keeps what is read of a packet: offsets of fields, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// `sk_buff.head`.
    pub(super) head: i16,
    /// `sk_buff.network_header`, counted from there.
    pub(super) network_header: i16,
    /// `sk_buff.dev`.
    pub(super) dev: i16,
    /// `net_device.ifindex`.
    pub(super) ifindex: i16,
    /// `net_device.nd_net`.
    pub(super) net: i16,
    /// `net.ns.inum`.
    pub(super) inum: i16,
}

/// What is written down of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The instruction behind the call that threw it away.
    pub(super) location: u64,
    /// `enum skb_drop_reason`.
    pub(super) reason: u32,
    /// The device that it was on, and the inode of that device's namespace; 0: none.
    pub(super) ifindex: u32,
    pub(super) inum: u32,
    /// From its network header on.
    pub(super) bytes: [u8; BYTES],
}

/// Enough for a redirect of ICMPv6 (96 bytes) with what it quotes (48 and half of the tag).
const BYTES: usize = 152;
/// Size of a record in the queue.
pub(super) const SIZE: usize = 24 + BYTES;

impl Record {
    pub(super) fn decode(record: &[u8; SIZE]) -> Self {
        let word = |at: usize| {
            record[at..at + 4].iter().rev().fold(0u32, |n, byte| n << 8 | u32::from(*byte))
        };
        let mut bytes = [0; BYTES];
        bytes.copy_from_slice(&record[24..]);
        Self {
            location: u64::from(word(4)) << 32 | u64::from(word(0)),
            reason: word(8),
            ifindex: word(12),
            inum: word(16),
            bytes,
        }
    }
}

/// Where in the stack things are, from its top (register 10) down.
const RECORD: i16 = -176;
const POINTER: i16 = -184;
const HALF: i16 = -192;
const IN_RECORD_BYTES: i16 = RECORD + 24;

/// What the tags of a family have in common.
const FAMILY: u32 = 0xffff_ff00;

const PROBE_READ_KERNEL: i32 = 113;
const MAP_PUSH_ELEM: i32 = 87;

/// The program. A packet is known by the first three bytes of its tag, which stand at a multiple
/// of four bytes behind its network header, as all headers are that long: as they are, or in a
/// number that is one more (a TCP acknowledgement).
pub(super) fn program(layout: Layout, tag: u32, queue: BorrowedFd<'_>) -> Vec<Instruction> {
    let mut p = Program::default();
    // Arguments of the tracepoint: the packet, where, why.
    p.load64(6, 1, 0);
    p.load64(7, 1, 8);
    p.load64(8, 1, 16);
    for at in (RECORD..0).step_by(8) {
        p.zero64(at);
    }
    p.zero64(POINTER);
    p.zero64(HALF);
    p.read(POINTER, 8, 6, layout.head);
    p.read(HALF, 2, 6, layout.network_header);
    p.load64(3, 10, POINTER);
    p.load64(1, 10, HALF);
    p.add(3, 1);
    p.read_from_3(IN_RECORD_BYTES, BYTES);
    p.jump_unless_read();
    p.keep_if_tagged(&[tag, tag.wrapping_add(1)]);
    p.store64(RECORD, 7);
    p.store32(RECORD + 8, 8);
    p.read(POINTER, 8, 6, layout.dev);
    p.load64(9, 10, POINTER);
    p.read(RECORD + 12, 4, 9, layout.ifindex);
    p.read(POINTER, 8, 9, layout.net);
    p.load64(9, 10, POINTER);
    p.read(RECORD + 16, 4, 9, layout.inum);
    p.push(queue);
    p.end()
}

/// A program in the making.
#[derive(Default)]
struct Program {
    done: Vec<Instruction>,
    /// Jumps that are to lead to the end.
    to_end: Vec<usize>,
}

impl Program {
    fn op(&mut self, code: u8, dst: u8, src: u8, offset: i16, value: i32) {
        self.done.push(Instruction { code, registers: src << 4 | dst, offset, value });
    }

    /// dst = *(src + offset)
    fn load64(&mut self, dst: u8, src: u8, offset: i16) {
        self.op(0x79, dst, src, offset, 0);
    }

    fn load32(&mut self, dst: u8, src: u8, offset: i16) {
        self.op(0x61, dst, src, offset, 0);
    }

    /// Stack: *(at) = src
    fn store64(&mut self, at: i16, src: u8) {
        self.op(0x7b, 10, src, at, 0);
    }

    fn store32(&mut self, at: i16, src: u8) {
        self.op(0x63, 10, src, at, 0);
    }

    /// Stack: *(at) = 0
    fn zero64(&mut self, at: i16) {
        self.op(0x7a, 10, 0, at, 0);
    }

    fn mov(&mut self, dst: u8, src: u8) {
        self.op(0xbf, dst, src, 0, 0);
    }

    fn add(&mut self, dst: u8, src: u8) {
        self.op(0x0f, dst, src, 0, 0);
    }

    fn add_value(&mut self, dst: u8, value: i32) {
        self.op(0x07, dst, 0, 0, value);
    }

    fn call(&mut self, helper: i32) {
        self.op(0x85, 0, 0, 0, helper);
    }

    /// Copies kernel memory at register 3 to the stack. What cannot be read becomes zeroes.
    fn read_from_3(&mut self, to: i16, len: usize) {
        self.mov(1, 10);
        self.add_value(1, i32::from(to));
        self.op(0xb7, 2, 0, 0, i32::try_from(len).unwrap_or(0));
        self.call(PROBE_READ_KERNEL);
    }

    fn read(&mut self, to: i16, len: usize, base: u8, offset: i16) {
        self.mov(3, base);
        self.add_value(3, i32::from(offset));
        self.read_from_3(to, len);
    }

    fn jump_unless_read(&mut self) {
        self.to_end.push(self.done.len());
        self.op(0x55, 0, 0, 0, 0); // if r0 != 0
    }

    /// Goes on only with a packet that has one of these tags somewhere.
    fn keep_if_tagged(&mut self, tags: &[u32]) {
        let on_the_wire = |number: u32| i32::from_ne_bytes(number.to_be_bytes());
        let mut found = Vec::new();
        // No tag stands in the shortest IP header.
        for at in (20..i16::try_from(BYTES).unwrap_or(0)).step_by(4) {
            self.load32(1, 10, IN_RECORD_BYTES + at);
            self.op(0x54, 1, 0, 0, on_the_wire(FAMILY)); // 32 bits: r1 &= mask
            for tag in tags {
                found.push(self.done.len());
                self.op(0x16, 1, 0, 0, on_the_wire(tag & FAMILY)); // if equal
            }
        }
        self.to_end.push(self.done.len());
        self.op(0x05, 0, 0, 0, 0);
        self.land(found);
    }

    /// Lets jumps lead to what comes next.
    fn land(&mut self, jumps: Vec<usize>) {
        let here = self.done.len();
        for from in jumps {
            self.done[from].offset = i16::try_from(here - from - 1).unwrap_or(0);
        }
    }

    fn push(&mut self, queue: BorrowedFd<'_>) {
        const MAP_DESCRIPTOR: u8 = 1;
        self.op(0x18, 1, MAP_DESCRIPTOR, 0, queue.as_raw_fd());
        self.op(0, 0, 0, 0, 0);
        self.mov(2, 10);
        self.add_value(2, i32::from(RECORD));
        self.op(0xb7, 3, 0, 0, 0);
        self.call(MAP_PUSH_ELEM);
    }

    fn end(mut self) -> Vec<Instruction> {
        let jumps = std::mem::take(&mut self.to_end);
        self.land(jumps);
        self.op(0xb7, 0, 0, 0, 0);
        self.op(0x95, 0, 0, 0, 0);
        self.done
    }
}
