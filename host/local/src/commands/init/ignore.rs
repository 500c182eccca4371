//! The vault's `.gitignore`: for other tools that use Git in the vault. Platinum itself never reads
//! it: what it syncs is decided by its own rules.
//!
//! Invariants: our lines are in a block between two marks, and only what is between them is ours;
//! the owner's lines stay as they are, before and after it. A line below the block may undo one of
//! ours: that is the owner's to decide.

use platinum_vault::{Vault, VaultError};

use super::{CommandError, vault_path};

const IGNORE: &str = ".gitignore";
/// The largest one that is added to.
const MAX_BYTES: u64 = 1024 * 1024;

const BEGIN: &str = "# >>> platinum: what must not get into any repository";
const END: &str = "# <<< platinum";

/// What the block holds. Git compares the case of letters: both are there where people use both.
const LINES: [&str; 58] = [
    ".obsidian/",
    ".trash/",
    ".platinum-tmp-*",
    ".env",
    ".env.*",
    ".envrc",
    "*.env",
    "*.env.*",
    "*.session",
    "*.session-*",
    "[Cc]redential",
    "[Cc]redential.*",
    "[Cc]redentials",
    "[Cc]redentials.*",
    "*_credentials.*",
    "client_secret*",
    "[Ss]ecret",
    "[Ss]ecrets",
    "[Ss]ecret.*",
    "[Ss]ecrets.*",
    "[Pp]assword.*",
    "[Pp]asswords.*",
    "[Pp]asswort.*",
    "[Pp]assw\u{f6}rter.*",
    "[Bb]anking/",
    "*_token.*",
    "*-token.*",
    "token.txt",
    "token.json",
    "tokens.txt",
    "tokens.json",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_*.bak",
    "*.key",
    "*.key.txt",
    "*.pem",
    "*.pem.*",
    "*.p8",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.kdb",
    "*.ovpn",
    ".ssh/",
    ".gnupg/",
    ".aws/",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    "wallet.dat",
    "[Cc]ookies*",
];

/// Makes the file, or puts our block into it, or renews it.
pub(crate) fn write(vault: &Vault) -> Result<(), CommandError> {
    let path = vault_path(IGNORE)?;
    let before = match vault.read_text(&path, MAX_BYTES) {
        Ok(text) => Some(text),
        Err(VaultError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let text = with_block(before.as_deref().unwrap_or_default());
    match before {
        Some(before) if before == text => Ok(()),
        Some(before) => Ok(vault.replace(&path, text.as_bytes(), Some(before.as_bytes()))?),
        None => Ok(vault.create(&path, text.as_bytes())?),
    }
}

/// The text with our block in its place, or at the end if it has none.
fn with_block(text: &str) -> String {
    let block: String = std::iter::once(BEGIN)
        .chain(LINES)
        .chain([END])
        .flat_map(|line| [line, "\n"])
        .collect();
    let start = line_at(text, BEGIN);
    let end = start.and_then(|start| {
        let below = text.get(start..)?;
        let end = start + line_at(below, END)? + END.len();
        Some(end + below_newline(text, end))
    });
    match (start, end) {
        (Some(start), Some(end)) => {
            let (before, after) = (text.get(..start), text.get(end..));
            [
                before.unwrap_or_default(),
                &block,
                after.unwrap_or_default(),
            ]
            .concat()
        }
        _ => {
            let gap = match text {
                "" => "",
                text if text.ends_with('\n') => "",
                _ => "\n",
            };
            [text, gap, &block].concat()
        }
    }
}

/// Where the first line of this text starts.
fn line_at(text: &str, line: &str) -> Option<usize> {
    let mut at = 0;
    for there in text.split_inclusive('\n') {
        if there.trim_end() == line {
            return Some(at);
        }
        at += there.len();
    }
    None
}

/// How many bytes the end of the line at this place has.
fn below_newline(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    match rest.find('\n') {
        Some(end) => end + 1,
        None => rest.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owners_lines_stay_and_ours_are_renewed() {
        let fresh = with_block("");
        assert!(fresh.starts_with(BEGIN) && fresh.ends_with("# <<< platinum\n"));
        assert_eq!(with_block(&fresh), fresh);
        let own = with_block("mine/\n!keep.pem");
        assert!(own.starts_with("mine/\n!keep.pem\n# >>>"), "{own}");
        let around = format!("{own}# mine again\n!server.pem\n");
        assert_eq!(with_block(&around), around);
        let old = format!("a\n{BEGIN}\n.env\n{END}\r\nb\n");
        assert_eq!(with_block(&old), format!("a\n{fresh}b\n"));
        // A block without its end is left to the owner, and a whole one put below.
        let torn = format!("{BEGIN}\n.env\n");
        assert_eq!(with_block(&torn), format!("{torn}{fresh}"));
    }

    #[test]
    fn git_ignores_what_the_block_names_and_no_ordinary_note() {
        let folder = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let mut command = std::process::Command::new("git");
            command.current_dir(folder.path()).args(args);
            command
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_NOSYSTEM", "1");
            command.output().unwrap().status.success()
        };
        assert!(git(&["init", "--quiet"]));
        write(&Vault::open(folder.path()).unwrap()).unwrap();
        for secret in [
            ".env",
            "a/.env.local",
            "Inbox/Credentials.md",
            "client_secret_1.json",
            "Banking/x.pdf",
            "server.key",
            "x/.ssh/config",
            "github_token.txt",
            "Passwords.md",
            "me.session",
        ] {
            assert!(git(&["check-ignore", "--quiet", secret]), "{secret}");
        }
        for note in [
            "Dashboard.md",
            "Inbox/Token economy.md",
            "Inbox/Secret Santa.md",
            "Inbox/Key results.md",
        ] {
            assert!(!git(&["check-ignore", "--quiet", note]), "{note}");
        }
    }
}
