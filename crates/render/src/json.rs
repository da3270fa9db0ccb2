//! shim
#![allow(missing_docs)]
use model::*;
pub fn plan(_: &[Change]) -> String {
    String::new()
}
pub fn map(_: &Snapshot, _: Option<NsId>) -> String {
    String::new()
}
pub fn ls(_: &Snapshot, _: Option<NsId>) -> String {
    String::new()
}
pub fn show(_: &Snapshot, _: Target) -> String {
    String::new()
}
pub fn trace(_: &Snapshot, _: &walk::Trace, _: Option<&walk::Checked>) -> String {
    String::new()
}
pub fn schema(_: &str) -> Option<String> {
    None
}
