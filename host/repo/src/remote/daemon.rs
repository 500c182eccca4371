//! Asking git's own daemon on this machine where its branch points: one request over a socket,
//! in protocol 2 (or what an older server answers to that), without a process on this side.
//!
//! Invariants: only loopback is connected to; an answer is bounded in time and length, and read
//! strictly.

use std::{io, net::SocketAddr, time::Duration};

use git2::Oid;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{BRANCH, address::Site};

/// How long the whole exchange may take.
const AT_MOST: Duration = Duration::from_secs(5);
/// How many bytes an answer may have.
const MAX_ANSWER: usize = 1024 * 1024;
/// Git's own port.
const PORT: u16 = 9418;

/// Where the branch points; `None` if there is none.
pub(super) async fn ask(site: &Site) -> Result<Option<Oid>, String> {
    match timeout(AT_MOST, exchange(site)).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer in {} s", AT_MOST.as_secs())),
    }
}

async fn exchange(site: &Site) -> io::Result<Option<Oid>> {
    let port = site.port.unwrap_or(PORT);
    let found: Vec<SocketAddr> = tokio::net::lookup_host((site.host.as_str(), port))
        .await?
        .filter(|address| address.ip().is_loopback())
        .collect();
    let stream = TcpStream::connect(found.as_slice()).await?;
    let mut answer = Packets {
        stream,
        left: MAX_ANSWER,
    };
    let host = match site.host.contains(':') {
        true => format!("[{}]:{port}", site.host),
        false => format!("{}:{port}", site.host),
    };
    let opening = format!("git-upload-pack {}\0host={host}\0\0version=2\0", site.path);
    answer.stream.write_all(&packet(&opening)?).await?;
    let first = answer.next().await?;
    if first.as_deref() != Some(b"version 2\n") {
        return told_at_once(first, &mut answer).await;
    }
    while answer.next().await?.is_some() {}
    let mut question = packet("command=ls-refs\n")?;
    question.extend_from_slice(b"0001");
    question.extend(packet(&format!("ref-prefix {BRANCH}\n"))?);
    question.extend_from_slice(b"0000");
    answer.stream.write_all(&question).await?;
    let mut tip = None;
    while let Some(line) = answer.next().await? {
        tip = tip.or(read(&line)?);
    }
    // The other side is waiting for another question: there is none.
    answer.stream.write_all(b"0000").await?;
    Ok(tip)
}

/// What a server of the old protocol says: all refs, before any question.
async fn told_at_once(mut line: Option<Vec<u8>>, answer: &mut Packets) -> io::Result<Option<Oid>> {
    let mut tip = None;
    while let Some(told) = line {
        if !told.starts_with(b"version ") {
            // The first ref is followed by what the server can do.
            let name = told.split(|byte| *byte == 0).next().unwrap_or_default();
            tip = tip.or(read(name)?);
        }
        line = answer.next().await?;
    }
    answer.stream.write_all(b"0000").await?;
    Ok(tip)
}

/// The id, if the line is about our branch.
fn read(line: &[u8]) -> io::Result<Option<Oid>> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not git's");
    let line = std::str::from_utf8(line).map_err(|_| strange())?;
    if let Some(said) = line.strip_prefix("ERR ") {
        let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(io::Error::other(said));
    }
    let (hex, rest) = line.trim_end().split_once(' ').ok_or_else(strange)?;
    let name = rest.split(' ').next().unwrap_or_default();
    if hex.len() != 40 {
        return Err(strange());
    }
    let id = Oid::from_str(hex).map_err(|_| strange())?;
    Ok((name == BRANCH).then_some(id))
}

fn packet(text: &str) -> io::Result<Vec<u8>> {
    let len = text.len().saturating_add(4);
    if len > 65_520 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(format!("{len:04x}{text}").into_bytes())
}

struct Packets {
    stream: TcpStream,
    /// Bytes that may still come.
    left: usize,
}

impl Packets {
    /// The next packet; `None` at a flush.
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let strange = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not git's");
        let mut digits = [0_u8; 4];
        self.stream.read_exact(&mut digits).await?;
        let len = std::str::from_utf8(&digits)
            .ok()
            .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|text| usize::from_str_radix(text, 16).ok())
            .ok_or_else(strange)?;
        if len == 0 {
            return Ok(None);
        }
        let len = len.checked_sub(4).ok_or_else(strange)?;
        self.left = self.left.checked_sub(len).ok_or_else(strange)?;
        let mut bytes = vec![0; len];
        self.stream.read_exact(&mut bytes).await?;
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_branch_is_read_from_an_answer() {
        let id = "1".repeat(40);
        let oid = Oid::from_str(&id).unwrap();
        assert_eq!(
            read(format!("{id} {BRANCH}\n").as_bytes()).unwrap(),
            Some(oid)
        );
        assert_eq!(read(format!("{id} {BRANCH}2\n").as_bytes()).unwrap(), None);
        assert_eq!(
            read(format!("{id} HEAD symref-target:x\n").as_bytes()).unwrap(),
            None
        );
        assert_eq!(
            read(b"ERR access denied\n").unwrap_err().to_string(),
            "access denied"
        );
        for strange in ["", "x", "1 refs/heads/main", "\u{ff}"] {
            assert!(read(strange.as_bytes()).is_err(), "{strange:?}");
        }
    }
}
