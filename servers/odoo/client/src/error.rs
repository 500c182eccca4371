//! [`OdooError`]: what went wrong, in one line for a person, and whether anything may have been done.

use platinum_kit::SecretError;
use platinum_text::one_line;
use serde_json::Value;

/// The longest text of Odoo's that is passed on, in characters.
const MAX_TEXT: usize = 400;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OdooError {
    /// Odoo was not reached: nothing was asked.
    #[error("cannot reach Odoo at {host}: {reason}")]
    Unreachable {
        /// Its host name.
        host: String,
        /// What failed.
        reason: String,
    },
    /// The question was sent and the answer did not come, or cannot be read: it may have been done.
    #[error("the answer of Odoo at {host} was lost: {reason}")]
    Lost {
        /// Its host name.
        host: String,
        /// What failed.
        reason: String,
    },
    /// Odoo does not take the key.
    #[error("Odoo refuses the login: {0}; check `key`, `user` and `database` in the configuration")]
    Login(String),
    /// A right is missing. Nothing was done.
    #[error("the Odoo user lacks a right: {0}")]
    Right(String),
    /// Odoo refused, and undid what it had begun.
    #[error("Odoo refused: {0}")]
    Refused(String),
    /// A record is not there any more. Nothing was done.
    #[error("Odoo refused: {0}")]
    Missing(String),
    /// Something inside Odoo failed, and it undid what it had begun.
    #[error("Odoo failed inside: {0}; its own log has the details")]
    Failed(String),
    /// The answer is not what this call answers.
    #[error("Odoo answered otherwise than expected: {0}")]
    Answer(String),
    /// The settings cannot work.
    #[error("{0}")]
    Setup(String),
}

impl OdooError {
    /// Whether the call certainly changed nothing.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Lost { .. } | Self::Answer(_))
    }

    /// Whether the same call may succeed later with nothing changed on our side.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Failed(_)
        )
    }

    /// This error of a call that changes nothing: a lost answer left nothing done either.
    #[must_use]
    pub(crate) fn into_unreachable(self) -> Self {
        match self {
            Self::Lost { host, reason } => Self::Unreachable { host, reason },
            error => error,
        }
    }

    /// The error that Odoo reports as `{"name": …, "message": …}`.
    #[must_use]
    pub fn reported(error: &Value) -> Self {
        let name = error["name"].as_str().unwrap_or_default();
        let text = words(error["message"].as_str().unwrap_or_default());
        // The class alone: its module moved between versions, and `odoo` was `openerp` once.
        match name.rsplit('.').next().unwrap_or_default() {
            "AccessError" => Self::Right(text),
            "AccessDenied" | "Unauthorized" | "SessionExpiredException" => Self::Login(text),
            "MissingError" => Self::Missing(text),
            "UserError"
            | "ValidationError"
            | "RedirectWarning"
            | "CacheMiss"
            | "except_orm"
            | "Warning"
            | "NotFound"
            | "UnprocessableEntity"
            | "BadRequest" => Self::Refused(text),
            class => Self::Failed(one_line(&format!("{class}: {text}"), MAX_TEXT)),
        }
    }
}

impl From<SecretError> for OdooError {
    fn from(error: SecretError) -> Self {
        Self::Setup(error.to_string())
    }
}

/// A message of Odoo's on one line: without its jokes, its advice to find somebody, and whatever is a traceback.
#[must_use]
pub fn words(message: &str) -> String {
    const NOISE: [&str; 4] = [
        "Uh-oh! Looks like you have stumbled upon",
        "If you really, really need access",
        "Contact your administrator to request access",
        "Note: this might be a multi-company issue",
    ];
    let message = message
        .split("Traceback (most recent call last)")
        .next()
        .unwrap_or_default();
    let is_noise = |line: &&str| NOISE.iter().any(|noise| line.trim().starts_with(noise));
    let lines: Vec<&str> = message.lines().filter(|line| !is_noise(line)).collect();
    match one_line(&lines.join(" "), MAX_TEXT) {
        text if text.is_empty() => "without a reason".to_owned(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What Odoo 19 and 16 report, and the line that a person gets of it.
    #[test]
    fn reported_error_is_one_line_that_names_the_right() {
        let table = [
            (
                json!({"name": "odoo.exceptions.AccessError", "debug": "Traceback (most recent call last): x",
                    "message": "You are not allowed to create 'Journal Entry' (account.move) records.\n\n\
                        This operation is allowed for the following groups:\n\t- Accounting/Invoicing\n\n\
                        Contact your administrator to request access if necessary."}),
                "the Odoo user lacks a right: You are not allowed to create 'Journal Entry' (account.move) records. This \
                 operation is allowed for the following groups: - Accounting/Invoicing",
            ),
            (
                json!({"name": "odoo.exceptions.AccessError",
                    "message": "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, Bob (id=7) \
                        doesn't have 'write' access to:\n- Journal Entry (account.move)\n\nIf you really, really need \
                        access, perhaps you can win over your friendly administrator with a batch of freshly baked cookies."}),
                "the Odoo user lacks a right: Sorry, Bob (id=7) doesn't have 'write' access to: - Journal Entry (account.move)",
            ),
            (
                json!({"name": "odoo.exceptions.UserError", "message": "The entry INV/2026/00001 (id 1) must be in draft."}),
                "Odoo refused: The entry INV/2026/00001 (id 1) must be in draft.",
            ),
            (
                json!({"name": "odoo.exceptions.MissingError", "message": "Record does not exist or has been deleted.\n(Record: account.move(9,), User: 2)"}),
                "Odoo refused: Record does not exist or has been deleted. (Record: account.move(9,), User: 2)",
            ),
            (
                json!({"name": "odoo.exceptions.AccessDenied", "message": "Access Denied"}),
                "Odoo refuses the login: Access Denied; check `key`, `user` and `database` in the configuration",
            ),
            (
                json!({"name": "builtins.ValueError", "message": "Invalid field 'x' on 'account.move'\nTraceback (most recent call last):\n  File \"/usr/lib/odoo.py\""}),
                "Odoo failed inside: ValueError: Invalid field 'x' on 'account.move'; its own log has the details",
            ),
            (
                json!({"name": "psycopg2.errors.SerializationFailure", "message": ""}),
                "Odoo failed inside: SerializationFailure: without a reason; its own log has the details",
            ),
        ];
        for (error, line) in table {
            assert_eq!(OdooError::reported(&error).to_string(), line);
        }
    }

    #[test]
    fn reported_error_is_bounded() {
        let error =
            OdooError::reported(&json!({"name": "x.UserError", "message": "a\n".repeat(100_000)}));
        assert!(error.to_string().chars().count() < 450, "{error}");
        assert!(error.is_certain());
    }

    #[test]
    fn lost_answers_are_not_certain() {
        let lost = OdooError::Lost {
            host: "h".into(),
            reason: "r".into(),
        };
        assert!(!lost.is_certain() && lost.is_passing());
        assert!(!OdooError::Answer("x".into()).is_certain());
        assert!(
            OdooError::Unreachable {
                host: "h".into(),
                reason: "r".into()
            }
            .is_certain()
        );
    }
}
