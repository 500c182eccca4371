//! [`Digest`]: what an owner who approves a mail approves of its bytes and its envelope.
//!
//! All of the mail is in it but the header `Date`, which says when it was composed. The Message-ID is in it, with the
//! number of the attempt, and so are `X-Platinum-Draft` and the boundary between the parts: the host chooses the
//! reference of a mail before it is approved, and the next reference after a doubt with the next approval.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    ComposeError, Outgoing,
    write::{DateHeader, write},
};

/// A composed mail, as far as it is the same at every composing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// SHA-256, in hex, of its bytes without the header `Date`.
    pub sha256: String,
    /// The address of `MAIL FROM`.
    pub from: String,
    /// The address of each `RCPT TO`, in their order.
    pub recipients: Vec<String>,
}

impl Outgoing {
    /// What an approval of this mail binds. Its [`date`](Self::date) makes no difference.
    ///
    /// # Errors
    /// As [`Outgoing::to_bytes`].
    pub fn digest(&self) -> Result<Digest, ComposeError> {
        let bytes = write(self, DateHeader::LeftOut)?;
        let recipients = self.recipients().into_iter();
        Ok(Digest {
            sha256: hex::encode(Sha256::digest(&bytes)),
            from: self.from.email().to_owned(),
            recipients: recipients.map(|one| one.email().to_owned()).collect(),
        })
    }
}
