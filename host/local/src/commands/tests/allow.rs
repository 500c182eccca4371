//! `platinum allow`.

use std::fs;

use super::{Home, Kind};

const NOTE: &str = "# List\n\nPassword: Tr0ub4dor&3x\n\nPasswort: Qu4drat!Wurzel9\n";

async fn home() -> Home {
    let home = Home::ready().await;
    fs::create_dir_all(home.path("state/vault.git")).unwrap();
    fs::write(home.path("vault/Inbox/My list.md"), NOTE).unwrap();
    home
}

#[tokio::test]
async fn allow_names_what_passes_and_what_is_still_held() {
    let home = home().await;
    let printed = home.does(&["allow", "Inbox/My list.md:3"]).await;
    let (first, rest) = printed.split_once('\n').unwrap();
    let (said, entry) = first.split_once('(').unwrap();
    assert_eq!(
        said,
        "Line 3 of Inbox/My list.md may leave this machine as it is now; once changed, it is held again "
    );
    assert!(
        entry.starts_with("place:1:") && entry.len() == 8 + 64 + 1,
        "{entry}"
    );
    assert_eq!(
        rest,
        "Still held: line 5 holds a password; take it out, and the file is synced by itself (if it is no secret: platinum allow 'Inbox/My list.md:5').\n\
         The daemon takes it up when it runs.\n"
    );
    let list = fs::read_to_string(home.path("state/vault.git/platinum-allowed-places")).unwrap();
    assert!(list.ends_with(" Inbox/My list.md:3\n"), "{list}");
    assert!(!list.contains("Tr0ub"));
    // The rest of it, by its path in the file system.
    let whole = home.path("vault/Inbox/My list.md");
    let printed = home.does(&["allow", whole.to_str().unwrap()]).await;
    assert!(
        printed.starts_with("Line 5 of Inbox/My list.md may leave"),
        "{printed}"
    );
    assert_eq!(home.read("Inbox/My list.md"), NOTE);
}

#[tokio::test]
async fn allow_refuses_what_is_not_held_and_what_never_passes() {
    let home = home().await;
    let error = home.fails(&["allow", "Inbox/My list.md:4"]).await;
    assert_eq!(
        (error.kind, error.to_string().as_str()),
        (
            Kind::NotFound,
            "line 4 of Inbox/My list.md has nothing that is held back as a secret\n  line 3 has"
        )
    );
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\nQyNTUxOQAAACDZpPj9jc3Z1mLx0w5gQ2bW8k7v4t6y5h3n1a9s8d7f6g5h4j3k2l1m\n-----END OPENSSH PRIVATE KEY-----\n";
    fs::write(home.path("vault/Inbox/k.md"), key).unwrap();
    let error = home.fails(&["allow", "Inbox/k.md"]).await;
    assert_eq!(
        error.to_string(),
        "Inbox/k.md stays here: line 1 holds a private key; take it out, and the file is synced by itself\n  this is never let out"
    );
    assert_eq!(
        home.fails(&["allow", "Inbox/none.md:1"]).await.kind,
        Kind::NotFound
    );
    assert_eq!(home.fails(&["allow", "../x.md:1"]).await.kind, Kind::Usage);
}
