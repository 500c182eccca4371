//! The lines before the session proper: a server's greeting, and the request for TLS on a plain connection.
//!
//! Every line is read byte by byte: what a server says too early, after its answer to STARTTLS, is then taken for the
//! beginning of TLS and fails there, and is never taken for an answer under TLS.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::endpoint::Security;

/// The longest line that is read.
const LINE_BYTES: usize = 2048;
/// The most lines of one answer.
const LINES: usize = 50;

/// What a server is expected to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Reading mail.
    Imap,
    /// Submitting mail.
    Smtp,
}

/// What a server opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// Its greeting, with its line ends.
    Welcome(String),
    /// It ends the connection, in these words.
    TurnedAway(String),
    /// It speaks something else: what, if that can be told.
    Other(Option<&'static str>),
}

impl Protocol {
    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Smtp => "SMTP",
        }
    }

    /// The port it usually has.
    #[must_use]
    pub fn usual_port(self, security: Security) -> u16 {
        match (self, security) {
            (Self::Imap, Security::Tls) => 993,
            (Self::Imap, Security::StartTls) => 143,
            (Self::Smtp, Security::Tls) => 465,
            (Self::Smtp, Security::StartTls) => 587,
        }
    }

    /// Which protocol a port belongs to, if everybody agrees on it.
    pub(crate) fn of_port(port: u16) -> Option<Self> {
        match port {
            143 | 993 => Some(Self::Imap),
            25 | 465 | 587 => Some(Self::Smtp),
            _ => None,
        }
    }

    /// Where it usually is, as a hint.
    pub(crate) fn usual_ports(self) -> String {
        let name = match self {
            Self::Imap => "IMAP",
            Self::Smtp => "submission (SMTP)",
        };
        format!(
            "{name} is usually on port {} with security = \"tls\", or on {} with \"starttls\"",
            self.usual_port(Security::Tls),
            self.usual_port(Security::StartTls)
        )
    }
}

/// Reads a greeting.
///
/// # Errors
/// If the connection ends first, or a line has no end.
pub(crate) async fn read_greeting(
    stream: &mut (impl AsyncRead + Unpin),
    protocol: Protocol,
) -> std::io::Result<Greeting> {
    let first = read_line(stream, LINE_BYTES).await?;
    let mut greeting = judge(&first, protocol);
    if let (Greeting::Welcome(text), Protocol::Smtp) = (&mut greeting, protocol) {
        text.push_str(&read_rest(stream, &first).await?);
    }
    Ok(greeting)
}

/// What a first line is.
fn judge(line: &str, protocol: Protocol) -> Greeting {
    let text = line.trim_end();
    let words = |text: &str| platinum_text::one_line(text, 200);
    let is_code = text.len() >= 3 && text.bytes().take(3).all(|byte| byte.is_ascii_digit());
    let starts = |prefix: &str| {
        let start = text.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    match protocol {
        Protocol::Imap if starts("* OK") => Greeting::Welcome(line.to_owned()),
        Protocol::Imap if starts("* BYE") => {
            Greeting::TurnedAway(words(text.get(5..).unwrap_or_default()))
        }
        Protocol::Imap if starts("* PREAUTH") => {
            Greeting::TurnedAway("it is logged in already, as somebody".to_owned())
        }
        Protocol::Smtp if is_code && text.starts_with("220") => Greeting::Welcome(line.to_owned()),
        Protocol::Smtp if is_code && text.starts_with(['4', '5']) => {
            Greeting::TurnedAway(words(text))
        }
        Protocol::Imap if is_code => Greeting::Other(Some("SMTP")),
        Protocol::Smtp if starts("* ") => Greeting::Other(Some("IMAP")),
        _ if starts("+OK") => Greeting::Other(Some("POP3")),
        _ => Greeting::Other(None),
    }
}

/// Asks for TLS on a plain connection that has greeted; answers the server's words if it refuses.
///
/// # Errors
/// If the connection ends first, or a line has no end.
pub(crate) async fn ask_for_tls(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    protocol: Protocol,
) -> std::io::Result<Option<String>> {
    let is_granted = |line: &str, prefix: &str| {
        let start = line.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let answer = match protocol {
        Protocol::Imap => {
            stream.write_all(b"T1 STARTTLS\r\n").await?;
            stream.flush().await?;
            let mut answer = read_line(stream, LINE_BYTES).await?;
            for _ in 0..LINES {
                if !answer.starts_with('*') {
                    break;
                }
                answer = read_line(stream, LINE_BYTES).await?;
            }
            if is_granted(&answer, "T1 OK") {
                return Ok(None);
            }
            answer
        }
        Protocol::Smtp => {
            // The one line before TLS names nobody: the session proper says hello again.
            stream.write_all(b"EHLO [127.0.0.1]\r\n").await?;
            stream.flush().await?;
            let first = read_line(stream, LINE_BYTES).await?;
            read_rest(stream, &first).await?;
            stream.write_all(b"STARTTLS\r\n").await?;
            stream.flush().await?;
            let answer = read_line(stream, LINE_BYTES).await?;
            if is_granted(&answer, "220 ") {
                return Ok(None);
            }
            answer
        }
    };
    Ok(Some(platinum_text::one_line(&answer, 200)))
}

/// The lines of an SMTP reply after `first`.
async fn read_rest(stream: &mut (impl AsyncRead + Unpin), first: &str) -> std::io::Result<String> {
    let mut rest = String::new();
    let mut continues = first.as_bytes().get(3) == Some(&b'-');
    for _ in 0..LINES {
        if !continues {
            return Ok(rest);
        }
        let line = read_line(stream, LINE_BYTES).await?;
        continues = line.as_bytes().get(3) == Some(&b'-');
        rest.push_str(&line);
    }
    Err(std::io::Error::other("the server's answer has no end"))
}

/// Reads a line with its end, byte by byte: nothing behind it is taken from the stream.
///
/// # Errors
/// If the stream ends first, or the line has no end within so many bytes.
pub async fn read_line(
    stream: &mut (impl AsyncRead + Unpin),
    most: usize,
) -> std::io::Result<String> {
    let mut line = Vec::new();
    loop {
        let byte = stream.read_u8().await?;
        line.push(byte);
        if byte == b'\n' {
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
        if line.len() >= most {
            return Err(std::io::Error::other(
                "the server's answer has an endless line",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn greeting_is_told_from_other_protocols() {
        use Protocol::{Imap, Smtp};
        for (bytes, protocol, expected) in [
            (
                "* OK ready\r\n",
                Imap,
                Greeting::Welcome("* OK ready\r\n".to_owned()),
            ),
            (
                "* BYE full\r\n",
                Imap,
                Greeting::TurnedAway("full".to_owned()),
            ),
            (
                "220-a\r\n220 b\r\n",
                Smtp,
                Greeting::Welcome("220-a\r\n220 b\r\n".to_owned()),
            ),
            (
                "554 no\r\n",
                Smtp,
                Greeting::TurnedAway("554 no".to_owned()),
            ),
            ("220 x ESMTP\r\n", Imap, Greeting::Other(Some("SMTP"))),
            ("* OK IMAP4\r\n", Smtp, Greeting::Other(Some("IMAP"))),
            ("+OK pop\r\n", Imap, Greeting::Other(Some("POP3"))),
            ("SSH-2.0-x\r\n", Smtp, Greeting::Other(None)),
        ] {
            let read = read_greeting(&mut bytes.as_bytes(), protocol)
                .await
                .unwrap();
            assert_eq!(read, expected, "{bytes:?}");
        }
        let preauth = read_greeting(&mut &b"* PREAUTH hi\r\n"[..], Imap)
            .await
            .unwrap();
        assert!(matches!(preauth, Greeting::TurnedAway(_)));
    }

    #[tokio::test]
    async fn endless_greeting_is_refused() {
        let endless = vec![b'x'; LINE_BYTES + 1];
        assert!(
            read_greeting(&mut &endless[..], Protocol::Imap)
                .await
                .is_err()
        );
        let lines = "220-x\r\n".repeat(LINES + 5);
        assert!(
            read_greeting(&mut lines.as_bytes(), Protocol::Smtp)
                .await
                .is_err()
        );
    }

    /// What follows the answer to STARTTLS in the clear stays unread: it is for TLS to stumble over.
    #[tokio::test]
    async fn starttls_reads_nothing_beyond_its_answer() {
        let (mut near, mut far) = tokio::io::duplex(4096);
        far.write_all(b"* CAPABILITY X\r\nT1 OK begin\r\n* BYE injected\r\n")
            .await
            .unwrap();
        assert_eq!(ask_for_tls(&mut near, Protocol::Imap).await.unwrap(), None);
        assert_eq!(
            read_line(&mut near, LINE_BYTES).await.unwrap(),
            "* BYE injected\r\n"
        );
        far.write_all(b"T1 BAD what\r\n").await.unwrap();
        let refused = ask_for_tls(&mut near, Protocol::Imap).await.unwrap();
        assert_eq!(refused.as_deref(), Some("T1 BAD what"));
        far.write_all(b"250-h\r\n250 STARTTLS\r\n454 later\r\n")
            .await
            .unwrap();
        let refused = ask_for_tls(&mut near, Protocol::Smtp).await.unwrap();
        assert_eq!(refused.as_deref(), Some("454 later"));
    }
}
