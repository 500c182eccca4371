//! A host dies while it brings what came in, and the remote goes on before it is back: what it
//! brought half is no edit of its own.

use std::{path::Path, time::Duration};

use platinum_core::{AgentName, TaskId, Timestamp, ZoneId, layout};
use platinum_host_tests::worker::{self, Act, Answer, Died, FailPoint, Order, Setup, Worker};
use platinum_testkit::git::GitServer;
use platinum_vault::note::TaskNote;

/// As the test executable knows it: the workers run it again.
const NAME: &str = "failpoints::interrupted::kill_during_apply_does_not_bring_a_claim_back";

fn setup(agent: &str, folder: &Path, server: &GitServer) -> Setup {
    let home = folder.join(agent);
    let vault = home.join("vault");
    std::fs::create_dir_all(&vault).unwrap();
    Setup {
        agent: agent.to_owned(),
        vault,
        state: home.join("state"),
        remote: server.address(),
        ssh: None,
        time_out: Duration::from_secs(20),
        every: None,
        points: Vec::new(),
        fail_points: Vec::new(),
    }
}

fn put_task(setup: &Setup) -> TaskId {
    let task = TaskNote {
        id: TaskId::from_parts(1_795_000_000_001, 1),
        zone: ZoneId::EMAIL,
        source: "maildir:owner".to_owned(),
        from: "Someone <someone@example.test>".to_owned(),
        subject: "A question".to_owned(),
        received: None,
        created: Timestamp::from_second(1_795_000_000).unwrap(),
        by: "intake".to_owned(),
        facts: Vec::new(),
        claim: None,
        body: "Can you answer it?\n".to_owned(),
    };
    let path = setup
        .vault
        .join(layout::waiting(ZoneId::EMAIL, task.id).as_str());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, task.render()).unwrap();
    task.id
}

fn synced(worker: &mut Worker) -> (u32, u32) {
    match worker.must(&Order::Sync) {
        Answer::Synced {
            pushed, conflicts, ..
        } => (pushed, conflicts),
        other => panic!("{other:?}\n{}", worker.log()),
    }
}

/// A host that dies while it brings a claim does not bring it back.
#[test]
fn kill_during_apply_does_not_bring_a_claim_back() {
    if let Some(asked) = worker::asked() {
        return worker::serve(asked);
    }
    let folder = tempfile::tempdir().unwrap();
    let server = GitServer::start().unwrap();
    let mut local = setup("local", folder.path(), &server);
    let cloud = setup("cloud", folder.path(), &server);
    worker::acquaint(&[&local, &cloud]);
    let start = |setup: &Setup| Worker::start(NAME, &[], folder.path(), setup);
    let (mut here, mut there) = (start(&local), start(&cloud));

    let task = put_task(&local);
    synced(&mut here);
    synced(&mut there);
    let won = there.must(&Order::Claim(task.to_string()));
    assert_eq!(won, Answer::Claimed("Won { epoch: 1 }".to_owned()));

    // The claim is on this disk, and the base of the next merge does not know of it.
    let witness = folder.path().join("died");
    here.must(&Order::Arm(vec![FailPoint {
        point: "sync-files-changed".to_owned(),
        hit: 1,
        act: Act::Die,
        witness: witness.clone(),
    }]));
    assert_eq!(here.ask(&Order::Sync), Err(Died), "{}", here.log());
    assert!(witness.exists());
    let agent: AgentName = "cloud".parse().unwrap();
    let owned = layout::in_progress(&agent, task);
    assert!(local.vault.join(owned.as_str()).exists());

    there.must(&Order::Release(task.to_string()));
    let won = there.must(&Order::Claim(task.to_string()));
    assert_eq!(won, Answer::Claimed("Won { epoch: 2 }".to_owned()));

    local.fail_points.clear();
    let mut here = start(&local);
    assert_eq!(synced(&mut here), (0, 0), "nothing here is an edit");
    let note = std::fs::read_to_string(local.vault.join(owned.as_str())).unwrap();
    assert!(note.contains("epoch: 2"), "{note}");
    let place = here.must(&Order::Place(task.to_string()));
    assert!(format!("{place:?}").contains("epoch: 2"), "{place:?}");
}
