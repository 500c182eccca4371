//! The conflict copies that the owner has not put away yet.

use platinum_core::{VaultPath, layout};
use platinum_vault::{Vault, VaultError, Walk};

use crate::{
    Check,
    text::{count, first_names},
};

/// At most so many are named.
const NAMED: usize = 5;

/// The losing version of every conflict in the vault, by path. Reads every folder that can be read;
/// the others are in `UnsyncedFiles`.
///
/// # Errors
/// If the vault itself cannot be listed.
pub fn conflict_copies(vault: &Vault) -> Result<Vec<VaultPath>, VaultError> {
    let mut entries = vault.list("")?;
    entries.extend(Walk::read(vault, &layout::FOLDERS)?.files);
    let mut paths: Vec<VaultPath> = entries.into_iter().map(|entry| entry.path).collect();
    paths.retain(is_conflict_copy);
    paths.sort();
    Ok(paths)
}

fn is_conflict_copy(path: &VaultPath) -> bool {
    path.file_name().contains(".conflict-")
}

/// In words; nothing, where there is none.
pub fn conflicts_check(copies: &[VaultPath]) -> Option<Check> {
    if copies.is_empty() {
        return None;
    }
    let check = Check::warn(
        "conflicts",
        format!(
            "{} to look at: {}",
            count(copies.len(), "copy", "copies"),
            first_names(copies.iter().map(VaultPath::as_str), NAMED, 160)
        ),
    );
    Some(check.remedy("`platinum conflicts` shows each beside its note"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_copies_are_named_and_counted() {
        assert!(conflicts_check(&[]).is_none());
        let copies: Vec<VaultPath> = (0..7)
            .map(|n| VaultPath::new(format!("Inbox/a.conflict-cloud-{n}.md")).unwrap())
            .collect();
        assert!(copies.iter().all(is_conflict_copy));
        let text = conflicts_check(&copies).unwrap().text;
        assert!(text.starts_with("7 copies to look at: Inbox/a.conflict-cloud-0.md, "));
        assert!(text.ends_with("-4.md and 2 more"), "{text}");
    }
}
