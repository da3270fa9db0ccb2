use kernel::read::Parts;
use kernel::{ExecError, Join};

use crate::args::Exec;
use crate::failure::{Exit, Failure, OrFail};
use crate::session::{Session, find_ns};

pub(crate) fn run(session: &Session, args: &Exec) -> Result<Exit, Failure> {
    let snapshot = session.snapshot(Parts::DESCRIPTORS)?;
    let namespace = &snapshot.namespaces[&find_ns(&snapshot, &args.ns)?];
    let name = render::clean(&args.ns);
    let outcome = if args.all {
        let process = namespace.processes.first().ok_or_else(|| {
            Failure::usage(format!("{name} has no process: there are no other namespaces to join"))
                .hint("without -a only its network is joined")
        })?;
        let process = kernel::Process::of(process.pid)
            .or_fail(&format!("cannot look at {name}'s first process"))?;
        kernel::exec(&Join::Container(&process), &args.command)
    } else {
        let net = kernel::open(namespace).or_fail(&format!("cannot open {name}"))?;
        kernel::exec(&Join::Network(net), &args.command)
    };
    match outcome {
        Ok(status) => Ok(Exit::Of(u8::try_from(status).unwrap_or(1))),
        Err(ExecError::Enter(e)) => Err(Failure::failed(format!("cannot enter {name}"))
            .because(e)
            .hint("entering a namespace takes CAP_SYS_ADMIN: run it as root")),
        Err(ExecError::Start(e)) => {
            let command = args.command[0].to_string_lossy();
            let code = if e.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
            let mut failure =
                Failure::failed(format!("cannot run {}", render::clean(&command))).because(e);
            failure.exit = Exit::Of(code);
            Err(failure)
        }
    }
}
