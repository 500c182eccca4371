//! As much of an LMTP client as delivering one mail to one user takes.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, bail};

const PATIENCE: Duration = Duration::from_secs(30);

/// Delivers `mail` to `to`.
pub(super) fn deliver(port: u16, to: &str, mail: &[u8]) -> anyhow::Result<()> {
    let stream =
        TcpStream::connect(("127.0.0.1", port)).context("the LMTP server does not answer")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut expect = |code: &str| -> anyhow::Result<()> {
        loop {
            let mut line = String::new();
            if reader
                .read_line(&mut line)
                .context("no answer from the LMTP server")?
                == 0
            {
                bail!("the LMTP server hung up");
            }
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            if !line.starts_with(code) {
                bail!("the LMTP server refused: {}", line.trim_end());
            }
            return Ok(());
        }
    };
    expect("220")?;
    for (command, code) in [
        ("LHLO localhost\r\n".to_owned(), "250"),
        ("MAIL FROM:<sender@elsewhere.test>\r\n".to_owned(), "250"),
        (format!("RCPT TO:<{to}>\r\n"), "250"),
        ("DATA\r\n".to_owned(), "354"),
    ] {
        writer.write_all(command.as_bytes())?;
        expect(code)?;
    }
    writer.write_all(&on_the_wire(mail))?;
    expect("250")?;
    writer.write_all(b"QUIT\r\n")?;
    Ok(())
}

/// Line ends and dots as the protocol wants them, and its end mark.
fn on_the_wire(mail: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(mail.len() + 64);
    let mut line_starts = true;
    let mut before = 0;
    for &byte in mail {
        if byte == b'\n' && before != b'\r' {
            wire.push(b'\r');
        }
        if byte == b'.' && line_starts {
            wire.push(b'.');
        }
        wire.push(byte);
        line_starts = byte == b'\n';
        before = byte;
    }
    if !line_starts {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::on_the_wire;

    #[test]
    fn dots_are_doubled_at_line_starts_and_line_ends_are_crlf() {
        assert_eq!(
            on_the_wire(b".a\n.b\r\nc.\rd"),
            b"..a\r\n..b\r\nc.\rd\r\n.\r\n"
        );
        assert_eq!(on_the_wire(b""), b".\r\n");
    }
}
