//! Several pieces in one input: each begins with a line `=== HEAD`. A text keeps its shape when bytes
//! of it are changed, which lengths in front of the pieces would not.

/// A piece and what its first line calls it.
pub(crate) struct Section<'a> {
    pub(crate) head: &'a str,
    pub(crate) body: &'a [u8],
}

const MARK: &[u8] = b"=== ";

/// The pieces of an input. What stands before the first mark is dropped.
pub(crate) fn sections(data: &[u8]) -> Vec<Section<'_>> {
    let mut starts: Vec<usize> = Vec::new();
    let begins = |at: usize| at == 0 || data[at - 1] == b'\n';
    starts.extend((0..data.len()).filter(|at| data[*at..].starts_with(MARK) && begins(*at)));
    let last = data.strip_suffix(b"\n").unwrap_or(data).len();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([last]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| one(data.get(start + MARK.len()..end).unwrap_or_default()))
        .collect()
}

fn one(piece: &[u8]) -> Section<'_> {
    let line = piece.iter().position(|b| *b == b'\n');
    let (head, body) = match line {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (piece, &[][..]),
    };
    Section { head: std::str::from_utf8(head).unwrap_or_default(), body }
}

/// The input that has these pieces.
pub(crate) fn joined<'a>(pieces: impl IntoIterator<Item = (String, &'a [u8])>) -> Vec<u8> {
    let mut data = Vec::new();
    for (head, body) in pieces {
        data.extend_from_slice(MARK);
        data.extend_from_slice(head.as_bytes());
        data.push(b'\n');
        data.extend_from_slice(body);
        data.push(b'\n');
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back() {
        let data = joined([("a b".to_owned(), &b"1\n=2"[..]), ("c".to_owned(), &b""[..])]);
        let pieces: Vec<_> = sections(&data).into_iter().map(|s| (s.head, s.body)).collect();
        assert_eq!(pieces, [("a b", &b"1\n=2"[..]), ("c", &b""[..])]);
    }
}
