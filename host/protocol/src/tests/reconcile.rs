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
        beat: 0,
    }
}

/// What a tip can say: nobody's, this claim, this claim having beaten, this claim's id under a
/// later epoch, another claim of the same agent, another agent's, finished, gone.
fn places() -> Vec<TaskPlace> {
    let beaten = ClaimRecord {
        beat: 9,
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

#[test]
fn every_intent_against_every_place_comes_out_as_the_table_says() {
    use Replay::{ClaimNow, Gone, Settled, Tell};
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
    let finish = |told| Intent::Finish {
        record: record("local", 1, 4),
        told,
    };
    let none = || lost(None);
    let table = [
        (
            claim(true),
            vec![
                ClaimNow,
                Settled,
                Settled,
                Settled,
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
                Settled,
                Settled,
                Settled,
                local.clone(),
                cloud.clone(),
                none(),
                ClaimNow,
            ],
        ),
        (
            own,
            vec![
                Tell,
                Settled,
                Settled,
                Settled,
                Settled,
                cloud.clone(),
                none(),
                Tell,
            ],
        ),
        (
            finish(true),
            vec![
                none(),
                Tell,
                Tell,
                local.clone(),
                local.clone(),
                cloud.clone(),
                Settled,
                Gone,
            ],
        ),
        (
            finish(false),
            vec![Tell, Tell, Tell, local.clone(), local, cloud, Settled, Tell],
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
fn nothing_is_claimed_or_told_on_a_task_that_is_another_agents() {
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
                told: true,
            },
            Intent::Finish {
                record: ours.clone(),
                told: false,
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
fn what_was_done_is_settled_when_it_is_asked_again() {
    let ours = record("local", 1, 4);
    let claimed = TaskPlace::Owned(ours.clone());
    let claim = Intent::Claim {
        claim: ours.id,
        known: true,
    };
    assert_eq!(replay(&claim, &claimed), Replay::Settled);
    assert_eq!(
        replay(
            &Intent::Own {
                record: ours.clone()
            },
            &claimed
        ),
        Replay::Settled
    );
    let finish = Intent::Finish {
        record: ours,
        told: true,
    };
    assert_eq!(replay(&finish, &TaskPlace::Finished), Replay::Settled);
}
