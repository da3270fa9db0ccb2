/// Takes a struct apart, field by field.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_ne_bytes)
    }

    pub(super) fn be16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    /// A name in a field of fixed size; None if it is not UTF-8.
    pub(super) fn text<const N: usize>(&mut self) -> Option<String> {
        let field = self.array::<N>()?;
        let end = field.iter().position(|b| *b == 0).unwrap_or(N);
        String::from_utf8(field[..end].to_vec()).ok()
    }
}

/// Puts a struct together.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn u16(&mut self, n: u16) {
        self.bytes(&n.to_ne_bytes());
    }

    pub(super) fn be16(&mut self, n: u16) {
        self.bytes(&n.to_be_bytes());
    }

    pub(super) fn u32(&mut self, n: u32) {
        self.bytes(&n.to_ne_bytes());
    }

    /// A text in a field of fixed size, filled up with zeros. What is too long is cut, with a zero
    /// at the end.
    pub(super) fn field(&mut self, bytes: &[u8], size: usize) {
        let used = bytes.len().min(size - 1);
        self.bytes(&bytes[..used]);
        self.0.resize(self.0.len() + size - used, 0);
    }

    /// XT_ALIGN.
    pub(super) fn aligned(mut self) -> Vec<u8> {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        self.0
    }
}
