//! Folders that a skill was granted: it opens what is in them, and nothing else.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    sync::Arc,
};

use platinum_core::Role;
use platinum_engine::{GrantedFolder, Outcome, Skill, SkillHost};

use crate::support::{Ledger, host, limits, load, run_with};

/// A vault with a granted folder, a secret beside it, and links that lead out.
struct Fixture {
    root: tempfile::TempDir,
    host: SkillHost,
    skill: Skill,
}

impl Fixture {
    /// The skill may read `Projects` and write `Reports`.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        for folder in ["Projects/sub", "Reports/sub", "Private"] {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        fs::write(path.join("Private/secret.md"), "secret").unwrap();
        for folder in ["Projects", "Reports"] {
            fs::write(path.join(folder).join("a.md"), "text").unwrap();
            symlink("../Private/secret.md", path.join(folder).join("link.md")).unwrap();
            symlink("../Private", path.join(folder).join("link")).unwrap();
            symlink(path.join("Private"), path.join(folder).join("absolute")).unwrap();
            symlink("a.md", path.join(folder).join("inside.md")).unwrap();
        }
        let host = host(Role::Local, &Ledger::default());
        let skill = load(&host, "opens-folders").with_folders(vec![
            granted(path, "Projects", false),
            granted(path, "Reports", true),
            granted(path, "Missing", true),
        ]);
        Self { root, host, skill }
    }

    async fn ask(&self, request: &str) -> String {
        ask(&self.host, &self.skill, request).await
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root.path().join(path)).unwrap()
    }
}

fn granted(root: &Path, name: &str, is_writable: bool) -> GrantedFolder {
    let path = root.join(name);
    GrantedFolder {
        name: name.to_owned(),
        is_writable,
        open: Arc::new(move || File::open(&path)),
    }
}

async fn ask(host: &SkillHost, skill: &Skill, request: &str) -> String {
    match run_with(host, skill, request, &limits()).await.unwrap() {
        Outcome::Done(text) => text,
        other => panic!("{request}: {other:?}"),
    }
}

/// The error code in an answer; none if it is not an error.
fn code(answer: &str) -> Option<&str> {
    let (_, rest) = answer.split_once("name: \"")?;
    answer.starts_with("ErrorCode").then_some(())?;
    rest.split('"').next()
}

#[tokio::test]
async fn wasi_without_a_grant_has_no_folder() {
    let host = host(Role::Local, &Ledger::default());
    assert_eq!(
        ask(&host, &load(&host, "opens-folders"), "folders").await,
        ""
    );
}

#[tokio::test]
async fn wasi_grant_opens_its_folders_alone() {
    let fixture = Fixture::new();
    // One that cannot be opened is left out.
    assert_eq!(fixture.ask("folders").await, "Projects,Reports");
    assert_eq!(fixture.ask("read Projects a.md").await, "text");
    assert_eq!(fixture.ask("read Projects inside.md").await, "text");
    assert_eq!(
        fixture.ask("read Private secret.md").await,
        "no such folder"
    );
    assert_eq!(fixture.ask("write Reports new.md").await, "ok");
    assert_eq!(fixture.text("Reports/new.md"), "written");
    assert_eq!(fixture.ask("mkdir Reports 2026").await, "ok");
    assert_eq!(fixture.ask("unlink Reports new.md").await, "ok");
}

#[tokio::test]
async fn wasi_grant_to_read_changes_nothing() {
    let fixture = Fixture::new();
    for request in [
        "write Projects new.md",
        "write Projects a.md",
        "truncate Projects a.md",
        "mkdir Projects new",
        "unlink Projects a.md",
        "symlink Projects a.md",
        "link-in Projects a.md",
    ] {
        let answer = fixture.ask(request).await;
        assert_eq!(code(&answer), Some("not-permitted"), "{request}: {answer}");
    }
    assert_eq!(fixture.text("Projects/a.md"), "text");
    assert_eq!(
        fs::read_dir(fixture.root.path().join("Projects"))
            .unwrap()
            .count(),
        6
    );
}

/// By `..`, by an absolute path, by a link that was there and by one that it makes itself.
#[tokio::test]
async fn wasi_grant_cannot_be_left() {
    let fixture = Fixture::new();
    let outside = fixture.ask("read Projects ../Private/secret.md").await;
    assert_eq!(code(&outside), Some("not-permitted"), "{outside}");
    for folder in ["Projects", "Reports"] {
        for path in [
            "../Private/secret.md",
            "sub/../../Private/secret.md",
            "link.md",
            "link/secret.md",
            "absolute/secret.md",
            "/etc/hostname",
            "..",
            "/",
        ] {
            for operation in ["read", "read-nofollow", "truncate", "write", "unlink"] {
                let request = format!("{operation} {folder} {path}");
                let answer = fixture.ask(&request).await;
                let is_unlinked_link = operation == "unlink" && path == "link.md";
                if folder == "Reports" && is_unlinked_link {
                    // The link is in the folder; what it leads to is not.
                    assert_eq!(answer, "ok");
                    continue;
                }
                // It may not follow the link, and says so; what follows it finds the way barred.
                let expected = match (operation, path) {
                    ("read-nofollow", "link.md") => "loop",
                    _ => "not-permitted",
                };
                assert_eq!(code(&answer), Some(expected), "{request}: {answer}");
            }
        }
    }
    for request in [
        "rename-out Reports a.md",
        "link-in Reports ../Private/secret.md",
        "symlink Reports /etc/hostname",
    ] {
        let answer = fixture.ask(request).await;
        assert_eq!(code(&answer), Some("not-permitted"), "{request}: {answer}");
    }
    let made = fixture.ask("symlink Reports ../Private/secret.md").await;
    assert_eq!(made, "ok");
    let made = fixture.ask("read Reports made-link").await;
    assert_eq!(code(&made), Some("not-permitted"), "{made}");
    assert_eq!(fixture.text("Private/secret.md"), "secret");
    assert_eq!(
        fs::read_dir(fixture.root.path().join("Private"))
            .unwrap()
            .count(),
        1
    );
}
