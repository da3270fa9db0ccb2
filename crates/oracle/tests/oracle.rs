//! The oracle on the real kernel: a fixed run agrees, kept cases agree, and lies are caught.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use kernel::Program;
use kernel::probe::Tag;
use oracle::{Bench, Draw, Kept, Lie, Order, Outcome, Rig, Tally};
use trial::{Needs, test};
use walk::{Action, Cause, Disposition, Payload, Reason, Trace};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(code) = kernel::role::play(&words) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let mut tests = vec![test("a_fixed_run_agrees", &[], || run_agrees(&fixed(None)))];
    for (name, lie) in LIES {
        tests.push(test(name, &[], move || lie_is_caught(name, lie)));
    }
    tests.push(test("a_lie_about_the_reason_is_caught", &[Needs::Drops], || {
        lie_is_caught("reason", another_reason);
    }));
    tests.push(test("kept_cases_agree_but_for_the_sickbay", &[], kept_cases_agree));
    trial::main(tests)
}

/// Predictions that are broken by hand: whatever of a packet the oracle compares.
const LIES: [(&str, Lie); 8] = [
    ("a_lie_about_the_time_to_live_is_caught", |t| packets(t, |p| p.ttl = p.ttl.wrapping_sub(1))),
    ("a_lie_about_an_ethernet_address_is_caught", |t| {
        packets(t, |p| p.dst_mac = Some(model::Mac([2, 0, 0, 0, 0, 9])));
    }),
    ("a_lie_about_the_source_is_caught", |t| packets(t, |p| p.src = [198, 51, 100, 7].into())),
    ("a_lie_about_a_port_is_caught", |t| {
        packets(t, |p| match &mut p.payload {
            Payload::Tcp { sport, .. } | Payload::Udp { sport, .. } => *sport += 1,
            Payload::Icmp { id, .. } => *id += 1,
            Payload::Other(_) => {}
        });
    }),
    ("a_lie_about_the_largest_segment_is_caught", |t| {
        packets(t, |p| p.mss = p.mss.map(|mss| mss - 1));
    }),
    ("a_missing_last_link_is_caught", |t| {
        let steps = t.there.hops.iter_mut().flat_map(|hop| &mut hop.steps);
        if let Some(step) = steps.rev().find(|step| matches!(step.action, Action::In { .. })) {
            step.action = Action::Originate;
        }
    }),
    ("a_loss_that_is_none_is_caught", |t| {
        if t.back.as_ref().is_some_and(|way| way.cause == Cause::Answer) {
            t.back = None;
            t.there.disposition = Disposition::Ignored;
        }
    }),
    ("an_error_that_is_not_foretold_is_caught", |t| {
        for step in t.there.hops.iter_mut().flat_map(|hop| &mut hop.steps) {
            step.children.retain(|child| child.cause != Cause::IcmpError);
        }
    }),
];

/// Lost at the very same place, but for another reason: only the kernel's own word tells.
fn another_reason(trace: &mut Trace) {
    if let Disposition::Lost(loss) = &mut trace.there.disposition {
        loss.reason = match loss.reason {
            Reason::TtlExpired => Reason::ForwardingOff,
            _ => Reason::TtlExpired,
        };
    }
}

/// Changes the packet of every step of the way there.
fn packets(trace: &mut Trace, change: impl Fn(&mut walk::Packet)) {
    let steps = trace.there.hops.iter_mut().flat_map(|hop| &mut hop.steps);
    steps.for_each(|step| change(&mut step.packet));
}

fn fixed(lie: Option<Lie>) -> Order {
    let cases = if lie.is_some() { 40 } else { 100 };
    Order {
        cases,
        draw: Draw::of(7),
        jobs: 1,
        keep: None,
        shrink: 0,
        until: None,
        lie,
        watch: |_, _| (),
    }
}

fn run(order: &Order, name: &str) -> Tally {
    oracle::run(order, &folder(name), &AtomicBool::new(false)).unwrap()
}

fn folder(name: &str) -> String {
    let name = format!("nestwork-oracle-test-{}-{name}", std::process::id());
    std::env::temp_dir().join(name).display().to_string()
}

fn run_agrees(order: &Order) {
    let tally = run(order, "fixed");
    assert!(tally.is_clean() && tally.agreed > 50, "{}", tally.told.join("\n"));
}

fn lie_is_caught(name: &str, lie: Lie) {
    let tally = run(&fixed(Some(lie)), name);
    assert!(tally.wrong > 0, "{} cases agreed with a lie", tally.agreed);
}

/// Every file in `kept/` agrees, but for those that `kept/sickbay` names, which must not: one that
/// has got well is to be taken off the list.
fn kept_cases_agree() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept");
    let sickbay = std::fs::read_to_string(kept.join("sickbay")).unwrap();
    let sick = |file: &Path| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        sickbay.lines().any(|line| line.split_whitespace().next() == Some(&name))
    };
    let bench = Bench::new(Program::current().unwrap(), folder("kept").as_ref()).unwrap();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    let mut unexpected = Vec::new();
    for file in files {
        let wrong = replay(&bench, &file);
        if wrong.is_empty() == sick(&file) {
            unexpected.push(format!("{}: {}", file.display(), wrong.join("; ")));
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

/// What is foretold wrongly of a kept case.
fn replay(bench: &Bench, file: &Path) -> Vec<String> {
    let kept = Kept::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
    let family = Tag([0x6b, 1, 2, 0, 3, 4, 5, 6]);
    let mut rig = Rig::build(bench, &kept.text, family).unwrap_or_else(|t| panic!("{t:?}"));
    let mut wrong = Vec::new();
    for (n, packet) in kept.packets.iter().enumerate() {
        match oracle::judge(&mut rig, packet, oracle::member(n), None).unwrap().outcome {
            Outcome::Agreed | Outcome::Spared => {}
            Outcome::Unknown(why) => wrong.push(format!("{packet}: unknown: {why:?}")),
            Outcome::Wrong(how) => wrong.push(format!("{packet}: {}", how.join(", "))),
        }
    }
    wrong
}
