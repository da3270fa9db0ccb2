//! Netlink attributes as nftables uses them: numbers in network byte order, texts ended by NUL.

/// NLA_F_NESTED: the attribute holds attributes. The kernel leaves it out in what it sends.
const NESTED: u16 = 1 << 15;
/// Low bits of an attribute's type, without its two flags.
const KIND: u16 = 0x3fff;

/// The attributes of one level, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attrs<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Attrs<'a> {
    /// None if the bytes are no whole list of attributes.
    pub(crate) fn parse(mut bytes: &'a [u8]) -> Option<Self> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            let (head, _) = bytes.split_first_chunk::<4>()?;
            let len = usize::from(u16::from_ne_bytes([head[0], head[1]]));
            let kind = u16::from_ne_bytes([head[2], head[3]]) & KIND;
            all.push((kind, bytes.get(4..len)?));
            bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(Self(all))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> + '_ {
        self.0.iter().copied()
    }

    /// The bytes of the first attribute of that kind.
    pub(crate) fn get(&self, kind: u16) -> Option<&'a [u8]> {
        self.iter().find(|(k, _)| *k == kind).map(|(_, bytes)| bytes)
    }

    /// Some if there is nothing but these: an attribute unknown here may change the meaning of all.
    pub(crate) fn only(&self, known: &[u16]) -> Option<()> {
        self.iter().all(|(k, _)| known.contains(&k)).then_some(())
    }

    pub(crate) fn u32(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    pub(crate) fn u64(&self, kind: u16) -> Option<u64> {
        Some(u64::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    pub(crate) fn u16(&self, kind: u16) -> Option<u16> {
        Some(u16::from_be_bytes(self.get(kind)?.try_into().ok()?))
    }

    pub(crate) fn u8(&self, kind: u16) -> Option<u8> {
        match self.get(kind)? {
            [byte] => Some(*byte),
            _ => None,
        }
    }

    pub(crate) fn text(&self, kind: u16) -> Option<String> {
        self.get(kind).map(text)
    }

    pub(crate) fn nest(&self, kind: u16) -> Option<Self> {
        Self::parse(self.get(kind)?)
    }

    /// A number that may be left out; the outer None means that it is there and no number.
    #[allow(clippy::option_option, reason = "`?` tells a bad number from none")]
    pub(crate) fn maybe_u32(&self, kind: u16) -> Option<Option<u32>> {
        match self.get(kind) {
            None => Some(None),
            Some(_) => self.u32(kind).map(Some),
        }
    }
}

/// The bytes up to the first NUL. Names are ASCII in practice; what is not UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Appends attributes.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    buf: Vec<u8>,
}

impl Writer {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.buf
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.buf.len()
    }

    pub(crate) fn bytes(&mut self, kind: u16, bytes: &[u8]) {
        self.open(kind);
        let start = self.buf.len() - 4;
        self.buf.extend_from_slice(bytes);
        self.close(start);
    }

    pub(crate) fn u8(&mut self, kind: u16, n: u8) {
        self.bytes(kind, &[n]);
    }

    pub(crate) fn u16(&mut self, kind: u16, n: u16) {
        self.bytes(kind, &n.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, kind: u16, n: u32) {
        self.bytes(kind, &n.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, kind: u16, n: u64) {
        self.bytes(kind, &n.to_be_bytes());
    }

    pub(crate) fn text(&mut self, kind: u16, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes);
    }

    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.buf.len();
        self.open(kind | NESTED);
        fill(self);
        self.close(start);
    }

    /// Attributes that are encoded already, as the inside of a nest.
    pub(crate) fn nested_bytes(&mut self, kind: u16, inside: &[u8]) {
        self.nest(kind, |w| w.raw(inside));
    }

    /// Attributes that are encoded already.
    pub(crate) fn raw(&mut self, attrs: &[u8]) {
        self.buf.extend_from_slice(attrs);
    }

    fn open(&mut self, kind: u16) {
        self.buf.extend_from_slice(&[0, 0]);
        self.buf.extend_from_slice(&kind.to_ne_bytes());
    }

    /// Fills in the length. More than 65535 bytes do not fit an attribute: the length then says 0,
    /// which the kernel refuses, rather than something that it could take for another message.
    fn close(&mut self, start: usize) {
        let len = u16::try_from(self.buf.len() - start).unwrap_or(0);
        self.buf[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        self.buf.resize(self.buf.len().next_multiple_of(4), 0);
    }
}
