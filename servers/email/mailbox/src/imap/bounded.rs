//! A stream that reads along: an answer larger than its allowance is an error, not memory; and it knows how a
//! command was answered.
//!
//! The library above takes the end of the stream for the end of an answer, and a refused FETCH for an empty one.
//! [`Bounded::answer`] distinguishes them: an answer is whole only when its tagged line was read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest line: a list of some 400 000 UIDs. The parser reads a line again from its start at each piece of it.
const LINE_BYTES: u64 = 4 * 1024 * 1024;
/// The bytes of a line that are kept.
const KEPT_BYTES: usize = 400;
/// The bytes of a line's end that can announce a literal: `{4294967295+}` and the line end.
const TAIL_BYTES: usize = 16;

/// A stream with an allowance.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    left: u64,
    lines: Lines,
}

/// How a command was answered: the rest of its tagged line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Done.
    Ok,
    /// Refused, with the server's words.
    No(String),
    /// Not understood, with the server's words.
    Bad(String),
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S, allowance: u64) -> Self {
        Self {
            stream,
            left: allowance,
            lines: Lines::default(),
        }
    }

    /// Allows this much for the next answer, and forgets the last one.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.left = bytes;
        self.lines.answer = None;
    }

    /// The tagged line that was read last since [`Bounded::allow`]; nothing when no answer is whole.
    pub(super) fn answer(&self) -> Option<&Answer> {
        self.lines.answer.as_ref()
    }

    /// The reason of the server for ending the connection, if it gave one.
    pub(super) fn bye(&self) -> Option<&str> {
        self.lines.bye.as_deref()
    }
}

/// Follows lines and literals, keeping next to nothing of them.
#[derive(Debug, Default)]
struct Lines {
    /// Bytes of a literal still to come.
    literal: u64,
    /// The beginning of the line, without its literals.
    start: Vec<u8>,
    /// The last bytes of the line.
    tail: Vec<u8>,
    length: u64,
    answer: Option<Answer>,
    bye: Option<String>,
}

impl Lines {
    /// Takes in what was read, `left` being what may still come.
    fn read(&mut self, mut bytes: &[u8], left: u64) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            if self.literal > 0 {
                let skipped = bytes
                    .len()
                    .min(usize::try_from(self.literal).unwrap_or(usize::MAX));
                bytes = &bytes[skipped..];
                self.literal -= skipped as u64;
                continue;
            }
            let length = bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |at| at + 1);
            let (piece, rest) = bytes.split_at(length);
            bytes = rest;
            self.length += length as u64;
            if self.length > LINE_BYTES {
                return Err("the server's answer has an endless line");
            }
            let room = KEPT_BYTES.saturating_sub(self.start.len());
            self.start.extend_from_slice(&piece[..room.min(length)]);
            self.tail
                .extend_from_slice(&piece[length.saturating_sub(TAIL_BYTES)..]);
            let old = self.tail.len().saturating_sub(TAIL_BYTES);
            self.tail.drain(..old);
            if piece.ends_with(b"\n") {
                match literal_len(&self.tail) {
                    Some(literal) if literal > left + bytes.len() as u64 => {
                        return Err("the server's answer is too large");
                    }
                    Some(literal) => {
                        self.literal = literal;
                        self.tail.clear();
                    }
                    None => self.end_of_line(),
                }
            }
        }
        Ok(())
    }

    fn end_of_line(&mut self) {
        let line = String::from_utf8_lossy(&self.start);
        let line = line.trim_end();
        let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (status, words) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_status = |word: &str| status.eq_ignore_ascii_case(word);
        match tag {
            "*" if is_status("BYE") => self.bye = Some(words.to_owned()),
            "*" | "+" => {}
            _ if is_status("OK") => self.answer = Some(Answer::Ok),
            _ if is_status("NO") => self.answer = Some(Answer::No(words.to_owned())),
            _ if is_status("BAD") => self.answer = Some(Answer::Bad(words.to_owned())),
            _ => {}
        }
        self.start.clear();
        self.tail.clear();
        self.length = 0;
    }
}

/// The size of the literal that a line's end announces: `{123}`, `{123+}`.
fn literal_len(tail: &[u8]) -> Option<u64> {
    let tail = tail.strip_suffix(b"\n")?;
    let tail = tail.strip_suffix(b"\r").unwrap_or(tail);
    let tail = tail.strip_suffix(b"}")?;
    let tail = tail.strip_suffix(b"+").unwrap_or(tail);
    let start = tail.iter().rposition(|byte| *byte == b'{')?;
    let digits = std::str::from_utf8(&tail[start + 1..]).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server's answer is too large")));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let new = &buf.filled()[before..];
        self.left = self.left.saturating_sub(new.len() as u64);
        let left = self.left;
        if let Err(why) = self.lines.read(new, left) {
            return Poll::Ready(Err(io::Error::other(why)));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, pieces: usize) -> Result<Lines, &'static str> {
        let mut lines = Lines::default();
        for piece in text.as_bytes().chunks(pieces) {
            lines.read(piece, 1000)?;
        }
        Ok(lines)
    }

    #[test]
    fn answer_is_the_tagged_line_outside_literals() {
        let text = "* 1 FETCH (BODY[] {12}\r\nA1 OK done\r\n UID 3)\r\nA2 NO [SERVERBUG] broken\r\n* 2 EXISTS\r\n";
        for pieces in [1, 2, 7, 1000] {
            let lines = read(text, pieces).unwrap();
            assert_eq!(
                lines.answer,
                Some(Answer::No("[SERVERBUG] broken".to_owned()))
            );
            let cut = read(&text[..60], pieces).unwrap();
            assert_eq!(cut.answer, None);
        }
        let bye = read("* BYE too many connections\r\n", 5).unwrap();
        assert_eq!(bye.bye.as_deref(), Some("too many connections"));
    }

    #[test]
    fn literal_beyond_the_allowance_is_refused() {
        assert!(read("* 1 FETCH (BODY[] {4294967295}\r\n", 3).is_err());
        assert!(read("* 1 FETCH (BODY[] {1001+}\r\n", 1000).is_err());
        assert_eq!(
            read("* 1 FETCH (BODY[] {7}\r\nab", 1000).unwrap().literal,
            5
        );
    }

    #[test]
    fn endless_line_is_refused() {
        let mut lines = Lines::default();
        let piece = [b'x'; 4096];
        let taken = (0..2000)
            .take_while(|_| lines.read(&piece, u64::MAX / 2).is_ok())
            .count();
        assert_eq!(taken as u64, LINE_BYTES / 4096);
        assert!(lines.start.len() + lines.tail.len() < 1000);
    }
}
