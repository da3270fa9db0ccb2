//! As much of HTTP as it takes to ask a container engine: a GET on a connection of its own, and the
//! whole answer when the connection has ended.

use httparse::{EMPTY_HEADER, Status};

/// The most headers that an answer may have.
const HEADERS: usize = 64;

/// Why bytes are no good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It does not begin as HTTP does.
    #[error("its answer is not HTTP")]
    NotHttp,
    /// Less came than was announced.
    #[error("its answer breaks off")]
    BrokenOff,
    /// It answered, and not with 200.
    #[error("it answered with status {0}")]
    Refused(u16),
}

/// A GET after which the other side closes.
#[must_use]
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
}

/// The body of an answer, of which `bytes` is all that came.
///
/// # Errors
/// If it is not whole, or not an answer with status 200.
pub fn body(bytes: &[u8]) -> Result<Vec<u8>, HttpError> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if bytes.is_empty() => return Err(HttpError::BrokenOff),
        Ok(Status::Partial) | Err(_) => return Err(HttpError::NotHttp),
    };
    match head.code {
        Some(200) => {}
        Some(code) => return Err(HttpError::Refused(code)),
        None => return Err(HttpError::NotHttp),
    }
    let rest = bytes.get(length..).ok_or(HttpError::BrokenOff)?;
    if header(&head, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case(b"chunked")) {
        return chunks(rest);
    }
    let Some(announced) = header(&head, "content-length") else { return Ok(rest.to_vec()) };
    let announced = std::str::from_utf8(announced).ok().and_then(|t| t.trim().parse().ok());
    let announced: usize = announced.ok_or(HttpError::NotHttp)?;
    rest.get(..announced).map(<[u8]>::to_vec).ok_or(HttpError::BrokenOff)
}

fn header<'a>(head: &httparse::Response<'_, 'a>, name: &str) -> Option<&'a [u8]> {
    head.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
}

/// Puts chunks together again.
fn chunks(mut rest: &[u8]) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::with_capacity(rest.len());
    loop {
        let (line, size) = match httparse::parse_chunk_size(rest) {
            Ok(Status::Complete(size)) => size,
            Ok(Status::Partial) => return Err(HttpError::BrokenOff),
            Err(_) => return Err(HttpError::NotHttp),
        };
        if size == 0 {
            return Ok(body);
        }
        let size = usize::try_from(size).map_err(|_| HttpError::BrokenOff)?;
        let end = line.checked_add(size).ok_or(HttpError::BrokenOff)?;
        body.extend_from_slice(rest.get(line..end).ok_or(HttpError::BrokenOff)?);
        rest = rest.get(end..).and_then(|r| r.strip_prefix(b"\r\n")).ok_or(HttpError::BrokenOff)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &str, wanted: Result<&str, HttpError>) {
        let got = body(answer.as_bytes());
        assert_eq!(got, wanted.map(|w| w.as_bytes().to_vec()));
    }

    #[test]
    fn by_length_by_chunks_and_until_the_end() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", Ok("[]"));
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]and more", Ok("[]"));
        check("HTTP/1.0 200 OK\r\n\r\n[1]", Ok("[1]"));
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{head}3\r\n[1,\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"), Ok("[1,0123456789"));
    }

    #[test]
    fn what_is_not_whole_or_no_answer() {
        check("", Err(HttpError::BrokenOff));
        check("HTTP/1.1 200 OK\r\n", Err(HttpError::NotHttp));
        check("SSH-2.0-OpenSSH_9.2\r\n", Err(HttpError::NotHttp));
        check("HTTP/1.1 404 Not Found\r\n\r\n", Err(HttpError::Refused(404)));
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[]", Err(HttpError::BrokenOff));
        check("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n[]", Err(HttpError::NotHttp));
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{head}5\r\n[]"), Err(HttpError::BrokenOff));
        check(&format!("{head}2\r\n[]"), Err(HttpError::BrokenOff));
        check(&format!("{head}ffffffffffffffff\r\n[]"), Err(HttpError::BrokenOff));
        check(&format!("{head}what\r\n[]"), Err(HttpError::NotHttp));
        let many = "X: y\r\n".repeat(65);
        check(&format!("HTTP/1.1 200 OK\r\n{many}\r\n[]"), Err(HttpError::NotHttp));
    }
}
