//! The compiled cache: used when it can be trusted, and only then.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};

use platinum_core::Role;
use platinum_engine::{Engine, EngineOptions, Outcome, SkillHost};
use tempfile::TempDir;

use crate::support::{Ledger, component, host_on, limits, load, run};

/// A host as one start of the program has it.
fn start(cache: &Path) -> SkillHost {
    let options = EngineOptions {
        cache_dir: Some(cache.to_owned()),
        ..EngineOptions::default()
    };
    host_on(
        Engine::new(options).unwrap(),
        Role::Cloud,
        &Ledger::default(),
    )
}

fn compiled(cache: &Path) -> PathBuf {
    let mut found = fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cwasm")
        });
    let first = found.next().expect("a compiled skill in the cache");
    assert_eq!(found.next(), None);
    first
}

/// A cache that holds one compiled skill, and that skill's file.
fn filled() -> (TempDir, PathBuf, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("compiled");
    assert!(!load(&start(&cache), "minimal").came_from_cache());
    let file = compiled(&cache);
    (home, cache, file)
}

/// Asserts that what is in the cache now is not used, and that it is then replaced by what is.
fn not_used_and_rewritten(cache: &Path) {
    let host = start(cache);
    assert!(host.engine().has_cache());
    assert!(!load(&host, "minimal").came_from_cache());
    assert!(load(&start(cache), "minimal").came_from_cache());
    assert_eq!(
        fs::symlink_metadata(compiled(cache)).unwrap().mode() & 0o7777,
        0o600
    );
}

/// A second start takes the compiled skill from the cache.
#[tokio::test]
async fn cache_second_start_uses_the_compiled_skill() {
    let (_home, cache, file) = filled();
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    let host = start(&cache);
    let skill = load(&host, "minimal");
    assert!(skill.came_from_cache());
    let outcome = run(&host, &skill, &limits()).await.unwrap();
    assert_eq!(outcome, Outcome::Done("minimal".to_owned()));
}

/// A file with one other byte is not used.
#[test]
fn cache_file_with_a_changed_byte_is_not_used() {
    let (_home, cache, file) = filled();
    let good = fs::read(&file).unwrap();
    for at in [0, 17, 60, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&file, bad).unwrap();
        not_used_and_rewritten(&cache);
    }
}

/// A file that was cut off is not used.
#[test]
fn cache_file_truncated_is_not_used() {
    let (_home, cache, file) = filled();
    for len in [0, 17, 49, 1000] {
        fs::OpenOptions::new()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(len)
            .unwrap();
        not_used_and_rewritten(&cache);
    }
}

/// A file that others may write is not used.
#[test]
fn cache_file_writable_by_others_is_not_used() {
    let (_home, cache, file) = filled();
    for mode in [0o620, 0o602, 0o644] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        not_used_and_rewritten(&cache);
    }
}

/// A symlink or a second name is not used.
#[test]
fn cache_file_linked_is_not_used() {
    let (home, cache, file) = filled();
    let elsewhere = home.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    not_used_and_rewritten(&cache);

    fs::hard_link(&file, home.path().join("second-name")).unwrap();
    not_used_and_rewritten(&cache);
}

/// A file of another user is not used.
#[test]
fn cache_file_of_another_user_is_not_used() {
    let (_home, cache, file) = filled();
    // Only root can give a file away; the rule itself is tested for everybody in `folder`.
    if chown(&file, Some(65_534), None).is_ok() {
        not_used_and_rewritten(&cache);
    }
}

/// A compiled skill under another skills name is not used.
#[test]
fn cache_file_under_another_name_is_not_used() {
    let (_home, cache, file) = filled();
    let host = start(&cache);
    host.load("echo", &component("echo"), "").unwrap();
    let other = fs::read_dir(&cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| *path != file && path.extension().is_some())
        .unwrap();
    fs::rename(other, &file).unwrap();
    not_used_and_rewritten(&cache);
}

/// A compiled skill of another cache is not used.
#[test]
fn cache_file_of_another_cache_is_not_used() {
    let (_home, cache, file) = filled();
    let (_other_home, _, other_file) = filled();
    assert_eq!(file.file_name(), other_file.file_name());
    fs::copy(other_file, &file).unwrap();
    not_used_and_rewritten(&cache);
}

/// A folder that is not private is no cache.
#[test]
fn cache_folder_not_private_is_not_used() {
    let (home, cache, _) = filled();
    let link = home.path().join("link");
    symlink(&cache, &link).unwrap();
    assert!(!start(&link).engine().has_cache());
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
    let host = start(&cache);
    assert!(!host.engine().has_cache());
    assert!(!load(&host, "minimal").came_from_cache());
}

/// A folder whose key is open or broken is no cache.
#[test]
fn cache_folder_with_a_bad_key_is_not_used() {
    let (_home, cache, _) = filled();
    let key = cache.join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(!start(&cache).engine().has_cache());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(start(&cache).engine().has_cache());
    fs::write(&key, b"short").unwrap();
    assert!(!start(&cache).engine().has_cache());
}
