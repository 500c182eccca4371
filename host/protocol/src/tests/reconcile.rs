//! The whole table: every intent against everything that a tip can say of its task.

use platinum_core::{AgentName, ClaimId, Timestamp};

use crate::{
    ClaimRecord, TaskPlace,
    reconcile::{Intent, Replay, replay},
};

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

fn record(who: &str, claim: u128, epoch: u64) -> ClaimRecord {
    ClaimRecord {
        id: ClaimId::from_parts(0, claim),
        agent: agent(who),
        epoch,
        at: Timestamp::UNIX_EPOCH,
        base: String::new(),
        heartbeats: 0,
    }
}

/// What a tip can say: no owner, this claim, this claim after a heartbeat, this claim's id under a
/// later epoch, another claim of the same agent, another agent's, finished, gone.
fn places() -> Vec<TaskPlace> {
    let beaten = ClaimRecord {
        heartbeats: 9,
        ..record("local", 1, 4)
    };
    vec![
        TaskPlace::Waiting,
        TaskPlace::Owned(record("local", 1, 4)),
        TaskPlace::Owned(beaten),
        TaskPlace::Owned(record("local", 1, 5)),
        TaskPlace::Owned(record("local", 2, 5)),
        TaskPlace::Owned(record("cloud", 3, 5)),
        TaskPlace::Finished,
        TaskPlace::Absent,
    ]
}

/// Every intent against every place comes out as the table says.
#[test]
fn reconcile_every_intent_and_place_matches_the_table() {
    use Replay::{ClaimNow, Gone, Publish, UpToDate};
    let lost = |owner: Option<&str>| Replay::Lost {
        owner: owner.map(agent),
    };
    let (local, cloud) = (lost(Some("local")), lost(Some("cloud")));
    let claim = |known| Intent::Claim {
        claim: ClaimId::from_parts(0, 1),
        known,
    };
    let own = Intent::Own {
        record: record("local", 1, 4),
    };
    let finish = |published| Intent::Finish {
        record: record("local", 1, 4),
        published,
    };
    let none = || lost(None);
    let table = [
        (
            claim(true),
            vec![
                ClaimNow,
                UpToDate,
                UpToDate,
                UpToDate,
                local.clone(),
                cloud.clone(),
                none(),
                Gone,
            ],
        ),
        (
            claim(false),
            vec![
                ClaimNow,
                UpToDate,
                UpToDate,
                UpToDate,
                local.clone(),
                cloud.clone(),
                none(),
                ClaimNow,
            ],
        ),
        (
            own,
            vec![
                Publish,
                UpToDate,
                UpToDate,
                UpToDate,
                UpToDate,
                cloud.clone(),
                none(),
                Publish,
            ],
        ),
        (
            finish(true),
            vec![
                none(),
                Publish,
                Publish,
                local.clone(),
                local.clone(),
                cloud.clone(),
                UpToDate,
                Gone,
            ],
        ),
        (
            finish(false),
            vec![
                Publish,
                Publish,
                Publish,
                local.clone(),
                local,
                cloud,
                UpToDate,
                Publish,
            ],
        ),
    ];
    for (intent, row) in table {
        let places = places();
        assert_eq!(places.len(), row.len());
        for (place, answer) in places.iter().zip(row) {
            assert_eq!(replay(&intent, place), answer, "{intent:?} at {place:?}");
        }
    }
}

#[test]
fn reconcile_foreign_task_is_not_touched() {
    let ours = record("local", 1, 4);
    for theirs in [record("cloud", 3, 1), record("cloud", 3, 9)] {
        for intent in [
            Intent::Claim {
                claim: ours.id,
                known: true,
            },
            Intent::Claim {
                claim: ours.id,
                known: false,
            },
            Intent::Own {
                record: ours.clone(),
            },
            Intent::Finish {
                record: ours.clone(),
                published: true,
            },
            Intent::Finish {
                record: ours.clone(),
                published: false,
            },
        ] {
            let answer = replay(&intent, &TaskPlace::Owned(theirs.clone()));
            assert_eq!(
                answer,
                Replay::Lost {
                    owner: Some(agent("cloud"))
                }
            );
        }
    }
}

#[test]
fn reconcile_is_idempotent() {
    let ours = record("local", 1, 4);
    let claimed = TaskPlace::Owned(ours.clone());
    let claim = Intent::Claim {
        claim: ours.id,
        known: true,
    };
    assert_eq!(replay(&claim, &claimed), Replay::UpToDate);
    assert_eq!(
        replay(
            &Intent::Own {
                record: ours.clone()
            },
            &claimed
        ),
        Replay::UpToDate
    );
    let finish = Intent::Finish {
        record: ours,
        published: true,
    };
    assert_eq!(replay(&finish, &TaskPlace::Finished), Replay::UpToDate);
}
