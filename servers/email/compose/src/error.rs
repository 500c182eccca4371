//! [`ComposeError`]: why a mail cannot be written, for whoever wrote it.

/// Why a mail cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A one-line field has a line end or another control character in it.
    #[error("{field} contains a line end or another control character; give one line of text")]
    ControlCharacter {
        /// The field.
        field: &'static str,
    },
    /// Not an address.
    #[error("{field}: {given:?} is not a mail address: {reason}")]
    Address {
        /// The field.
        field: &'static str,
        /// What was given, cut.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a Message-ID.
    #[error("{field}: {given:?} is not a Message-ID; write it as left@right")]
    MessageId {
        /// The field.
        field: &'static str,
        /// What was given, cut.
        given: String,
    },
    /// There is no recipient.
    #[error("no recipient: give at least one address in to, cc or bcc")]
    NoRecipient,
    /// Not the id of a draft.
    #[error("draft: {given:?} is not an id; write letters, digits, `_` and `-`")]
    Draft {
        /// What was given, cut.
        given: String,
    },
    /// Not a media type.
    #[error("attachment {name:?}: {media_type:?} is not a media type; write it as application/pdf")]
    MediaType {
        /// The attachment.
        name: String,
        /// What was given, cut.
        media_type: String,
    },
    /// Not base64.
    #[error("attachment {name:?}: its content is not base64")]
    Base64 {
        /// The attachment.
        name: String,
    },
    /// Too much of something.
    #[error("{field}: {found} is more than the {most} allowed")]
    TooMuch {
        /// The field.
        field: &'static str,
        /// How much was given.
        found: usize,
        /// How much may be.
        most: usize,
    },
    /// The mail could not be written.
    #[error("the mail could not be written: {0}")]
    Write(String),
}
