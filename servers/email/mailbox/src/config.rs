//! The accounts of a configuration file.
//!
//! A file is TOML with tables `[account.NAME]`; an unknown key is an error that says which keys there are.
//! `[account.NAME.smtp]` belongs to the sending server: this crate keeps it unread, as text nobody here understands.
//! Where a password comes from is [`crate::secret`].

