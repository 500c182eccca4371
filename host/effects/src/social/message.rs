//! The post that a draft leaves as, without its files' content: what its approval binds besides the fingerprint of the
//! draft.
//!
//! Invariant: nothing here talks, so an approval never waits for a network, and none decides what was approved.

use platinum_core::{PostRequest, SocialPublish, sha256_hex};
use platinum_journal::approvals::MessageDigest;

use super::SocialAccounts;
use crate::approvals::{Attachment, Outgoing};

/// The post as the server takes it.
pub(super) fn request(post: &SocialPublish, files: &[Attachment]) -> PostRequest {
    let files = files.iter();
    let files: Vec<_> = files
        .map(|file| (file.bytes.len(), file.sha256().to_owned()))
        .collect();
    post.request(&files)
}

/// What is approved of a post: its account, and the post as it is handed over; none if no social network is set up
/// here.
///
/// # Errors
/// Why it cannot be published as it is, in words.
pub(crate) fn compose(
    outgoing: &Outgoing,
    accounts: &SocialAccounts,
) -> Result<Option<MessageDigest>, String> {
    let post: SocialPublish = outgoing
        .note
        .action
        .read()
        .map_err(|error| format!("it is not a post: {error}"))?;
    let Some(from) = accounts.address(&post.account)? else {
        return Ok(None);
    };
    let request = request(&post, &outgoing.attachments);
    let request = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
    Ok(Some(MessageDigest {
        sha256: sha256_hex(request),
        from,
        recipients: Vec::new(),
    }))
}
