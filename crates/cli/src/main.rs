//! nestwork
fn main() {}
