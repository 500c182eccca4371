//! Where the paths of a configuration lead: `~/` is the home folder, and what is relative starts
//! in the folder of the file that says it.

use std::path::{Path, PathBuf};

use platinum_llm::KeySource;

use super::Config;

/// Makes every path absolute that is meant as one.
pub(super) fn resolve(config: &mut Config, base: &Path, home: Option<&Path>) -> Result<(), String> {
    for (key, path) in [
        ("vault.path", &mut config.vault.path),
        ("vault.state", &mut config.vault.state),
        ("work.skills", &mut config.work.skills),
        ("mail.config", &mut config.mail.config),
    ] {
        if !path.as_os_str().is_empty() {
            *path = lead(key, path, base, home)?;
        }
    }
    // A program's name alone is looked up beside this program, not beside the file.
    if config.mail.server.components().count() > 1 {
        config.mail.server = lead("mail.server", &config.mail.server, base, home)?;
    }
    if let Some(KeySource::File(path)) = &mut config.model.key {
        *path = lead("model.key", path, base, home)?;
    }
    // An address stays as it is: only a folder can start at home.
    if config.sync.remote.starts_with("~/") {
        let folder = lead("sync.remote", Path::new(&config.sync.remote), base, home)?;
        config.sync.remote = folder.to_string_lossy().into_owned();
    }
    Ok(())
}

fn lead(key: &str, path: &Path, base: &Path, home: Option<&Path>) -> Result<PathBuf, String> {
    let Ok(below) = path.strip_prefix("~") else {
        return Ok(base.join(path));
    };
    let home = home.filter(|home| home.is_absolute()).ok_or_else(|| {
        format!("`{key}` starts with `~/`, and HOME names no folder; write the whole path")
    })?;
    Ok(home.join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[vault]\npath = \"~/Vault\"\nstate = \"state\"\n\
        [sync]\nremote = \"~/platinum.git\"\n\
        [work]\nskills = \"~/skills\"\n\
        [mail]\nconfig = \"mail.toml\"\nserver = \"~/bin/mail\"\n\
        [model]\nkey = { file = \"~/key\" }\n";

    fn resolved(text: &str, home: Option<&str>) -> Result<Config, String> {
        let mut config = Config::parse(text)?;
        resolve(&mut config, Path::new("/etc/p"), home.map(Path::new))?;
        Ok(config)
    }

    #[test]
    fn a_path_may_start_in_the_home_folder_or_in_the_files_own() {
        let config = resolved(TEXT, Some("/homes/me")).unwrap();
        assert_eq!(config.vault.path, Path::new("/homes/me/Vault"));
        assert_eq!(config.vault.state, Path::new("/etc/p/state"));
        assert_eq!(config.sync.remote, "/homes/me/platinum.git");
        assert_eq!(config.work.skills, Path::new("/homes/me/skills"));
        assert_eq!(config.mail.config, Path::new("/etc/p/mail.toml"));
        assert_eq!(config.mail.server, Path::new("/homes/me/bin/mail"));
        assert_eq!(
            config.model.key,
            Some(KeySource::File("/homes/me/key".into()))
        );
    }

    #[test]
    fn an_address_and_a_programs_bare_name_are_no_paths() {
        let text = "[vault]\npath = \"v\"\nstate = \"s\"\n\
            [sync]\nremote = \"ssh://me@host/~/p.git\"\n[mail]\nserver = \"mail\"\n";
        let config = resolved(text, None).unwrap();
        assert_eq!(config.sync.remote, "ssh://me@host/~/p.git");
        assert_eq!(config.mail.server, Path::new("mail"));
    }

    #[test]
    fn without_a_home_folder_the_key_is_named() {
        let error = resolved(TEXT, None).unwrap_err();
        assert!(error.contains("`vault.path` starts with `~/`"), "{error}");
    }
}
