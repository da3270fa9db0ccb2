//! The filter that lets only tagged packets into a socket: classic BPF, as in bpf(4).

use super::Tag;

const LD_HALF_ABS: u16 = 0x28;
const LD_WORD_IND: u16 = 0x40;
const LDX_HEADER_LEN: u16 = 0xb1; // 4 * (byte & 0xf)
const JUMP_EQ: u16 = 0x15;
const JUMP_SET: u16 = 0x45;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

/// What the first halves of a family's tags have in common.
const FAMILY: u32 = 0xffff_ff00;

/// Length of an Ethernet header.
const ETHERNET: u32 = 14;
/// Where, behind the IP header, a tag can stand, and what is added to it there: TCP sequence
/// number; ICMP or UDP payload, TCP acknowledgement (one more); the same in the packet that an
/// ICMP error quotes (behind 8 bytes of ICMP and 20 of IP).
const PLACES: [(u32, u32); 6] = [(4, 0), (8, 0), (8, 1), (28 + 4, 0), (28 + 8, 0), (28 + 8, 1)];

/// The program for one tag. A load beyond the packet's end ends it with a refusal.
pub(super) fn program(tag: Tag) -> Vec<libc::sock_filter> {
    compare(tag.number(), &PLACES.map(|(offset, more)| (offset, u32::MAX, more)))
}

/// The program for all tags of a family ([`Tag::member`]).
pub(super) fn family(tag: Tag) -> Vec<libc::sock_filter> {
    let places = PLACES.iter().filter(|(_, more)| *more == 0);
    let places: Vec<_> = places.map(|(offset, _)| (*offset, FAMILY, 0)).collect();
    compare(tag.number() & FAMILY, &places)
}

/// Lets in what, at one of the places, under its mask and less its addend, is `number`.
fn compare(number: u32, places: &[(u32, u32, u32)]) -> Vec<libc::sock_filter> {
    let op = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let last = u8::try_from(4 + 3 * places.len()).unwrap_or(u8::MAX);
    let mut program = vec![
        op(LD_HALF_ABS, 0, 0, 12),
        op(JUMP_EQ, 0, last - 1, 0x0800),
        op(LD_HALF_ABS, 0, 0, ETHERNET + 6),
        op(JUMP_SET, last - 3, 0, 0x1fff), // a later fragment has no header to look at
        op(LDX_HEADER_LEN, 0, 0, ETHERNET),
    ];
    for (offset, mask, more) in places {
        let to_accept = last - u8::try_from(program.len()).unwrap_or(0) - 1;
        program.push(op(LD_WORD_IND, 0, 0, ETHERNET + offset));
        program.push(op(AND, 0, 0, *mask));
        program.push(op(JUMP_EQ, to_accept, 0, number.wrapping_add(*more)));
    }
    program.push(op(RETURN, 0, 0, 0));
    program.push(op(RETURN, 0, 0, u32::MAX));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instructions of bpf(4) that the program uses.
    fn run(program: &[libc::sock_filter], packet: &[u8]) -> u32 {
        let (mut a, mut x, mut pc) = (0u32, 0u32, 0usize);
        let load = |at: u32, len: usize| -> Option<u32> {
            let bytes = packet.get(at as usize..at as usize + len)?;
            Some(bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
        };
        loop {
            let op = program[pc];
            pc += 1;
            let jump = |yes: bool| usize::from(if yes { op.jt } else { op.jf });
            match op.code {
                LD_HALF_ABS => match load(op.k, 2) {
                    Some(v) => a = v,
                    None => return 0,
                },
                LD_WORD_IND => match load(x + op.k, 4) {
                    Some(v) => a = v,
                    None => return 0,
                },
                LDX_HEADER_LEN => match load(op.k, 1) {
                    Some(v) => x = 4 * (v & 0xf),
                    None => return 0,
                },
                JUMP_EQ => pc += jump(a == op.k),
                JUMP_SET => pc += jump(a & op.k != 0),
                AND => a &= op.k,
                RETURN => return op.k,
                code => panic!("instruction {code:#x}"),
            }
        }
    }

    fn packet(protocol: u8, behind_header: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol]);
        bytes.extend([0; 10]);
        bytes.extend(behind_header);
        bytes
    }

    #[test]
    fn a_family_of_tags_passes_and_others_do_not() {
        let program = family(Tag([1, 2, 3, 0, 5, 6, 7, 8]));
        let with = |bytes: [u8; 4]| {
            let mut body = vec![0; 16];
            body[8..12].copy_from_slice(&bytes);
            packet(17, &body)
        };
        assert_ne!(run(&program, &with([1, 2, 3, 4])), 0, "a member");
        assert_ne!(run(&program, &with([1, 2, 3, 250])), 0, "another");
        assert_eq!(run(&program, &with([1, 2, 4, 4])), 0, "a stranger");
    }

    #[test]
    fn tagged_packets_pass_and_others_do_not() {
        let tag = Tag([1, 2, 3, 4, 5, 6, 7, 8]);
        let program = program(tag);
        let with = |at: usize, bytes: [u8; 4], len: usize| {
            let mut body = vec![0; len];
            body[at..at + 4].copy_from_slice(&bytes);
            body
        };
        let here = [1, 2, 3, 4];
        assert_ne!(run(&program, &packet(6, &with(4, here, 20))), 0, "TCP SYN");
        assert_ne!(run(&program, &packet(6, &with(8, [1, 2, 3, 5], 20))), 0, "its acknowledgement");
        assert_ne!(run(&program, &packet(17, &with(8, here, 16))), 0, "payload");
        assert_ne!(run(&program, &packet(1, &with(36, here, 44))), 0, "quoted payload");
        assert_ne!(run(&program, &packet(1, &with(32, here, 44))), 0, "quoted sequence number");
        assert_eq!(run(&program, &packet(17, &[0; 64])), 0, "another packet");
        assert_eq!(run(&program, &packet(17, &[0; 3])), 0, "a short one");
        let mut arp = packet(17, &with(8, here, 16));
        arp[13] = 6;
        assert_eq!(run(&program, &arp), 0, "not IP");
        let mut fragment = packet(17, &with(8, here, 16));
        fragment[21] = 9;
        assert_eq!(run(&program, &fragment), 0, "a later fragment");
    }
}
