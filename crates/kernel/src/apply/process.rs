//! What needs a process of its own: cables and answering hosts.

use std::os::fd::AsFd;

use model::{CableSpec, NicSpec, Pins, ServiceSpec};

use super::{Builder, Cause};
use crate::role;
use crate::role::Port;
use crate::spawn::{self, Newborn};
use crate::state::{Entry, Role};
use crate::sys::{self, Spaces};

impl Builder<'_> {
    pub(super) fn make_cable(&mut self, spec: &CableSpec) -> Result<(), Cause> {
        let Some(far) = &spec.b else { return self.make_unplugged(&spec.a) };
        let (near_space, far_space) = (self.space(&spec.a.link.ns)?, self.space(&far.link.ns)?);
        let ends = [(&spec.a, &near_space.net), (far, &far_space.net)];
        let pidfd = rustix::io::dup(far_space.process.as_fd())?;
        let names = [spec.a.link.to_string(), far.link.to_string()];
        let newborn = spawn::helper(
            self.program,
            &near_space.process,
            c"nestwork-cable",
            &names.each_ref().map(String::as_str),
            || {
                let mut fds = Vec::new();
                for (nic, net) in ends {
                    let entered = sys::setns(net.as_fd(), Spaces::NET);
                    spawn::step("enter the card's namespace", entered)?;
                    let tun = spawn::step(&format!("open {}", role::TUN), role::open_tun())?;
                    let made = role::make_card(tun, &nic.link.name, nic.pins.index, false);
                    fds.push(spawn::step(&format!("make the card {}", nic.link), made)?);
                }
                fds.push(pidfd);
                // It belongs to the near card's container: seen from there, it is no stranger's.
                let home = sys::setns(near_space.net.as_fd(), Spaces::NET);
                spawn::step("go back to the near card's namespace", home)?;
                Ok(fds)
            },
        )?;
        let [a, b] = names;
        self.let_live(Role::Cable(a, b), newborn)?;
        self.set_card_pins(&spec.a)?;
        self.set_card_pins(far)
    }

    /// A card with nothing plugged in needs nobody to carry frames: a tap that stays by itself.
    fn make_unplugged(&mut self, nic: &NicSpec) -> Result<(), Cause> {
        self.make_link(&model::LinkSpec {
            link: nic.link.clone(),
            kind: model::LinkSpecKind::Tap,
            pins: nic.pins.clone(),
        })
    }

    fn set_card_pins(&mut self, nic: &NicSpec) -> Result<(), Cause> {
        self.set_pins(&nic.link, &Pins { index: None, ..nic.pins.clone() })
    }

    pub(super) fn end_cable(&mut self, spec: &CableSpec) -> Result<(), Cause> {
        if spec.b.is_none() {
            return self.remove_link(&spec.a.link);
        }
        let name = spec.a.link.to_string();
        self.end_process(|role| matches!(role, Role::Cable(a, _) if *a == name))
    }

    pub(super) fn make_service(&mut self, ns: &str, spec: &ServiceSpec) -> Result<(), Cause> {
        let ports: Vec<String> = spec
            .tcp
            .iter()
            .map(|n| Port::Tcp(*n))
            .chain(spec.udp_echo.iter().map(|n| Port::UdpEcho(*n)))
            .map(|p| p.to_string())
            .collect();
        let space = self.space(ns)?;
        let net = rustix::io::dup(&space.net)?;
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let args: Vec<&str> = ports.iter().map(String::as_str).collect();
        let newborn =
            spawn::helper(self.program, &space.process, c"nestwork-serve", &args, || {
                Ok(vec![net, writer])
            })?;
        self.let_live(Role::Service(ns.to_owned(), ports), newborn)?;
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut std::fs::File::from(reader), &mut answer)?;
        match answer.as_str() {
            "." => Ok(()),
            "" => Err(Cause::new("the answering process ended before its ports were open")),
            error => Err(Cause::new(error)),
        }
    }

    /// Writes a new process into the journal, and lets it go on.
    fn let_live(&mut self, role: Role, newborn: Newborn) -> Result<(), Cause> {
        self.lab.record(Entry {
            role,
            pid: newborn.process.pid,
            started: newborn.process.started,
            net: newborn.process.namespace("net")?,
        })?;
        newborn.release()?;
        Ok(())
    }

    pub(super) fn end_process(&mut self, which: impl Fn(&Role) -> bool) -> Result<(), Cause> {
        for entry in self.lab.entries.iter().filter(|e| which(&e.role)) {
            if let Some(process) = entry.process()? {
                process.kill()?;
            }
        }
        Ok(())
    }
}
