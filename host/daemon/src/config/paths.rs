//! Where the paths of a configuration lead: `~/` is the home folder, and what is relative starts
//! in the folder of the file that says it.

use std::path::Path;

use platinum_capabilities::zones::PathBase;
use platinum_llm::KeySource;

use super::Config;

/// Makes every path absolute that is meant as one.
pub(super) fn resolve(config: &mut Config, base: &PathBase) -> Result<(), String> {
    for (key, path) in [
        ("vault.path", &mut config.vault.path),
        ("vault.state", &mut config.vault.state),
        ("work.skills", &mut config.work.skills),
        ("work.compiled", &mut config.work.compiled),
    ] {
        if !path.as_os_str().is_empty() {
            *path = base.resolve(key, path)?;
        }
    }
    if config.work.compiled.starts_with(&config.vault.path) {
        return Err(
            "`work.compiled` is inside the vault, and so shared with every host; name a folder outside it"
                .to_owned(),
        );
    }
    if let Some(KeySource::File(path)) = &mut config.model.key {
        *path = base.resolve("model.key", path)?;
    }
    // An address stays as it is: only a folder can start at home.
    if config.sync.remote.starts_with("~/") {
        let folder = base.resolve("sync.remote", Path::new(&config.sync.remote))?;
        config.sync.remote = folder.to_string_lossy().into_owned();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[vault]\npath = \"~/Vault\"\nstate = \"state\"\n\
        [sync]\nremote = \"~/platinum.git\"\n\
        [work]\nskills = \"~/skills\"\n\
        [model]\nkey = { file = \"~/key\" }\n";

    fn resolved(text: &str, home: Option<&str>) -> Result<Config, String> {
        let mut config = Config::parse(text)?;
        let base = PathBase {
            folder: "/etc/p".into(),
            home: home.map(Into::into),
        };
        resolve(&mut config, &base)?;
        Ok(config)
    }

    #[test]
    fn paths_start_at_home_or_beside_the_file() {
        let config = resolved(TEXT, Some("/homes/me")).unwrap();
        assert_eq!(config.vault.path, Path::new("/homes/me/Vault"));
        assert_eq!(config.vault.state, Path::new("/etc/p/state"));
        assert_eq!(config.sync.remote, "/homes/me/platinum.git");
        assert_eq!(config.work.skills, Path::new("/homes/me/skills"));
        assert_eq!(
            config.model.key,
            Some(KeySource::File("/homes/me/key".into()))
        );
    }

    #[test]
    fn address_is_not_resolved() {
        let text = "[vault]\npath = \"v\"\nstate = \"s\"\n\
            [sync]\nremote = \"ssh://me@host/~/p.git\"\n";
        let config = resolved(text, None).unwrap();
        assert_eq!(config.sync.remote, "ssh://me@host/~/p.git");
    }

    #[test]
    fn compiled_skills_are_in_the_state_folder_or_where_named() {
        let folder = |line: &str| {
            let text = TEXT.replace("[work]", &format!("[work]\n{line}"));
            resolved(&text, Some("/homes/me")).map(|config| config.compiled_skills())
        };
        assert_eq!(folder("").unwrap(), Path::new("/etc/p/state/compiled"));
        let named = folder("compiled = \"~/.cache/p\"").unwrap();
        assert_eq!(named, Path::new("/homes/me/.cache/p"));
        assert_eq!(
            folder("compiled = \"~/Vault/x\"").unwrap_err(),
            "`work.compiled` is inside the vault, and so shared with every host; name a folder outside it"
        );
    }

    #[test]
    fn without_a_home_folder_the_key_is_named() {
        let error = resolved(TEXT, None).unwrap_err();
        assert!(error.contains("`vault.path` starts with `~/`"), "{error}");
    }
}
