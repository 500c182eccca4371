//! A client that is not ours, against what a server asks before it takes anything.
//!
//! It has a key that the server trusts, so that only what it sends is in its way, and it speaks to
//! git's receive-pack itself: in its packs is what it likes, whether or not a commit leads there.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use platinum_host_tests::hosts::daemon;
use platinum_repo::signer_mail;
use platinum_testkit::git::{GitServer, hermetic};

use crate::leaks::{
    fixture::{key, objects, signers},
    values,
};

/// A repository of a client, and the way to the server's.
struct Pusher {
    folder: tempfile::TempDir,
    server: PathBuf,
}

impl Pusher {
    fn new(server: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pusher = Self {
            folder,
            server: server.to_owned(),
        };
        key("local")
            .save(&pusher.folder.path().join("key"))
            .unwrap();
        pusher.git(
            &["init", "--quiet", "--bare", "--initial-branch=main", "."],
            b"",
        );
        pusher.git(&["config", "gpg.format", "ssh"], b"");
        let key = pusher.folder.path().join("key");
        pusher.git(&["config", "user.signingkey", key.to_str().unwrap()], b"");
        pusher
    }

    /// Runs git here; answers what it said, without its last line end.
    fn git(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        self.git_as("Owner", args, input)
    }

    fn git_as(&self, author: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
        let mail = signer_mail(&"local".parse().unwrap(), platinum_core::Role::Local);
        let mut child = hermetic("git")
            .current_dir(self.folder.path())
            .env("GIT_AUTHOR_NAME", author)
            .env("GIT_COMMITTER_NAME", author)
            .env("GIT_AUTHOR_EMAIL", &mail)
            .env("GIT_COMMITTER_EMAIL", &mail)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {printed}");
        output.stdout
    }

    fn id(&self, args: &[&str], input: &[u8]) -> String {
        String::from_utf8(self.git(args, input))
            .unwrap()
            .trim()
            .to_owned()
    }

    fn blob(&self, bytes: &[u8]) -> String {
        self.id(&["hash-object", "-w", "--stdin"], bytes)
    }

    /// A tree of these entries: mode, kind, id, name.
    fn tree(&self, entries: &[(&str, &str, &str, &[u8])]) -> String {
        let mut text = Vec::new();
        for (mode, kind, id, name) in entries {
            text.extend_from_slice(format!("{mode} {kind} {id}\t").as_bytes());
            text.extend_from_slice(name);
            text.push(0);
        }
        self.id(&["mktree", "-z", "--missing"], &text)
    }

    /// A tree with the given entries in `Inbox/`.
    fn inbox(&self, entries: &[(&str, &str, &str, &[u8])]) -> String {
        let inbox = self.tree(entries);
        self.tree(&[("040000", "tree", &inbox, b"Inbox")])
    }

    /// A tree with one note in `Inbox/`.
    fn note(&self, name: &str, bytes: &[u8]) -> String {
        let blob = self.blob(bytes);
        self.inbox(&[("100644", "blob", &blob, name.as_bytes())])
    }

    fn commit(&self, tree: &str, parents: &[&str], message: &str) -> String {
        self.commit_as("Owner", tree, parents, message)
    }

    fn commit_as(&self, author: &str, tree: &str, parents: &[&str], message: &str) -> String {
        let mut args = vec!["commit-tree", "-S", tree];
        for parent in parents {
            args.extend(["-p", parent]);
        }
        let text = format!("{message}\n\nPlatinum-Agent: local\nPlatinum-Role: local\n");
        let made = self.git_as(author, &args, text.as_bytes());
        String::from_utf8(made).unwrap().trim().to_owned()
    }

    /// Sends a pack of everything `new` leads to and `old` does not, and of these objects too;
    /// answers what the server says of the ref.
    fn push(&self, name: &str, old: Option<&str>, new: &str, also: &[&str]) -> String {
        let mut wanted = format!("{new}\n");
        for id in also {
            wanted.push_str(&format!("{id}\n"));
        }
        if let Some(old) = old {
            wanted.push_str(&format!("^{old}\n"));
        }
        let pack = self.git(
            &["pack-objects", "--revs", "--stdout", "--quiet"],
            wanted.as_bytes(),
        );
        let zero = "0".repeat(40);
        let line = format!("{} {new} {name}\0report-status", old.unwrap_or(&zero));
        let mut sent = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
        sent.extend_from_slice(&pack);
        let mut child = hermetic("git")
            .args(["receive-pack", "--stateless-rpc"])
            .arg(&self.server)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The server may hang up before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(&sent);
        let output = child.wait_with_output().unwrap();
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }
}

/// A repository that judges what is pushed.
fn judging() -> GitServer {
    let server = GitServer::start().unwrap();
    let list = server.repository().with_file_name("signers");
    std::fs::write(&list, signers().to_string()).unwrap();
    let platinum = daemon("local");
    let installed = hermetic(platinum)
        .args(["hook", "install"])
        .arg(server.repository())
        .arg("--signers")
        .arg(&list)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{printed}");
    server
}

/// One thing to push: what it is, the ref, the new tip, more objects, and what must not arrive.
struct Attempt {
    how: String,
    name: &'static str,
    new: String,
    also: Vec<String>,
    needle: Vec<u8>,
}

const MAIN: &str = "refs/heads/main";

fn attempts(p: &Pusher, base: &str) -> Vec<Attempt> {
    let mut list = Vec::new();
    let mut add = |how: &str, new: String, needle: &[u8]| {
        list.push(Attempt {
            how: how.to_owned(),
            name: MAIN,
            new,
            also: Vec::new(),
            needle: needle.to_vec(),
        });
    };
    for (n, (service, token)) in values::tokens().into_iter().enumerate() {
        let tree = p.note(
            &format!("n{n}.md"),
            format!("Take {token} for it.\n").as_bytes(),
        );
        add(
            &format!("a token of {service}"),
            p.commit(&tree, &[base], "Sync"),
            token.as_bytes(),
        );
    }
    let secret = |n: u64| format!("ghp_{}", values::key_letters(36, 7000 + n));
    let fine = p.note("fine.md", b"fine\n");
    for (n, name) in [
        "credentials.md",
        "Credentials.txt",
        "client_secret.md",
        "server.pem.md",
        "id_rsa.txt",
        "me.session.md",
        ".env",
        ".env.md",
        "passwords.csv",
        "c\u{43E}okies.txt",
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("a harmless text of the name {n}\n");
        let tree = p.note(name, text.as_bytes());
        add(
            &format!("the name {name}"),
            p.commit(&tree, &[base], "Sync"),
            text.as_bytes(),
        );
    }
    let bad = p.note("a.md", format!("{}\n", secret(1)).as_bytes());
    let first = p.commit(&bad, &[base], "Sync");
    add(
        "added and taken away",
        p.commit(&fine, &[&first], "Sync"),
        secret(1).as_bytes(),
    );
    let bad = p.note("a.md", format!("{}\n", secret(2)).as_bytes());
    let side = p.commit(&bad, &[base], "Sync");
    add(
        "merged, and left out of the merge",
        p.commit(&fine, &[base, &side], "Merge"),
        secret(2).as_bytes(),
    );
    add(
        "in a message",
        p.commit(&fine, &[base], &format!("Use {}", secret(3))),
        secret(3).as_bytes(),
    );
    add(
        "in a trailer",
        p.commit(
            &fine,
            &[base],
            &format!("Sync\n\nPlatinum-Note: {}", secret(4)),
        ),
        secret(4).as_bytes(),
    );
    add(
        "as an author",
        p.commit_as(&secret(5), &fine, &[base], "Sync"),
        secret(5).as_bytes(),
    );
    let target = p.blob(format!("/tmp/{}", secret(6)).as_bytes());
    let tree = p.inbox(&[("120000", "blob", &target, b"link.md")]);
    add(
        "as a link",
        p.commit(&tree, &[base], "Sync"),
        secret(6).as_bytes(),
    );
    let tree = p.inbox(&[("160000", "commit", base, b"module.md")]);
    add(
        "as a repository of its own",
        p.commit(&tree, &[base], "Sync"),
        b"module.md",
    );
    let blob = p.blob(format!("{}\n", secret(7)).as_bytes());
    let tree = p.inbox(&[("100755", "blob", &blob, b"run.md")]);
    add(
        "as a program",
        p.commit(&tree, &[base], "Sync"),
        secret(7).as_bytes(),
    );
    let blob = p.blob(b"odd\n");
    let name = [b"\xFF".as_slice(), secret(8).as_bytes(), b".md"].concat();
    let tree = p.inbox(&[("100644", "blob", &blob, &name)]);
    add(
        "in a name of no encoding",
        p.commit(&tree, &[base], "Sync"),
        secret(8).as_bytes(),
    );
    let tree = p.note(&format!("{}.md", secret(9)), b"odd\n");
    add(
        "in a name",
        p.commit(&tree, &[base], "Sync"),
        secret(9).as_bytes(),
    );
    let wide: Vec<u8> = format!("\u{FEFF}{}", secret(10))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let tree = p.note("wide.txt", &wide);
    add("in UTF-16", p.commit(&tree, &[base], "Sync"), &wide);
    let long = format!("{}{}\n", "Words. ".repeat(200_000), secret(11));
    let tree = p.note("long.md", long.as_bytes());
    add(
        "after a megabyte",
        p.commit(&tree, &[base], "Sync"),
        secret(11).as_bytes(),
    );
    let mut last = base.to_owned();
    for n in 0..20 {
        let text = if n == 10 {
            secret(12)
        } else {
            format!("round {n}")
        };
        last = p.commit(
            &p.note("a.md", format!("{text}\n").as_bytes()),
            &[&last],
            "Sync",
        );
    }
    add(
        "in the middle of twenty commits",
        last,
        secret(12).as_bytes(),
    );

    // What nothing leads to.
    let clean = p.commit(&p.note("clean.md", b"clean\n"), &[base], "Sync");
    let mut beside = |how: &str, also: String, needle: &[u8]| {
        list.push(Attempt {
            how: format!("{how} that nothing leads to"),
            name: MAIN,
            new: clean.clone(),
            also: vec![also],
            needle: needle.to_vec(),
        });
    };
    beside(
        "a blob",
        p.blob(secret(20).as_bytes()),
        secret(20).as_bytes(),
    );
    beside(
        "a folder",
        p.note(&format!("{}.md", secret(21)), b"x\n"),
        secret(21).as_bytes(),
    );
    let stray = p.commit(&fine, &[], &format!("Use {}", secret(22)));
    beside("a commit", stray, secret(22).as_bytes());
    let tag = format!(
        "object {base}\ntype commit\ntag v1\ntagger Owner <owner@example.test> 1795000000 +0000\n\n{}\n",
        secret(23)
    );
    let tag = p.id(&["mktag"], tag.as_bytes());
    beside("a tag", tag.clone(), secret(23).as_bytes());
    for (name, new) in [
        ("refs/tags/v1", tag),
        ("refs/heads/other", first),
        ("refs/vault/x", side),
    ] {
        list.push(Attempt {
            how: format!("by {name}"),
            name,
            new,
            also: Vec::new(),
            needle: secret(1).into_bytes(),
        });
    }
    list
}

#[test]
fn a_server_takes_no_secret_from_a_client_that_means_harm() {
    let server = judging();
    let pusher = Pusher::new(&server.repository());
    let base = pusher.commit(&pusher.note("fine.md", b"first\n"), &[], "Sync");
    let printed = pusher.push(MAIN, None, &base, &[]);
    assert!(printed.contains("ok refs/heads/main"), "{printed}");

    let attempts = attempts(&pusher, &base);
    for attempt in &attempts {
        let also: Vec<_> = attempt.also.iter().map(String::as_str).collect();
        let old = (attempt.name == MAIN).then_some(base.as_str());
        let printed = pusher.push(attempt.name, old, &attempt.new, &also);
        assert!(
            printed.contains(&format!("ng {}", attempt.name)),
            "{}: {printed}",
            attempt.how
        );
        let needle = String::from_utf8_lossy(&attempt.needle).into_owned();
        let is_secret = needle.contains("ghp_");
        assert!(
            !is_secret || !printed.contains(needle.trim()),
            "{} is repeated: {printed}",
            attempt.how
        );
    }
    let remote = objects(&server);
    for attempt in &attempts {
        assert!(!remote.has(&attempt.needle), "{} is there", attempt.how);
    }
    assert_eq!(server.git(&["rev-parse", "main"]).unwrap(), base);

    // It is the secrets that were refused, not the client.
    let next = pusher.commit(&pusher.note("fine.md", b"second\n"), &[&base], "Sync");
    let printed = pusher.push(MAIN, Some(&base), &next, &[]);
    assert!(printed.contains("ok refs/heads/main"), "{printed}");
    println!(
        "FIGURE: {} pushes of a client that means harm; {} objects of the remote searched: none",
        attempts.len(),
        remote.count
    );
}

#[test]
fn what_the_owner_allows_a_server_lets_in() {
    let server = judging();
    let pusher = Pusher::new(&server.repository());
    let note = pusher.note("a.md", b"DE89 3704 0044 0532 0130 00\n");
    let base = pusher.commit(&note, &[], "Sync");
    let printed = pusher.push(MAIN, None, &base, &[]);
    assert!(
        printed.contains("the number of a bank account (IBAN)"),
        "{printed}"
    );
    let allowed = server.repository().join("platinum/secrets_allowed");
    std::fs::write(&allowed, "iban\n").unwrap();
    let printed = pusher.push(MAIN, None, &base, &[]);
    assert!(printed.contains("ok refs/heads/main"), "{printed}");
    std::fs::write(&allowed, "private-key\n").unwrap();
    let next = pusher.commit(&note, &[&base], "Sync");
    let printed = pusher.push(MAIN, Some(&base), &next, &[]);
    assert!(printed.contains("cannot be allowed"), "{printed}");
}
