//! Docker's files.

use model::Network;
use wire::container::docker::{Told, config};

use super::User;
use super::desk::{Desk, FILE};
use crate::read::container::evidence::Shown;

/// A container's own file.
pub(super) fn tell(desk: &mut Desk, user: User, shown: &mut Shown) -> Vec<Network> {
    let id = shown.container.id.clone();
    let Some(Told { container, networks }) = roots(desk, user).into_iter().find_map(|root| {
        let file = desk.read(&format!("{root}/containers/{id}/config.v2.json"), FILE)?;
        config(&file).filter(|told| told.container.id == id)
    }) else {
        return Vec::new();
    };
    shown.container.absorb(container);
    networks
}

/// With an own range of uids, a folder called by it; without root, in the user's home.
fn roots(desk: &mut Desk, user: User) -> Vec<String> {
    let mut roots = desk.docker.clone();
    if user.inner != 0 {
        roots.extend(desk.docker.iter().map(|root| format!("{root}/{0}.{0}", user.inner)));
    }
    roots.extend(desk.home(user.uid).map(|home| format!("{home}/.local/share/docker")));
    roots
}
