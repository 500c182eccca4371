//! Commits on the remote that may not be applied.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use platinum_core::{Role, Timestamp};
use platinum_protocol::PushOutcome;
use platinum_repo::{
    Address, AddressError, CommitMeta, Edit, GitRemote, Oid, Remote, RemoteError, Repo,
};
use platinum_sync::SyncError;
use platinum_testkit::{
    git::{GitServer, hermetic},
    notes::{as_note, draft_path},
};

use crate::races::replica::{Replica, at, key, remote_files, replica, replica_with, side_knowing};

/// Puts a commit on the remote's tip that nothing has checked, signed by the key of `signer`.
pub(crate) fn forge(
    server: &GitServer,
    signer: Option<&str>,
    (agent, role): (&str, Role),
    edits: &[(&str, Option<&str>)],
) -> String {
    let mut repo = Repo::open_or_init(&server.repository()).unwrap();
    if let Some(signer) = signer {
        repo = repo.signing_with(key(signer));
    }
    let edits: Vec<_> = edits
        .iter()
        .map(|(path, text)| {
            let text = text.map(|text| match role {
                Role::Cloud => as_note(path, text),
                Role::Local => text.to_owned(),
            });
            let edit = text.map_or(Edit::Delete, |text| Edit::Put(text.into()));
            (at(path), edit)
        })
        .collect();
    let meta = CommitMeta {
        agent: agent.parse().unwrap(),
        role,
        message: "Forged".to_owned(),
        trailers: Vec::new(),
        at: Timestamp::now(),
    };
    let tip = Repo::oid(&tip(server)).unwrap();
    let commit = repo.commit(Some(tip), &edits, &meta).unwrap().to_string();
    server
        .git(&["update-ref", "refs/heads/main", &commit])
        .unwrap();
    commit
}

/// As the cloud itself, with its own key.
pub(crate) fn cloud_does(server: &GitServer, edits: &[(&str, Option<&str>)]) -> String {
    forge(server, Some("cloud"), ("cloud", Role::Cloud), edits)
}

fn tip(server: &GitServer) -> String {
    server.git(&["rev-parse", "main"]).unwrap()
}

/// Puts a raw tree entry at the top of `Inbox/` on the remote's tip.
fn forge_entry(server: &GitServer, entry: &str) -> String {
    let mktree = |dir: &Path, text: &str| {
        use std::io::Write as _;
        let mut child = hermetic("git")
            .env("GIT_DIR", dir)
            .args(["mktree", "--missing"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let dir = server.repository();
    let inner = mktree(&dir, entry);
    let rest = server.git(&["ls-tree", "main"]).unwrap();
    let rest: Vec<_> = rest
        .lines()
        .filter(|line| !line.ends_with("\tInbox"))
        .collect();
    let outer = mktree(
        &dir,
        &format!("{}\n040000 tree {inner}\tInbox\n", rest.join("\n")),
    );
    let message = "Forged\n\nPlatinum-Agent: cloud\nPlatinum-Role: cloud";
    let commit = server
        .git(&["commit-tree", &outer, "-p", "main", "-m", message])
        .unwrap();
    server
        .git(&["update-ref", "refs/heads/main", &commit])
        .unwrap();
    commit
}

pub(crate) async fn cluster(server: &GitServer) -> (Replica, Replica) {
    let owner = replica(server, "local");
    owner.write("Dashboard.md", "# Today\n");
    owner.sync.sync().await.unwrap();
    let cloud = replica(server, "cloud");
    cloud.sync.sync().await.unwrap();
    (owner, cloud)
}

/// Syncs and expects the exact refusal; nothing may have changed.
async fn refused(replica: &Replica, commit: &str, reasons: &str) {
    let before = replica.files();
    let verified = replica.sync.status().await.unwrap().verified;
    let error = replica.sync.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Violation(_)), "{error}");
    assert_eq!(
        error.to_string(),
        format!("commit {} is not applied: {reasons}", &commit[..12])
    );
    assert_eq!(replica.files(), before);
    let status = replica.sync.status().await.unwrap();
    assert_eq!(status.verified, verified);
    assert_eq!(
        status.last_error.as_deref(),
        Some(error.to_string().as_str())
    );
}

/// What the owner is told, in the order of the notes.
pub(crate) fn messages(owner: &Replica) -> Vec<String> {
    let notes = owner.files().into_iter();
    notes
        .filter(|(path, _)| path.starts_with("Updates/local/"))
        .map(|(_, text)| {
            let note = platinum_vault::note::UpdateNote::parse(&text).unwrap();
            note.headline
        })
        .collect()
}

/// What the owner is told of a commit that nobody who is known signed.
fn held_as(path: &str, approval: &str, why: &str) -> String {
    format!(
        "Held from another device, not in the vault: {path}; `platinum held` shows how to take \
         it{approval}. Commit COMMIT: {why}"
    )
}

/// One sync of the owner undoes these commits: nothing of them is on the remote or in any work
/// tree, what was there is, both halves go on, and the owner is told: a line for each notice.
async fn undone(server: &GitServer, owner: &Replica, cloud: &Replica, commits: &[&str], why: &str) {
    let before = owner.files();
    owner.sync.sync().await.unwrap();
    // What is told is a note, which the next sync shares.
    let mut after = owner.files();
    after.retain(|path, _| !path.starts_with("Updates/local/"));
    assert_eq!(after, before);
    let first = &commits[0][..12];
    let expected = why.lines().map(|why| match commits.len() {
        _ if why.starts_with("Held") => why.replace("COMMIT", first),
        1 => format!("Reverted: commit {first}{why}"),
        several => format!("Reverted: {several} commits; the first, {first}{why}"),
    });
    let cut = |text: String| text.chars().take(280).collect::<String>();
    let expected: BTreeSet<String> = expected
        .map(|text| cut(text).trim_end().to_owned())
        .collect();
    let notices: BTreeSet<String> = messages(owner).into_iter().collect();
    assert_eq!(notices, expected);
    let answer = server
        .git(&[
            "log",
            "-1",
            "--format=%(trailers:key=Platinum-Reverts,valueonly)",
            "main",
        ])
        .unwrap();
    let named: Vec<_> = answer.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(named, commits);

    owner.write("Inbox/later.md", "later");
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    cloud.write(&draft_path("later"), "draft");
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.files(), cloud.files());
    let mut expected: Vec<String> = owner.files().into_keys().collect();
    expected.sort();
    let mut there = remote_files(server);
    there.sort();
    assert_eq!(there, expected);
    assert_eq!(
        cloud.read("Dashboard.md"),
        before.get("Dashboard.md").cloned()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_approves_or_writes_the_dashboard_is_undone() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    let commit = cloud_does(
        &server,
        &[
            ("Approved/draft.md", Some("send")),
            ("Dashboard.md", Some("# Mine\n")),
        ],
    );
    let why = "cloud agent cloud may not create Approved/draft.md: only the owner's machine \
               changes it; cloud agent cloud may not modify Dashboard.md: only the owner's machine \
               changes it";
    refused(&cloud, &commit, why).await;
    undone(
        &server,
        &owner,
        &cloud,
        &[&commit],
        &format!(" by cloud: {why}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_went_between_two_syncs_is_seen() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    let first = cloud_does(&server, &[("Approved/draft.md", Some("send"))]);
    let second = cloud_does(&server, &[("Approved/draft.md", None)]);
    let why = "cloud agent cloud may not create Approved/draft.md: only the owner's machine \
               changes it";
    refused(&cloud, &first, why).await;
    undone(
        &server,
        &owner,
        &cloud,
        &[&first, &second],
        &format!(" by cloud: {why}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_only_says_whose_it_is_is_undone() {
    let held = held_as(&draft_path("a"), "", "it is not signed");
    for (signer, says, why) in [
        (None, ("local", Role::Local), held.as_str()),
        (
            Some("cloud"),
            ("local", Role::Local),
            " by cloud: it says `Platinum-Agent: local`, but it is signed by cloud (cloud); it \
             says `Platinum-Role: local`, but it is signed by cloud (cloud)",
        ),
        (
            Some("cloud-2"),
            ("cloud", Role::Cloud),
            " by cloud-2: it says `Platinum-Agent: cloud`, but it is signed by cloud-2 (cloud)",
        ),
    ] {
        let server = GitServer::start().unwrap();
        let (owner, cloud) = cluster(&server).await;
        owner.write_drafted_task();
        owner.sync.sync().await.unwrap();
        cloud.sync.sync().await.unwrap();
        let path = draft_path("a");
        let note = as_note(&path, "a");
        let edits = [(path.as_str(), Some(note.as_str()))];
        let commit = forge(&server, signer, says, &edits);
        undone(&server, &owner, &cloud, &[&commit], why).await;
    }
}

/// A strangers key is named with the command that would trust it.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_key_is_named_with_the_command_to_trust_it() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    let edits = [("Approved/a.md", Some("a"))];
    let commit = forge(&server, Some("laptop"), ("laptop", Role::Local), &edits);
    let what = format!(
        "it is signed by a key that is not trusted here ({})",
        key("laptop").public().fingerprint()
    );
    let at_cloud = format!(
        "{what}; if it is your own machine, run `platinum-cloud trust` with the line that \
         `platinum key` shows there"
    );
    refused(&cloud, &commit, &at_cloud).await;
    let why = format!(
        "{what}; if it is your cloud host, run `platinum trust` with the line that \
         `platinum-cloud key` shows there, if it is your phone, `platinum device add`"
    );
    let why = held_as("Approved/a.md", ", and nothing is approved by it", &why);
    undone(&server, &owner, &cloud, &[&commit], &why).await;
}

/// While no cloud is trusted nothing is undone and the way out is told.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_trusted_cloud_nothing_is_reverted() {
    let server = GitServer::start().unwrap();
    let owner = side_knowing(&server, "local", &[]);
    owner.write("Dashboard.md", "# Today\n");
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    let cloud = replica(&server, "cloud");
    cloud.write(&draft_path("a"), "draft");
    cloud.sync.sync().await.unwrap();
    let commit = tip(&server);
    let why = format!(
        "it is signed by a key that is not trusted here ({}); if it is your cloud host, run \
         `platinum trust` with the line that `platinum-cloud key` shows there, if it is your phone, \
         `platinum device add`",
        key("cloud").public().fingerprint()
    );
    refused(&owner, &commit, &why).await;
    assert_eq!(tip(&server), commit);
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_commits_after_a_violation_survive_it() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    let evil = cloud_does(
        &server,
        &[
            ("Approved/draft.md", Some("send")),
            ("Plans/both.md", Some("evil")),
        ],
    );
    for n in 0..20 {
        cloud_does(&server, &[(&format!("Plans/plan_{n}.md"), Some("honest"))]);
    }
    let again = cloud_does(&server, &[("Dashboard.md", Some("# Mine\n"))]);
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    assert_eq!(
        files
            .keys()
            .filter(|path| path.starts_with("Plans/plan_"))
            .count(),
        20
    );
    assert_eq!(files["Dashboard.md"], "# Today\n");
    assert!(!files.contains_key("Approved/draft.md") && !files.contains_key("Plans/both.md"));
    let body = server.git(&["log", "-1", "--format=%B", "main"]).unwrap();
    assert!(body.starts_with("Revert 2 commits\n"), "{body}");
    for commit in [evil, again] {
        assert!(
            body.contains(&format!("\nPlatinum-Reverts: {commit}\n")),
            "{body}"
        );
    }
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(owner.files(), cloud.files());
}

/// A remote on which the cloud is faster, as often as `left` says.
struct FasterCloud {
    inner: GitRemote,
    server: Arc<GitServer>,
    left: AtomicU32,
}

#[async_trait]
impl Remote for FasterCloud {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        let left = self.left.load(Ordering::SeqCst);
        if left > 0 {
            self.left.store(left - 1, Ordering::SeqCst);
            let path = format!("Plans/faster_{left}.md");
            cloud_does(&self.server, &[(path.as_str(), Some("honest"))]);
        }
        self.inner.push(commit, expected).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_remote_moves_the_answer_is_built_anew() {
    let server = Arc::new(GitServer::start().unwrap());
    let faster = Arc::clone(&server);
    let owner = replica_with(&server, "local", move |inner| {
        Box::new(FasterCloud {
            inner,
            server: faster,
            left: AtomicU32::new(3),
        })
    });
    let first = replica(&server, "local");
    first.write("Dashboard.md", "# Today\n");
    first.sync.sync().await.unwrap();
    let evil = cloud_does(&server, &[("Approved/draft.md", Some("send"))]);
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    let honest: Vec<_> = files
        .keys()
        .filter(|path| path.starts_with("Plans/"))
        .collect();
    assert_eq!(
        honest,
        [
            "Plans/faster_1.md",
            "Plans/faster_2.md",
            "Plans/faster_3.md"
        ]
    );
    assert!(!files.contains_key("Approved/draft.md"));
    let reverts = "--grep=^Platinum-Reverts: ";
    let answers = server
        .git(&["log", "--format=%B", reverts, "main"])
        .unwrap();
    assert_eq!(
        answers.matches(&evil).count(),
        1,
        "it is answered once: {answers}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn links_submodules_and_foreign_files_are_undone() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    owner.write("Inbox/idea.md", "mine");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    let blob = server.git(&["rev-parse", "main:Dashboard.md"]).unwrap();
    let entry = format!(
        "100644 blob {blob}\ta:b.md\n120000 blob {blob}\tlink.md\n\
         160000 commit 1111111111111111111111111111111111111111\tsub\n"
    );
    let commit = forge_entry(&server, &entry);
    refused(
        &cloud,
        &commit,
        "it is not signed; `Inbox/a:b.md` is no path of a vault: `Inbox/a:b.md` has the character \
         ':', which some systems refuse or hide; `Inbox/link.md` is a symbolic link; `Inbox/sub` \
         is a submodule",
    )
    .await;
    let why = ": it is not signed; `Inbox/a:b.md` is no path of a vault: `Inbox/a:b.md` has the \
               character ':', which some systems refuse or hide; `Inbox/link.md` is a symbolic \
               link; `Inbox/sub` is a submodule";
    let held = held_as("Inbox/idea.md (deleted)", "", "it is not signed");
    undone(
        &server,
        &owner,
        &cloud,
        &[&commit],
        &format!("{held}\n{why}"),
    )
    .await;
    let plugin = cloud_does(&server, &[(".obsidian/plugins/x/main.js", Some("evil()"))]);
    refused(
        &cloud,
        &plugin,
        ".obsidian/plugins/x/main.js is no note or attachment in a folder that is synced; cloud \
         agent cloud may not create .obsidian/plugins/x/main.js: only the owner's machine changes \
         it",
    )
    .await;
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert!(
        !remote_files(&server)
            .iter()
            .any(|path| path.contains("obsidian"))
    );
}

/// A machine set up anew takes over no approval that it did not make.
#[tokio::test(flavor = "multi_thread")]
async fn new_machine_adopts_no_approval_of_others() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    owner.write("Approved/draft_1.md", "send");
    owner.write("Inbox/idea.md", "mine");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    drop(owner);
    // The same name on a new disk: another key, and the old one is not known.
    let new = side_knowing(&server, "local'", &["cloud"]);
    new.sync.sync().await.unwrap();
    let mut files = new.files();
    files.retain(|path, _| !path.starts_with("Updates/"));
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "Dashboard.md",
            "Inbox/idea.md",
            "Pending_Approval/draft_1.md"
        ]
    );
    assert_eq!(
        messages(&new),
        [
            "1 approvals in the remote were not made on this machine with its present key: they wait \
          in Pending_Approval again"
        ]
    );
    assert!(!remote_files(&server).contains(&"Approved/draft_1.md".to_owned()));
    // Nor with its key: what another clone approved with it is no act on this machine.
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    owner.write("Approved/draft_1.md", "send");
    owner.sync.sync().await.unwrap();
    let again = replica(&server, "local");
    again.sync.sync().await.unwrap();
    assert_eq!(again.read("Approved/draft_1.md"), None);
    let waiting = again.read("Pending_Approval/draft_1.md");
    assert_eq!(waiting.as_deref(), Some("send"));
    let told = messages(&again);
    assert!(
        told[0].starts_with("Approved/draft_1.md came by sync."),
        "{told:?}"
    );
    assert!(!remote_files(&server).contains(&"Approved/draft_1.md".to_owned()));
}

/// A vault older than Platinum is taken over unsigned.
#[tokio::test(flavor = "multi_thread")]
async fn vault_older_than_platinum_is_adopted_unsigned() {
    let server = GitServer::start().unwrap();
    let tree = server
        .git(&["hash-object", "-t", "tree", "-w", "/dev/null"])
        .unwrap();
    let root = server.git(&["commit-tree", &tree, "-m", "Begin"]).unwrap();
    server
        .git(&["update-ref", "refs/heads/main", &root])
        .unwrap();
    forge(
        &server,
        None,
        ("somebody", Role::Cloud),
        &[("Inbox/old.md", Some("old"))],
    );
    let owner = replica(&server, "local");
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.read("Inbox/old.md").as_deref(), Some("old"));
    // What no vault holds is not taken over, and not taken away from an older vault either.
    let server = GitServer::start().unwrap();
    let root = server
        .git(&["hash-object", "-t", "tree", "-w", "/dev/null"])
        .unwrap();
    let root = server.git(&["commit-tree", &root, "-m", "Begin"]).unwrap();
    server
        .git(&["update-ref", "refs/heads/main", &root])
        .unwrap();
    let commit = forge(
        &server,
        None,
        ("somebody", Role::Cloud),
        &[(".obsidian/app.json", Some("{}"))],
    );
    let owner = replica(&server, "local");
    refused(
        &owner,
        &commit,
        ".obsidian/app.json is no note or attachment in a folder that is synced; it comes from \
         before this host knew the remote, and is not reverted automatically: take it out of the remote \
         with a commit, or choose another remote",
    )
    .await;
    assert_eq!(tip(&server), commit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_history_is_refused() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    owner.write("Dashboard.md", "# Tomorrow\n");
    owner.sync.sync().await.unwrap();
    let had = tip(&server);
    let old = server.git(&["rev-parse", "main^"]).unwrap();
    server
        .git(&["update-ref", "refs/heads/main", &old])
        .unwrap();
    let folder = owner.folder().join("state/vault.git");
    let reason = format!(
        "the remote's history was rewritten: it no longer has commit {had}; put it back with `git \
         --git-dir {} push --force <remote> {had}:refs/heads/main`, or, if the new history is \
         right, move that folder away and start again",
        folder.display()
    );
    refused(&owner, &old, &reason).await;
    // What it says works.
    let arguments = [
        "push",
        "--quiet",
        "--force",
        &server.address(),
        &format!("{had}:refs/heads/main"),
    ];
    platinum_testkit::git::git_in(&folder, &arguments).unwrap();
    owner.sync.sync().await.unwrap();
    server
        .git(&["update-ref", "-d", "refs/heads/main"])
        .unwrap();
    let error = owner.sync.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::RemoteLost(_)), "{error}");
}

#[test]
fn a_path_that_depends_on_the_folder_and_plain_http_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |text: &str| {
        GitRemote::open(
            &folder.path().join("x.git"),
            text,
            std::time::Duration::from_secs(1),
        )
        .map(drop)
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        open("../vault.git"),
        "`../vault.git` is a relative path; use an absolute one, https:// or ssh://"
    );
    assert_eq!(
        open("http://example.test/vault.git"),
        "`http://example.test` is neither encrypted nor authenticated; use https:// or ssh:// \
         (http:// and git:// are for this machine's loopback alone)"
    );
    assert!(matches!(
        Address::parse("git://example.test/v"),
        Err(AddressError::Plain(_))
    ));
}
