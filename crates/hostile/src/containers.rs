//! What tells of containers: files that engines and containers write, and what engines answer.

use model::Engine;
use wire::container::{
    cgroup, docker, is_file_name, is_id, lxc, machine, monitor, mounts, oci, passwd, podman,
};
use wire::{engine_api, http};

/// The same bytes as every answer of every engine: whole, and as the body of an HTTP reply.
pub(crate) fn engine_api(data: &[u8]) {
    let body = http::body(data);
    for json in [data, body.as_deref().unwrap_or_default()] {
        let _ = (engine_api::docker::containers(json), engine_api::docker::pid(json));
        let _ = (engine_api::docker::networks(json), engine_api::podman::containers(json));
        let _ = (engine_api::podman::networks(json), engine_api::incus::pid(json));
        let _ = engine_api::incus::containers(Engine::Incus, json);
        let _ = engine_api::incus::networks(Engine::Incus, json);
    }
}

/// The same bytes as every file.
pub(crate) fn container(data: &[u8]) {
    let _ = (docker::config(data), docker::data_root(data), docker::configured_root(data));
    let _ = (podman::stored(data), podman::network(data), monitor::monitor(data));
    if let Some(bundle) = oci::bundle(data) {
        let _ = bundle.container(Engine::Podman, "x");
    }
    let text = String::from_utf8_lossy(data);
    let _ = (cgroup::chain(&text), cgroup::service(&text), mounts::container(&text));
    let _ = (lxc::config(&text), lxc::proxmox_hostname(&text), machine::machine(&text));
    let _ = (passwd::home(&text, 0), is_id(&text), is_file_name(&text));
}
