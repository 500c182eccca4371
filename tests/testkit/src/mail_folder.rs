//! A mailbox without a server.

use anyhow::Context as _;

/// A folder with `mail.toml`, whose one account, `owner`, has the empty Maildir `Mail` beside it.
///
/// # Errors
/// If the folder cannot be written.
pub fn mail_folder() -> anyhow::Result<tempfile::TempDir> {
    const CONFIG: &str = "[account.owner]\naddress = 'Owner <owner@example.test>'\n\
                          backend = 'maildir'\npath = 'Mail'\n";
    let folder = tempfile::tempdir().context("no temporary folder")?;
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(folder.path().join("Mail").join(part))?;
    }
    std::fs::write(folder.path().join("mail.toml"), CONFIG)?;
    Ok(folder)
}
