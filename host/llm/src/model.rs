//! [`Model`], the one thing that is asked of a provider, with its request and its answer.
//!
//! Invariant: a provider is handed a request only after [`Request::check`]; nothing above the
//! bounds here reaches the network.

use async_trait::async_trait;

use crate::LlmError;

/// Instructions and parts together, in bytes.
pub const MAX_REQUEST_BYTES: usize = 128 * 1024;
/// Upper bound of [`Request::max_tokens`].
pub const MAX_TOKENS: u32 = 8192;

/// Whatever completes a request: a provider over the network, or the deterministic [`crate::Builtin`].
#[async_trait]
pub trait Model: Send + Sync {
    /// Completes.
    ///
    /// # Errors
    /// [`LlmError`] says whether to mend the request, wait for the budget, or try again later.
    async fn complete(&self, request: Request) -> Result<Completion, LlmError>;

    /// The name for logs and tables: `builtin`, or provider and model (`anthropic claude-…`).
    fn name(&self) -> &str;
}

/// What to complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Instructions: usually the body of a SKILL.md.
    pub instructions: String,
    /// What follows, in order.
    pub parts: Vec<Part>,
    /// Upper bound of the answer, 1 to [`MAX_TOKENS`].
    pub max_tokens: u32,
}

/// A piece of what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The skill's own words.
    Say(String),
    /// Text from outside, sent fenced as data, with the instruction not to obey it.
    Quote {
        /// What it is, for example `mail`: 1 to 32 of `a-z` and `-`.
        label: String,
        /// The text.
        text: String,
    },
}

/// The answer. Its text is as untrusted as all text from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// The model's name; `builtin` if no model wrote it.
    pub model: String,
    /// Whether the answer was cut at the bound.
    pub truncated: bool,
    /// Tokens read, as the provider counts them.
    pub input_tokens: u64,
    /// Tokens written, as the provider counts them.
    pub output_tokens: u64,
}

impl Request {
    /// Checks the bounds that the contract names.
    ///
    /// # Errors
    /// [`LlmError::Invalid`] with the first rule that the request breaks.
    pub fn check(&self) -> Result<(), LlmError> {
        let invalid = |text: String| Err(LlmError::Invalid(text));
        if self.max_tokens == 0 || self.max_tokens > MAX_TOKENS {
            return invalid(format!(
                "max-tokens is {}; it must be 1 to {MAX_TOKENS}",
                self.max_tokens
            ));
        }
        for part in &self.parts {
            if let Part::Quote { label, .. } = part {
                let fits = (1..=32).contains(&label.len())
                    && label.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                if !fits {
                    let shown: String = label.escape_debug().take(40).collect();
                    return invalid(format!("`{shown}` is no label; use 1 to 32 of a-z and `-`"));
                }
            }
        }
        let bytes = self.bytes();
        if bytes > MAX_REQUEST_BYTES {
            return invalid(format!(
                "instructions and parts are {bytes} bytes; at most {MAX_REQUEST_BYTES} are sent"
            ));
        }
        if self.parts.is_empty() {
            return invalid("there are no parts; give at least one".to_owned());
        }
        Ok(())
    }

    /// Bytes of instructions and parts.
    pub(crate) fn bytes(&self) -> usize {
        let parts = self.parts.iter().map(|part| match part {
            Part::Say(text) => text.len(),
            Part::Quote { label, text } => label.len() + text.len(),
        });
        parts.fold(self.instructions.len(), usize::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(parts: Vec<Part>, max_tokens: u32) -> Request {
        Request {
            instructions: String::new(),
            parts,
            max_tokens,
        }
    }

    #[test]
    fn request_out_of_bounds_is_invalid() {
        let say = |text: &str| vec![Part::Say(text.to_owned())];
        assert_eq!(request(say("x"), 1).check(), Ok(()));
        for (bad, expected) in [
            (request(say("x"), 0), "max-tokens is 0"),
            (request(say("x"), 8193), "max-tokens is 8193"),
            (request(vec![], 1), "no parts"),
            (
                request(say(&"x".repeat(MAX_REQUEST_BYTES + 1)), 1),
                "131073 bytes",
            ),
            (
                request(
                    vec![Part::Quote {
                        label: "Mail\n".to_owned(),
                        text: String::new(),
                    }],
                    1,
                ),
                "`Mail\\n` is no label",
            ),
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
