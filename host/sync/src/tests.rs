//! The synchronizer over remotes that misbehave.

use async_trait::async_trait;
use platinum_protocol::PushOutcome;
use platinum_repo::{Oid, Remote, RemoteError, Signers, SigningKey};
use platinum_vault::Vault;

use platinum_core::Role;
use platinum_vault::note::UpdateNote;
use platinum_verify::Identity;

use crate::{SyncConfig, SyncError, SyncSnapshot, Synchronizer};

/// Holds an object that git does not take.
struct Faulty;

#[async_trait]
impl Remote for Faulty {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        Err(RemoteError::Faulty {
            remote: self.describe(),
            object: "2a950f22f4df93c3fa15402165e3a50ff2c4fbe6".to_owned(),
            what: "zeroPaddedFilemode: contains zero-padded file modes".to_owned(),
        })
    }

    async fn push(&self, _: Oid, _: Option<Oid>) -> PushOutcome {
        PushOutcome::Rejected("stale info".to_owned())
    }

    fn describe(&self) -> String {
        "ssh://vault@example.test/vault.git".to_owned()
    }
}

/// The owner is notified once of a faulty object at the remote, and the status file says what to
/// do.
#[tokio::test]
async fn faulty_remote_object_notifies_the_owner_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("vault")).unwrap();
    let vault = Vault::open(&folder.path().join("vault")).unwrap();
    let state = folder.path().join("state");
    let agent: platinum_core::AgentName = "local".parse().unwrap();
    let key = SigningKey::from_seed([7; 32]).unwrap();
    let sync = Synchronizer::new(SyncConfig {
        vault: vault.clone(),
        git_dir: state.join("vault.git"),
        remote: Some(Box::new(Faulty)),
        agent: agent.clone(),
        role: Role::Local,
        identity: Identity::new(agent, Role::Local, key, Signers::default()),
        scanner: std::sync::Arc::default(),
    })
    .unwrap();
    for _ in 0..3 {
        let ended = sync.sync_and_record().await;
        assert!(
            matches!(&ended, Err(error @ SyncError::Faulty(_)) if error.stops_all()),
            "{ended:?}"
        );
    }
    let notes = vault.list("Updates/local").unwrap();
    assert_eq!(notes.len(), 1, "once");
    let text = vault.read_text(&notes[0].path, 4096).unwrap();
    let headline = UpdateNote::parse(&text).unwrap().headline;
    // The end, the remote's address, is cut.
    let expected = "Nothing is synced any more: the remote holds a faulty object, \
         2a950f22f4df93c3fa15402165e3a50ff2c4fbe6 (zeroPaddedFilemode: contains zero-padded \
         file modes), and git takes nothing more from it: put its branch back to a commit \
         without it, and set `receive.fsckObjects` to true there";
    assert!(headline.starts_with(expected), "{headline}");
    let trouble = SyncSnapshot::read(&state).trouble.unwrap();
    assert!(
        trouble.starts_with("the remote holds a faulty object, 2a950f22f4df"),
        "{trouble}"
    );
}
