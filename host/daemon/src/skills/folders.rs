//! [`FolderGrants`]: the folders of the vault that single skills may open on a host.
//!
//! Lives elsewhere: what may be granted to which role is decided by `policy`.

use std::{collections::BTreeMap, io, sync::Arc};

use platinum_capabilities::vault::ReadGrants;
use platinum_core::{AgentName, Role, VaultPath};
use platinum_engine::GrantedFolder;
use platinum_policy::{FolderAccess, FolderRefusal, check_folder};
use platinum_vault::Vault;

use crate::SkillName;

/// The folders that a configuration grants, as far as the role may have them.
#[derive(Debug, Clone, Default)]
pub struct FolderGrants {
    granted: BTreeMap<SkillName, Vec<(VaultPath, FolderAccess)>>,
    refused: Vec<(SkillName, FolderRefusal)>,
}

impl FolderGrants {
    /// Sorts what is configured into granted and refused.
    pub fn decide(
        role: Role,
        agent: &AgentName,
        configured: BTreeMap<SkillName, Vec<(VaultPath, FolderAccess)>>,
    ) -> Self {
        let mut grants = Self::default();
        for (skill, folders) in configured {
            for (folder, access) in folders {
                match check_folder(role, agent, &folder, access) {
                    Ok(()) => {
                        let of_skill = grants.granted.entry(skill.clone()).or_default();
                        of_skill.push((folder, access));
                    }
                    Err(refusal) => grants.refused.push((skill.clone(), refusal)),
                }
            }
        }
        grants
    }

    /// What is not granted, and why.
    pub fn refused(&self) -> &[(SkillName, FolderRefusal)] {
        &self.refused
    }

    /// What `vault/context` reads: these paths for every skill, and its folders for each.
    pub fn reads(&self, every_skill: Vec<VaultPath>) -> ReadGrants {
        let of_skill = self.granted.iter().map(|(skill, folders)| {
            let folders = folders.iter().map(|(folder, _)| folder.clone()).collect();
            (skill.to_string(), folders)
        });
        ReadGrants {
            every_skill,
            of_skill: of_skill.collect(),
        }
    }

    /// What WASI finds open for a skill.
    pub fn folders(&self, skill: &SkillName, vault: &Vault) -> Vec<GrantedFolder> {
        let of_skill = self.granted.get(skill).map_or(&[][..], Vec::as_slice);
        let folder = |(path, access): &(VaultPath, FolderAccess)| {
            let (vault, path) = (vault.clone(), path.clone());
            GrantedFolder {
                name: path.to_string(),
                is_writable: *access == FolderAccess::Write,
                open: Arc::new(move || vault.open_folder(&path).map_err(io::Error::other)),
            }
        };
        of_skill.iter().map(folder).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(role: Role) -> FolderGrants {
        let path = |text: &str| VaultPath::new(text).unwrap();
        let configured = BTreeMap::from([(
            "draft-notes".parse().unwrap(),
            vec![
                (path("Projects"), FolderAccess::Read),
                (path("Inbox"), FolderAccess::Write),
                (path("Approved"), FolderAccess::Write),
            ],
        )]);
        FolderGrants::decide(role, &role.as_str().parse().unwrap(), configured)
    }

    #[test]
    fn folder_grants_leave_out_what_the_role_may_not() {
        let texts = |grants: &FolderGrants| -> Vec<String> {
            let refused = grants.refused().iter();
            refused
                .map(|(skill, why)| format!("{skill}: {why}"))
                .collect()
        };
        let skill: SkillName = "draft-notes".parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();

        let local = decide(Role::Local);
        let open = local.folders(&skill, &vault);
        let names: Vec<(&str, bool)> = open
            .iter()
            .map(|folder| (folder.name.as_str(), folder.is_writable))
            .collect();
        assert_eq!(names, [("Projects", false), ("Inbox", true)]);
        assert_eq!(texts(&local).len(), 1);
        assert!(texts(&local)[0].starts_with("draft-notes: a file in `Approved` is"));
        let reads = local.reads(vec![]).of_skill;
        assert_eq!(reads["draft-notes"].len(), 2);
        assert!(local.folders(&"other".parse().unwrap(), &vault).is_empty());

        let cloud = decide(Role::Cloud);
        assert!(cloud.folders(&skill, &vault).is_empty());
        assert_eq!(
            texts(&cloud)[0],
            "draft-notes: `Projects` is not synced, so the cloud does not have it"
        );
        assert_eq!(cloud.refused().len(), 3);
    }

    /// The folder is opened at every run, and never through a link.
    #[test]
    fn folder_grant_that_is_a_link_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let open = &decide(Role::Local).folders(&"draft-notes".parse().unwrap(), &vault)[0].open;
        assert!(open().is_err());
        std::os::unix::fs::symlink("/etc", folder.path().join("Projects")).unwrap();
        assert!(open().is_err());
        std::fs::remove_file(folder.path().join("Projects")).unwrap();
        std::fs::create_dir(folder.path().join("Projects")).unwrap();
        assert!(open().is_ok());
    }
}
