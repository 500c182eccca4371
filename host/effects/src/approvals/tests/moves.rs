//! Which moves into `Approved/` are the owner's: those of the very file that waited, and no others.

use super::*;

#[tokio::test]
async fn draft_edited_in_place_and_moved_is_the_same_file() {
    let fixture = Fixture::new([sent()]);
    wait(&fixture, &draft(1));
    edit(&fixture, &layout::pending(id(1)), "yes.", "gladly.");
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
}

/// The daemon is off: what another device writes into the file after its move is not what its owner
/// moved.
#[tokio::test]
async fn draft_written_after_its_move_goes_back() {
    let fixture = Fixture::new([]);
    wait(&fixture, &draft(1));
    fixture.move_to_approved(id(1));
    let path = fixture.vault.root().join(layout::approved(id(1)).as_str());
    // It was moved an hour ago.
    let folder = std::fs::File::open(path.parent().unwrap()).unwrap();
    let an_hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    folder.set_modified(an_hour_ago).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("yes.", "gladly.")).unwrap();
    let back = returned(&fixture).await;
    assert_eq!(
        back[0].reason,
        "it was changed in Approved before its approval was recorded; read it, then approve it \
         again"
    );
    assert!(fixture.next().await.is_none());
    // Read and moved again, it is what its owner moved.
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
}

/// A synchroniser that carries a move of another device out by renaming the file here, by way of a
/// name of its own, leaves the same file.
#[tokio::test]
async fn file_renamed_by_a_synchroniser_is_held() {
    let fixture = Fixture::new([]);
    let root = fixture.vault.root().to_owned();
    std::fs::create_dir(root.join(".stfolder")).unwrap();
    std::fs::create_dir_all(root.join("Approved")).unwrap();
    let renamed = |n: u128| {
        let from = root.join(layout::pending(id(n)).as_str());
        let beside = root.join(format!("Approved/.syncthing.{}.md.tmp", id(n)));
        std::fs::rename(from, &beside).unwrap();
        std::fs::rename(beside, root.join(layout::approved(id(n)).as_str())).unwrap();
    };
    wait(&fixture, &draft(1));
    renamed(1);
    let held = "held; read it and confirm with `platinum approve`: move: Syncthing keeps \
                this vault in step with other devices, and a move that it carries out cannot be \
                told from yours; `approvals.other-devices = \"accept\"` counts every move";
    for _ in 0..2 {
        // Also once it has the finding in it.
        assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
        assert_eq!(fixture.states().await, [held]);
    }
    assert!(fixture.next().await.is_none());
    let fixture = fixture.restarted_with(ApprovalPolicy {
        accepts_other_devices: true,
        ..policy(0)
    });
    wait(&fixture, &draft(2));
    renamed(2);
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 2);
}

/// What is in a folder of `Approved/` is not carried out, and not silently.
#[tokio::test]
async fn draft_in_a_folder_of_approved_is_named() {
    let fixture = Fixture::new([]);
    wait(&fixture, &draft(1));
    let name = layout::approved(id(1)).file_name().to_owned();
    let deeper: VaultPath = format!("Approved/Clients/{name}").parse().unwrap();
    let pending = layout::pending(id(1));
    fixture.vault.rename(&pending, &deeper).unwrap();
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
    let advice = format!(
        "cannot be used: what is in a folder of Approved is not carried out; move it to \
         Approved/{name}"
    );
    assert_eq!(fixture.states().await, [advice]);
    fixture
        .vault
        .rename(&deeper, &layout::approved(id(1)))
        .unwrap();
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
}

/// Approved by command, taken back and moved: the file that came back is the one that waits.
#[tokio::test]
async fn draft_approved_undone_and_moved_is_the_same_file() {
    let fixture = Fixture::new([]);
    let mut text = draft(1).render();
    text = text.replacen("---\n", "---\nreturned: why\n", 1);
    fixture.wait(id(1), &text);
    let path = layout::pending(id(1));
    let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
    let shown = act::Shown {
        path: &path,
        outgoing: &outgoing,
        findings: &[],
    };
    let (vault, journal) = (&fixture.vault, &fixture.journal);
    act::approve(vault, journal, &policy(0), &shown, fixture.now()).unwrap();
    undo(&fixture, 1).unwrap();
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
}

/// A file that was never before the owner here is put before him, with the reason in it.
#[tokio::test]
async fn file_that_never_waited_goes_back() {
    let fixture = Fixture::new([sent()]);
    let text = draft(1).render();
    fixture
        .vault
        .create(&layout::approved(id(1)), text.as_bytes())
        .unwrap();
    let why = "it was put into Approved without having waited in Pending_Approval on this machine; \
               read it, then approve it";
    let back = returned(&fixture).await;
    assert_eq!(back.len(), 1);
    assert_eq!(
        (&*back[0].reason, &back[0].path),
        (why, &layout::pending(id(1)))
    );
    let note = read(&fixture, &layout::pending(id(1)));
    assert_eq!(note.get_text("returned"), Some(why));
    let logged = fixture.journal.newest(1).unwrap().remove(0);
    let refused = AuditEvent::Refused {
        subject: id(1).to_string(),
        reason: why.to_owned(),
    };
    assert_eq!(
        serde_json::from_str::<AuditEvent>(&logged.data).unwrap(),
        refused
    );
    assert!(!fixture.vault.exists(&layout::approved(id(1))).unwrap());
    assert!(fixture.next().await.is_none());
    assert_eq!(fixture.asked(), 0);
}

#[tokio::test]
async fn file_moved_by_another_device_is_held() {
    let fixture = Fixture::new([sent()]);
    wait(&fixture, &draft(1));
    move_elsewhere(&fixture, 1);
    let admitted = fixture.approvals.admit().await.unwrap();
    assert_eq!((admitted.recorded, admitted.returned.len()), (0, 0));
    assert!(fixture.next().await.is_none());
    let states = fixture.states().await;
    assert_eq!(
        states,
        [
            "held; read it and confirm with `platinum approve`: file: another device or program \
             moved it, or it was saved as a new file just before it was moved: it is not the file \
             that waited here"
        ]
    );
    // Confirmed as it was shown, it leaves.
    let path = layout::approved(id(1));
    let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
    let entries = fixture.approvals.entries().await.unwrap();
    let EntryState::Unconfirmed(findings) = &entries[0].state else {
        panic!("{:?}", entries[0].state);
    };
    let shown = act::Shown {
        path: &path,
        outgoing: &outgoing,
        findings,
    };
    let approval = act::approve(
        &fixture.vault,
        &fixture.journal,
        &policy(0),
        &shown,
        fixture.now(),
    )
    .unwrap();
    assert_eq!(approval.how, How::Confirmed);
    assert_eq!(approval.confirmed.len(), 1);
    fixture.send_next().await.unwrap();
}

#[tokio::test]
async fn file_moved_by_another_device_counts_if_accepted() {
    let accepting = ApprovalPolicy {
        accepts_other_devices: true,
        ..policy(0)
    };
    let fixture = Fixture::new([]).restarted_with(accepting);
    wait(&fixture, &draft(1));
    move_elsewhere(&fixture, 1);
    // One that never waited here goes back all the same.
    let text = draft(2).render();
    fixture
        .vault
        .create(&layout::approved(id(2)), text.as_bytes())
        .unwrap();
    let admitted = fixture.approvals.admit().await.unwrap();
    assert_eq!((admitted.recorded, admitted.returned.len()), (1, 1));
    assert_eq!(fixture.next().await.unwrap().draft().id, id(1));
}
