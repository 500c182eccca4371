//! The cases that are no ordinary file: links of every sort, to what is outside and inside.

use std::os::unix::fs::symlink;

use crate::leaks::fixture::Host;

/// What the linked files hold: nothing that has the look of a secret, so that only the link
/// keeps it here.
pub(crate) const CONTENT: &str = "The quiet words behind the link.";

/// Puts them into the vault, numbered from `first`; answers the numbers and what they are.
pub(crate) fn put(host: &Host, first: usize) -> Vec<(usize, String)> {
    let outside = host.outside().join("private");
    std::fs::create_dir_all(outside.join("keys")).unwrap();
    std::fs::write(outside.join("file.md"), CONTENT).unwrap();
    std::fs::write(outside.join("keys/key.md"), CONTENT).unwrap();
    std::fs::write(host.root().join(".env"), CONTENT).unwrap();
    let folder = |n: usize| {
        let path = host.root().join(format!("Inbox/leak-{n:04}"));
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let mut done = Vec::new();
    let mut next = |how: &str, make: &dyn Fn(&std::path::Path)| {
        let n = first + done.len();
        make(&folder(n));
        done.push((n, how.to_owned()));
    };
    let file = outside.join("file.md");
    next("a link to a file outside", &|at| {
        symlink(&file, at.join("a.md")).unwrap();
    });
    next("a link that climbs out", &|at| {
        symlink("../../../private/file.md", at.join("a.md")).unwrap();
    });
    next("a link to a link", &|at| {
        symlink(&file, at.join(".a.md")).unwrap();
        symlink(".a.md", at.join("b.md")).unwrap();
    });
    next("a link to a folder outside", &|at| {
        symlink(&outside, at.join("folder")).unwrap();
    });
    next("a folder that is a link, below another", &|at| {
        std::fs::create_dir(at.join("sub")).unwrap();
        symlink(outside.join("keys"), at.join("sub/keys")).unwrap();
    });
    next("a link to nothing", &|at| {
        symlink("/nowhere/at/all.md", at.join("a.md")).unwrap();
    });
    next("a link to itself", &|at| {
        symlink("a.md", at.join("a.md")).unwrap();
    });
    next("a link to the vault's own settings", &|at| {
        symlink("../../.env", at.join("a.md")).unwrap();
    });
    next("a link to what a process has open", &|at| {
        symlink("/proc/self/environ", at.join("a.txt")).unwrap();
    });
    next("a link to the vault itself", &|at| {
        symlink("../..", at.join("vault")).unwrap();
    });
    next("a hard link to a file outside", &|at| {
        std::fs::hard_link(&file, at.join("a.md")).unwrap();
    });
    next("a hard link to the vault's own settings", &|at| {
        std::fs::hard_link(host.root().join(".env"), at.join("a.md")).unwrap();
    });
    next("two hard links in one folder", &|at| {
        std::fs::write(at.join("a.md"), CONTENT).unwrap();
        std::fs::hard_link(at.join("a.md"), at.join("b.md")).unwrap();
    });
    next("a hard link from outside", &|at| {
        std::fs::write(at.join("a.md"), CONTENT).unwrap();
        std::fs::hard_link(at.join("a.md"), outside.join("mine.md")).unwrap();
    });
    next("a pipe", &|at| {
        let made = std::process::Command::new("mkfifo")
            .arg(at.join("a.md"))
            .status();
        assert!(made.unwrap().success());
    });
    next("a socket", &|at| {
        drop(std::os::unix::net::UnixListener::bind(at.join("a.md")).unwrap());
    });
    done
}
