//! The filter that lets only tagged packets into a socket: classic BPF, as in bpf(4).

use super::Tag;

const LD_HALF_ABS: u16 = 0x28;
const LD_BYTE_ABS: u16 = 0x30;
const LD_WORD_IND: u16 = 0x40;
const LDX_CONSTANT: u16 = 0x01;
const LDX_HEADER_LEN: u16 = 0xb1; // 4 * (byte & 0xf)
const JUMP: u16 = 0x05;
const JUMP_EQ: u16 = 0x15;
const JUMP_SET: u16 = 0x45;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

/// What the first halves of a family's tags have in common.
const FAMILY: u32 = 0xffff_ff00;

/// SKF_AD_OFF + SKF_AD_HATYPE: what kind of link it is, ARPHRD_*.
const HARDWARE: u32 = 0_u32.wrapping_sub(0x1000) + 28;
/// ARPHRD_NONE: frames have no header of the link (WireGuard).
const NONE: u32 = 0xfffe;

/// Length of an Ethernet header.
const ETHERNET: u32 = 14;
const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
/// Lengths of IPv6's header, and of that of a fragment, which is called so.
const HEADER6: u32 = 40;
const FRAGMENT6: u32 = 8;
const FRAGMENT: u32 = 44;
/// Where, behind the IP header, a tag can stand, and what is added to it there: TCP sequence
/// number; ICMP or UDP payload, TCP acknowledgement (one more); the same in the packet that an
/// ICMP error quotes (behind 8 bytes of ICMP and 20 of IP, or 40 and perhaps those of a fragment;
/// of a redirect, behind 40, perhaps an Ethernet address, and the option that quotes; where a
/// redirect is about an error, behind those of both);
/// the same within a tunnel's outer packet: behind the inner IP header (ipip, sit), that and GRE's,
/// or those of UDP, VXLAN and Ethernet, and where an error quotes such a one, or
/// another VXLAN carries it.
/// In this order, since to look beyond the end of a packet is to refuse it.
const PLACES: [(u32, u32); 46] = [
    (4, 0),
    (8, 0),
    (8, 1),
    (20 + 4, 0),
    (20 + 8, 0), // the same as behind GRE: 24 + 4
    (20 + 8, 1),
    (28 + 4, 0), // and 24 + 8
    (28 + 4, 1),
    (28 + 8, 0),
    (28 + 8, 1),
    (48 + 4, 0),
    (50 + 4, 0),
    (48 + 8, 0),
    (48 + 8, 1),
    (50 + 8, 0),
    (50 + 8, 1),
    (56 + 4, 0),
    (56 + 8, 0),
    (56 + 8, 1),
    (70 + 4, 0),
    (70 + 8, 0),
    (70 + 8, 1),
    (28 + 50 + 4, 0),
    (28 + 50 + 8, 0),
    (28 + 50 + 8, 1),
    (88 + 4, 0),
    (88 + 8, 0),
    (88 + 8, 1),
    (96 + 4, 0),
    (28 + 70 + 4, 0),
    (96 + 8, 0), // and 50 + 50 + 4
    (96 + 8, 1),
    (28 + 70 + 8, 0),
    (28 + 70 + 8, 1),
    (50 + 50 + 8, 0),
    (50 + 50 + 8, 1),
    (28 + 78 + 8, 0), // a fragment of IPv6 in a VXLAN
    (70 + 48 + 4, 0),
    (70 + 48 + 8, 0),
    (70 + 48 + 8, 1),
    (88 + 48 + 4, 0),
    (88 + 48 + 8, 0),
    (88 + 48 + 8, 1),
    (96 + 48 + 4, 0),
    (96 + 48 + 8, 0),
    (96 + 48 + 8, 1),
];

/// Where the tag may stand behind the IP header, and as which number.
pub(crate) fn places(tag: Tag) -> Vec<(u32, u32)> {
    PLACES.iter().map(|(offset, more)| (*offset, tag.number().wrapping_add(*more))).collect()
}

/// The program for one tag.
pub(super) fn program(tag: Tag) -> Vec<libc::sock_filter> {
    compare(tag.number(), &PLACES.map(|(offset, more)| (offset, u32::MAX, more)))
}

/// The program for all tags of a family ([`Tag::member`]).
pub(super) fn family(tag: Tag) -> Vec<libc::sock_filter> {
    let places = PLACES.iter().filter(|(_, more)| *more == 0);
    let places: Vec<_> = places.map(|(offset, _)| (*offset, FAMILY, 0)).collect();
    compare(tag.number() & FAMILY, &places)
}

const fn op(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// Lets in what, at one of the places, under its mask and less its addend, is `number`: on links
/// with Ethernet headers, and on those that have none at all.
fn compare(number: u32, places: &[(u32, u32, u32)]) -> Vec<libc::sock_filter> {
    let framed = behind(ETHERNET, number, places);
    let mut program = vec![
        op(LD_HALF_ABS, 0, 0, HARDWARE),
        op(JUMP_EQ, 0, 1, NONE),
        op(JUMP, 0, 0, u32::try_from(framed.len()).unwrap_or(u32::MAX)),
    ];
    program.extend(framed);
    program.extend(behind(0, number, places));
    program
}

/// The same for IP behind so long a header of the link.
fn behind(link: u32, number: u32, places: &[(u32, u32, u32)]) -> Vec<libc::sock_filter> {
    let mut program = headers(link);
    let last = u8::try_from(program.len() + 3 * places.len()).unwrap_or(u8::MAX);
    for (offset, mask, more) in places {
        let to_accept = last - u8::try_from(program.len()).unwrap_or(0) - 2;
        program.push(op(LD_WORD_IND, 0, 0, link + offset));
        program.push(op(AND, 0, 0, *mask));
        program.push(op(JUMP_EQ, to_accept, 0, number.wrapping_add(*more)));
    }
    program.push(op(RETURN, 0, 0, 0));
    program.push(op(RETURN, 0, 0, u32::MAX));
    program
}

/// Puts the length of all headers of IP into the index, and refuses what has none, or is a later
/// fragment, behind which there is none to look at.
fn headers(link: u32) -> Vec<libc::sock_filter> {
    let (mut program, four, six) = match link {
        // Only IP's own first bits say what it is.
        0 => (vec![op(LD_BYTE_ABS, 0, 0, 0), op(AND, 0, 0, 0xf0)], 0x40, 0x60),
        _ => (vec![op(LD_HALF_ABS, 0, 0, link - 2)], IPV4, IPV6),
    };
    program.extend([
        op(JUMP_EQ, 0, 4, four),
        op(LD_HALF_ABS, 0, 0, link + 6),
        op(JUMP_SET, 9, 0, 0x1fff),
        op(LDX_HEADER_LEN, 0, 0, link),
        op(JUMP, 0, 0, 8),
        op(JUMP_EQ, 0, 6, six),
        op(LDX_CONSTANT, 0, 0, HEADER6),
        op(LD_BYTE_ABS, 0, 0, link + 6),
        op(JUMP_EQ, 0, 4, FRAGMENT),
        op(LDX_CONSTANT, 0, 0, HEADER6 + FRAGMENT6),
        op(LD_HALF_ABS, 0, 0, link + HEADER6 + 2),
        op(JUMP_SET, 0, 1, 0xfff8),
        op(RETURN, 0, 0, 0),
    ]);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a link of Ethernet.
    fn run(program: &[libc::sock_filter], packet: &[u8]) -> u32 {
        run_on(1, program, packet)
    }

    /// The instructions of bpf(4) that the program uses, on a link of that kind.
    fn run_on(kind: u32, program: &[libc::sock_filter], packet: &[u8]) -> u32 {
        let (mut a, mut x, mut pc) = (0u32, 0u32, 0usize);
        let load = |at: u32, len: usize| -> Option<u32> {
            let bytes = packet.get(at as usize..at as usize + len)?;
            Some(bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
        };
        loop {
            let op = program[pc];
            pc += 1;
            let jump = |yes: bool| usize::from(if yes { op.jt } else { op.jf });
            let loaded = match op.code {
                LD_HALF_ABS if op.k == HARDWARE => Some(kind),
                LD_HALF_ABS => load(op.k, 2),
                LD_BYTE_ABS | LDX_HEADER_LEN => load(op.k, 1),
                LD_WORD_IND => load(x + op.k, 4),
                _ => Some(0),
            };
            let Some(loaded) = loaded else { return 0 };
            match op.code {
                LD_HALF_ABS | LD_BYTE_ABS | LD_WORD_IND => a = loaded,
                LDX_HEADER_LEN => x = 4 * (loaded & 0xf),
                LDX_CONSTANT => x = op.k,
                JUMP => pc += op.k as usize,
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

    fn packet6(protocol: u8, behind_header: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, protocol, 64]);
        bytes.extend([0; 32]);
        bytes.extend(behind_header);
        bytes
    }

    fn body(at: usize, bytes: [u8; 4], len: usize) -> Vec<u8> {
        let mut body = vec![0; len];
        body[at..at + 4].copy_from_slice(&bytes);
        body
    }

    const HERE: [u8; 4] = [1, 2, 3, 4];

    #[test]
    fn a_family_of_tags_passes_and_others_do_not() {
        let program = family(Tag([1, 2, 3, 0, 5, 6, 7, 8]));
        for packet in [packet, packet6] {
            let with = |bytes: [u8; 4]| packet(17, &body(8, bytes, 16));
            assert_ne!(run(&program, &with(HERE)), 0, "a member");
            assert_ne!(run(&program, &with([1, 2, 3, 250])), 0, "another");
            assert_eq!(run(&program, &with([1, 2, 4, 4])), 0, "a stranger");
        }
    }

    #[test]
    fn tagged_packets_pass_and_others_do_not() {
        let program = program(Tag([1, 2, 3, 4, 5, 6, 7, 8]));
        for packet in [packet, packet6] {
            let is_let_in = |packet: &[u8]| run(&program, packet) != 0;
            assert!(is_let_in(&packet(6, &body(4, HERE, 20))), "TCP SYN");
            assert!(is_let_in(&packet(6, &body(8, [1, 2, 3, 5], 20))), "its acknowledgement");
            assert!(is_let_in(&packet(17, &body(8, HERE, 16))), "payload");
            assert!(!is_let_in(&packet(17, &[0; 99])), "another packet");
            assert!(!is_let_in(&packet(17, &[0; 3])), "a short one");
            let mut arp = packet(17, &body(8, HERE, 16));
            arp[13] = 6;
            assert!(!is_let_in(&arp), "not IP");
        }
        let is_let_in = |packet: &[u8]| run(&program, packet) != 0;
        assert!(is_let_in(&packet(1, &body(36, HERE, 44))), "quoted payload");
        assert!(is_let_in(&packet(1, &body(32, HERE, 44))), "quoted sequence number");
        assert!(is_let_in(&packet6(58, &body(56, HERE, 99))), "the same of IPv6");
        assert!(is_let_in(&packet6(58, &body(52, HERE, 99))), "the same of IPv6");
        assert!(is_let_in(&packet6(58, &body(64, HERE, 99))), "a quoted fragment's");
        assert!(is_let_in(&packet6(58, &body(152, HERE, 199))), "of an error in a redirect");
        let mut fragment = packet(17, &body(8, HERE, 16));
        fragment[21] = 9;
        assert!(!is_let_in(&fragment), "a later fragment");
    }

    #[test]
    fn a_link_without_headers() {
        let program = program(Tag([1, 2, 3, 4, 5, 6, 7, 8]));
        for packet in [packet, packet6] {
            let whole = packet(17, &body(8, HERE, 16));
            assert_ne!(run_on(NONE, &program, &whole[14..]), 0, "payload");
            assert_eq!(run_on(NONE, &program, &packet(17, &[0; 99])[14..]), 0, "another packet");
            assert_eq!(run(&program, &whole[14..]), 0, "no frame of Ethernet");
        }
        assert_eq!(run_on(NONE, &program, &[0; 99]), 0, "not IP");
    }

    #[test]
    fn a_fragment_of_ipv6_has_its_tag_further_behind() {
        let program = program(Tag([1, 2, 3, 4, 5, 6, 7, 8]));
        let first = packet6(44, &body(16, HERE, 24));
        assert_ne!(run(&program, &first), 0, "the first");
        let mut later = first;
        later[14 + 40 + 3] = 8;
        assert_eq!(run(&program, &later), 0, "a later one");
    }
}
