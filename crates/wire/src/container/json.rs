//! JSON of which any part may be missing or of another type.

use serde_json::Value;

/// The document; None if it is none, or nested deeper than any engine writes.
pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// A text that says something.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
