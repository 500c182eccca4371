//! [`Secret`], [`Secrets`] and [`Owner`]: what only the owner's machine or the owner knows, given to the browser and
//! to nothing else.
//!
//! Invariant: the text of a secret leaves its value towards the browser alone; what comes back from there is
//! [redacted](redact).

use std::{fmt, time::Duration};

use async_trait::async_trait;

/// Where a secret stood in a text.
const MASK: &str = "[secret]";
/// A shorter secret is not searched for in texts: a digit would be found everywhere.
const MIN_REDACTED: usize = 4;

/// A text that nobody is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Where the secrets that a recipe names are kept.
pub trait Secrets: Send + Sync {
    /// The secret of this name.
    ///
    /// # Errors
    /// Why it cannot be read, in words for the owner and without the secret.
    fn secret(&self, name: &str) -> Result<Secret, String>;
}

/// What the owner is asked while a page waits for a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The recipe's words.
    pub text: String,
    /// Whether an answer is a code to type; else the owner does something elsewhere and says so.
    pub wants_code: bool,
    /// After this no answer counts.
    pub within: Duration,
}

/// What the owner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The code, which the browser types.
    Code(Secret),
    /// It was done elsewhere, as in the bank's app.
    Done,
    /// The payment is not to go on.
    No,
}

/// The owner, asked while a payment is under way.
#[async_trait]
pub trait Owner: Send + Sync {
    /// Asks; the caller gives up after [`Question::within`].
    async fn ask(&self, question: &Question) -> Reply;
}

/// A text without any of these secrets, also as JSON and as an address would have them.
pub(crate) fn redact(text: &str, secrets: &[Secret]) -> String {
    let mut out = text.to_owned();
    for secret in secrets
        .iter()
        .filter(|secret| secret.0.len() >= MIN_REDACTED)
    {
        let quoted = serde_json::Value::from(secret.0.as_str()).to_string();
        let quoted = quoted[1..quoted.len() - 1].to_owned();
        let encoded: String = secret.0.bytes().map(percent).collect();
        for form in [secret.0.as_str(), &quoted, &encoded] {
            out = out.replace(form, MASK);
        }
    }
    out
}

fn percent(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redact_removes_a_secret_in_every_form() {
        let secrets = [Secret::new(r#"p"a ss&1"#), Secret::new("123")];
        let text = r#"fill("p\"a ss&1") at ?q=p%22a%20ss%261 as p"a ss&1, 123"#;
        assert_eq!(
            redact(text, &secrets),
            r#"fill("[secret]") at ?q=[secret] as [secret], 123"#
        );
        assert_eq!(format!("{:?}", secrets[0]), "[secret]");
    }
}
