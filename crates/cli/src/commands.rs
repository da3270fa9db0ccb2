//! A file per subcommand: what it takes is in `args`, how it looks is in `render`.

pub(crate) mod check;
pub(crate) mod collect;
pub(crate) mod completion;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod find;
pub(crate) mod labs;
pub(crate) mod ls;
pub(crate) mod map;
pub(crate) mod overview;
pub(crate) mod plan;
mod reach;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod trace;
pub(crate) mod up;
pub(crate) mod watch;
