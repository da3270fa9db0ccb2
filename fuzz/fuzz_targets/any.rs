//! All targets are built of this file: each is called as the target in `hostile` that it tries.
#![no_main]

use std::sync::LazyLock;

use hostile::{Target, target};

static TARGET: LazyLock<&Target> =
    LazyLock::new(|| target(env!("CARGO_BIN_NAME")).expect("a target of that name"));

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.try_on)(data));
