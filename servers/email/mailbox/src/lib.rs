//! A mailbox: IMAP over TLS or Maildir; reading, searching, drafts, MIME.
