//! Commands that the library does not know, or not at that moment: their lines are written and read here.
//!
//! Invariant: nothing else is under way on the stream, and the library has read all that came before.

use platinum_connect::dialogue::read_line;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// The longest line, and the most lines, before an answer is given up.
const LINE_BYTES: usize = 8192;
const LINES: usize = 50;

/// Gives a command and answers the lines before the tagged one, whatever that says.
pub(super) async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    command: &str,
) -> std::io::Result<Vec<String>> {
    stream
        .write_all(format!("R1 {command}\r\n").as_bytes())
        .await?;
    stream.flush().await?;
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let line = read_line(stream, LINE_BYTES).await?.trim_end().to_owned();
        if line.starts_with("R1 ") {
            return Ok(lines);
        }
        lines.push(line);
    }
    Err(std::io::Error::other("the server's answer has no end"))
}

/// The mechanisms of login in the lines of an answer to CAPABILITY.
pub(super) fn login_mechanisms(lines: &[String]) -> Vec<String> {
    let capabilities = lines.iter().filter_map(|line| {
        let (start, rest) = line.split_at_checked("* CAPABILITY ".len())?;
        start.eq_ignore_ascii_case("* CAPABILITY ").then_some(rest)
    });
    capabilities
        .flat_map(|rest| rest.split(' '))
        .filter_map(|word| {
            let (key, mechanism) = word.split_once('=')?;
            key.eq_ignore_ascii_case("AUTH")
                .then(|| mechanism.to_ascii_uppercase())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn raw_answer_ends_with_its_tag() {
        let (mut near, mut far) = tokio::io::duplex(4096);
        far.write_all(b"* 3 EXISTS\r\n* X\r\nR1 OK\r\n* 4 EXISTS\r\n")
            .await
            .unwrap();
        assert_eq!(ask(&mut near, "X").await.unwrap(), ["* 3 EXISTS", "* X"]);
        let mut rest = [0; 12];
        near.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"* 4 EXISTS\r\n");
        far.write_all(b"R1 BAD what\r\n").await.unwrap();
        assert!(ask(&mut near, "X").await.unwrap().is_empty());
        let mut asked = [0; 12];
        far.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"R1 X\r\nR1 X\r\n");
    }

    #[test]
    fn login_mechanisms_are_those_of_auth() {
        let lines = [
            "* OK hi",
            "* capability IMAP4rev1 auth=xoauth2 AUTH=PLAIN IDLE",
        ];
        let lines: Vec<String> = lines.map(str::to_owned).into();
        assert_eq!(login_mechanisms(&lines), ["XOAUTH2", "PLAIN"]);
    }
}
