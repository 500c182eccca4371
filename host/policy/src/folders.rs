//! [`check_folder`]: whether a folder of the vault may be granted to a skill of a role.
//!
//! Lives elsewhere: which folders are granted is in the configuration; opening them is in `vault`.
//! Invariants: pure; a skill is never granted what its role may not do itself, and no skill writes
//! where Platinum keeps its own work: a file there is a task, an approval or a receipt.

use std::{fmt, str::FromStr};

use platinum_core::{AgentName, Role, VaultPath, layout};

use crate::{Change, Rule, check, is_synced};

/// What a skill may do in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FolderAccess {
    /// Read the files in it.
    Read,
    /// Read, make, change and delete files in it.
    Write,
}

impl fmt::Display for FolderAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FolderAccess::Read => "read",
            FolderAccess::Write => "write",
        })
    }
}

/// The text is no access.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown access `{0}`; expected `read` or `write`")]
pub struct UnknownAccess(String);

impl FromStr for FolderAccess {
    type Err = UnknownAccess;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "read" => Ok(FolderAccess::Read),
            "write" => Ok(FolderAccess::Write),
            _ => Err(UnknownAccess(text.chars().take(64).collect())),
        }
    }
}

/// Why a folder cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderRefusal {
    /// It holds settings of programs, or what is kept out of sight.
    #[error("`{0}` begins with a dot: such folders hold settings and secrets of programs")]
    Hidden(VaultPath),
    /// The cloud does not have it.
    #[error("`{0}` is not synced, so the cloud does not have it")]
    NotSynced(VaultPath),
    /// The role may not write there itself.
    #[error("role {role} may not {change} files in `{folder}`: {rule}")]
    Role {
        /// The role.
        role: Role,
        /// The folder.
        folder: VaultPath,
        /// What it may not do.
        change: Change,
        /// Which rule says so.
        rule: Rule,
    },
    /// Platinum works by what is in it.
    #[error(
        "a file in `{0}` is a task, an approval or a receipt to Platinum, so no skill writes there by itself"
    )]
    Own(VaultPath),
}

/// Whether a skill on a host of this role may be granted a folder.
///
/// # Errors
/// The rule that is against it.
pub fn check_folder(
    role: Role,
    agent: &AgentName,
    folder: &VaultPath,
    access: FolderAccess,
) -> Result<(), FolderRefusal> {
    if folder.components().any(|part| part.starts_with('.')) {
        return Err(FolderRefusal::Hidden(folder.clone()));
    }
    // A note in it stands for all of them.
    let Ok(note) = folder.join("note.md") else {
        return Err(FolderRefusal::NotSynced(folder.clone()));
    };
    if role == Role::Cloud && !is_synced(&note) {
        return Err(FolderRefusal::NotSynced(folder.clone()));
    }
    if access == FolderAccess::Read {
        return Ok(());
    }
    for change in [Change::Create, Change::Modify, Change::Delete] {
        if let Err(violations) = check(role, agent, &[(note.clone(), change)])
            && let Some(violation) = violations.into_iter().next()
        {
            return Err(FolderRefusal::Role {
                role,
                folder: folder.clone(),
                change,
                rule: violation.rule,
            });
        }
    }
    // `Inbox` is where the owner, and so the owner's skills, put things for Platinum to look at.
    // Another case may be the same folder to the system.
    let is_own = |own: &&str| own.eq_ignore_ascii_case(folder.top());
    match layout::FOLDERS.iter().any(is_own) && folder.top() != layout::INBOX {
        true => Err(FolderRefusal::Own(folder.clone())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(role: Role, folder: &str, access: FolderAccess) -> Result<(), String> {
        let agent = role.as_str().parse().unwrap();
        let folder = VaultPath::new(folder).unwrap();
        check_folder(role, &agent, &folder, access).map_err(|error| error.to_string())
    }

    #[test]
    fn folder_of_the_owners_is_local_alone() {
        for access in [FolderAccess::Read, FolderAccess::Write] {
            assert_eq!(verdict(Role::Local, "Projects/2026", access), Ok(()));
            assert_eq!(
                verdict(Role::Cloud, "Projects", access).unwrap_err(),
                "`Projects` is not synced, so the cloud does not have it"
            );
        }
        let read = |role| verdict(role, layout::MAIL_ATTACHMENTS, FolderAccess::Read);
        assert_eq!(read(Role::Local), Ok(()));
        assert_eq!(
            read(Role::Cloud).unwrap_err(),
            "`Mail_Attachments` is not synced, so the cloud does not have it"
        );
    }

    /// In every folder of the vault, with every access and role.
    #[test]
    fn folder_of_platinum_is_written_by_no_skill() {
        for folder in layout::FOLDERS {
            for role in Role::ALL {
                assert_eq!(
                    verdict(role, folder, FolderAccess::Read),
                    Ok(()),
                    "{folder}"
                );
                let write = verdict(role, folder, FolderAccess::Write);
                let is_allowed = role == Role::Local && folder == layout::INBOX;
                assert_eq!(write.is_ok(), is_allowed, "{role} {folder}: {write:?}");
            }
        }
        // The cloud's own folder is open to it by the table, and still no skill's.
        assert!(verdict(Role::Cloud, "In_Progress/cloud", FolderAccess::Write).is_err());
        for folder in ["Approved/sub", "approved", "APPROVED/sub", "inbox"] {
            assert!(
                verdict(Role::Local, folder, FolderAccess::Write).is_err(),
                "{folder}"
            );
        }
    }

    #[test]
    fn folder_refusal_names_the_rule() {
        assert_eq!(
            verdict(Role::Cloud, "Approved", FolderAccess::Write).unwrap_err(),
            "role cloud may not create files in `Approved`: only the owner's machine changes it"
        );
        assert_eq!(
            verdict(Role::Cloud, "Plans", FolderAccess::Write).unwrap_err(),
            "role cloud may not modify files in `Plans`: only new files are allowed there"
        );
        assert_eq!(
            verdict(Role::Local, "Approved", FolderAccess::Write).unwrap_err(),
            "a file in `Approved` is a task, an approval or a receipt to Platinum, so no skill \
             writes there by itself"
        );
    }

    #[test]
    fn folder_hidden_is_refused_to_both_roles() {
        for role in Role::ALL {
            for folder in [".obsidian", "Projects/.git"] {
                let error = verdict(role, folder, FolderAccess::Read).unwrap_err();
                assert!(error.contains("begins with a dot"), "{error}");
            }
        }
    }

    #[test]
    fn access_other_word_is_refused() {
        assert_eq!(
            "rw".parse::<FolderAccess>().unwrap_err().to_string(),
            "unknown access `rw`; expected `read` or `write`"
        );
        for access in [FolderAccess::Read, FolderAccess::Write] {
            assert_eq!(access.to_string().parse(), Ok(access));
        }
    }
}
