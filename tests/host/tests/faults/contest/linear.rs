//! Whether a recorded history of one task is linearizable: whether there is one order of its
//! operations, each at a moment between its begin and its end, in which a register of claims would
//! have answered just what was answered.
//!
//! The search is Wing and Gong's: take one operation that no other must come before, see whether
//! the register allows its answer, go on from there; what was reached before (the same operations
//! in the same state) is not tried again, as Lowe has it. Tasks do not touch each other, and what
//! is linearizable task by task is so as a whole (Herlihy and Wing), so that each search is small.
//! An operation of unknown outcome may have taken effect at any time after its begin, or never.
//! The last thing is what the remote holds in the end: it must be where the order leads.

use std::collections::HashSet;

use crate::contest::history::{Operation, Outcome, What};

/// The register: whose a task is, and the epoch of its last claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Register {
    pub(crate) owner: Option<usize>,
    pub(crate) epoch: u64,
}

impl Register {
    /// A task that no one ever claimed.
    pub(crate) const NEW: Self = Self {
        owner: None,
        epoch: 0,
    };

    /// The register after the operation, if it allows that answer.
    fn after(self, operation: &Operation, name: fn(usize) -> String) -> Option<Self> {
        let me = operation.worker;
        let taken = Self {
            owner: Some(me),
            epoch: self.epoch + 1,
        };
        let freed = Self {
            owner: None,
            ..self
        };
        let is_free = self.owner.is_none();
        let is_mine = self.owner == Some(me);
        match (operation.what, &operation.outcome) {
            (What::Claim, Outcome::Won(epoch)) if is_free && *epoch == taken.epoch => Some(taken),
            // A claim of mine that I did not hear of: asked again, it is won.
            (What::Claim, Outcome::Won(epoch)) if is_mine && *epoch == self.epoch => Some(self),
            (What::Claim, Outcome::Lost(Some(owner))) => {
                let is_theirs = self.owner.is_some_and(|it| it != me && name(it) == *owner);
                is_theirs.then_some(self)
            }
            // Asked again for what is done already.
            (What::Release, Outcome::Released) if is_mine || is_free => Some(freed),
            (_, Outcome::Failed) => Some(self),
            (What::Claim, Outcome::Unknown(_)) if is_free => Some(taken),
            (What::Release, Outcome::Unknown(_)) if is_mine => Some(freed),
            _ => None,
        }
    }
}

/// Looks for an order of these operations, all on one task, that leads to `last`.
///
/// # Errors
/// If there is none; the text lists the operations.
pub(crate) fn check(
    operations: &[Operation],
    last: Register,
    name: fn(usize) -> String,
) -> Result<(), String> {
    assert!(operations.len() <= 128, "too many operations on one task");
    let search = Search {
        operations,
        last,
        name,
        certain: bits(operations, |it| it.end.is_some()),
    };
    if search.leads_on(0, Register::NEW, &mut HashSet::new()) {
        return Ok(());
    }
    let mut sorted: Vec<_> = operations.iter().collect();
    sorted.sort_by_key(|it| it.begin);
    let first = sorted.first().map_or(0, |it| it.begin);
    let lines = sorted.iter().map(|it| {
        let ms = |at: u64| at.saturating_sub(first) / 1_000_000;
        let end = it.end.map_or("?".to_owned(), |end| ms(end).to_string());
        format!(
            "{}–{end} ms: {} {:?}: {:?}\n",
            ms(it.begin),
            name(it.worker),
            it.what,
            it.outcome
        )
    });
    Err(format!(
        "no order explains this, with {last:?} at the end:\n{}",
        lines.collect::<String>()
    ))
}

fn bits(operations: &[Operation], is_in: impl Fn(&Operation) -> bool) -> u128 {
    let places = operations.iter().enumerate();
    places
        .filter(|(_, it)| is_in(it))
        .fold(0, |bits, (place, _)| bits | 1 << place)
}

struct Search<'a> {
    operations: &'a [Operation],
    last: Register,
    name: fn(usize) -> String,
    /// Those that did take effect.
    certain: u128,
}

impl Search<'_> {
    /// Whether the operations that are not `done` yet can follow in some order.
    fn leads_on(&self, done: u128, now: Register, seen: &mut HashSet<(u128, Register)>) -> bool {
        if done & self.certain == self.certain && now == self.last {
            return true;
        }
        if !seen.insert((done, now)) {
            return false;
        }
        // What begins after another has ended comes after it.
        let left = |place: usize| done & (1 << place) == 0;
        let ends = self.operations.iter().enumerate();
        let first_end = ends
            .filter(|(place, _)| left(*place))
            .filter_map(|(_, it)| it.end)
            .min()
            .unwrap_or(u64::MAX);
        self.operations.iter().enumerate().any(|(place, it)| {
            left(place)
                && it.begin <= first_end
                && now
                    .after(it, self.name)
                    .is_some_and(|next| self.leads_on(done | 1 << place, next, seen))
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

    use super::*;

    fn name(worker: usize) -> String {
        format!("w{worker}")
    }

    fn claim(worker: usize, begin: u64, end: u64, outcome: Outcome) -> Operation {
        Operation {
            worker,
            task: 0,
            what: What::Claim,
            begin,
            end: Some(end),
            outcome,
        }
    }

    fn release(worker: usize, begin: u64, end: u64) -> Operation {
        Operation {
            what: What::Release,
            ..claim(worker, begin, end, Outcome::Released)
        }
    }

    fn killed(operation: &Operation) -> Operation {
        Operation {
            end: None,
            outcome: Outcome::Unknown("killed".to_owned()),
            ..operation.clone()
        }
    }

    fn lost(owner: usize) -> Outcome {
        Outcome::Lost(Some(name(owner)))
    }

    fn is_explained(operations: &[Operation], owner: Option<usize>, epoch: u64) -> bool {
        check(operations, Register { owner, epoch }, name).is_ok()
    }

    #[test]
    fn honest_histories_are_explained() {
        use Outcome::Won;
        let (won, second) = (claim(0, 0, 10, Won(1)), claim(1, 5, 20, lost(0)));
        assert!(is_explained(&[], None, 0));
        assert!(is_explained(&[won.clone(), second.clone()], Some(0), 1));
        // Given back, and won by the next.
        let given_back = [won, second, release(0, 30, 40), claim(1, 35, 50, Won(2))];
        assert!(is_explained(&given_back, Some(1), 2));
        // Killed in the middle: it took effect, or it did not, or much later.
        let dead = killed(&claim(0, 0, 10, Won(1)));
        assert!(is_explained(std::slice::from_ref(&dead), None, 0));
        assert!(is_explained(std::slice::from_ref(&dead), Some(0), 1));
        assert!(is_explained(
            &[dead.clone(), claim(0, 50, 60, Won(1))],
            Some(0),
            1
        ));
        let late = [
            dead,
            claim(1, 50, 60, Won(1)),
            release(1, 70, 80),
            claim(2, 90, 95, lost(0)),
        ];
        assert!(is_explained(&late, Some(0), 2));
    }

    #[test]
    fn histories_that_no_register_has_are_refused() {
        use Outcome::Won;
        let won = claim(0, 0, 10, Won(1));
        let twice = [won.clone(), claim(1, 5, 20, Won(1))];
        assert!(!is_explained(&twice, Some(0), 1));
        assert!(!is_explained(&twice, Some(1), 1));
        // Two owners, though under two epochs: no one gave it back.
        let without_release = [won.clone(), claim(1, 20, 30, Won(2))];
        assert!(!is_explained(&without_release, Some(1), 2));
        // Lost to someone before that one could have had it.
        let too_early = [claim(0, 20, 30, Won(1)), claim(1, 0, 10, lost(0))];
        assert!(!is_explained(&too_early, Some(0), 1));
        // An old tip was believed: it was given back long before.
        let stale = [won.clone(), release(0, 20, 30), claim(1, 40, 50, lost(0))];
        assert!(!is_explained(&stale, None, 1));
        // An epoch was left out.
        assert!(!is_explained(&[claim(0, 0, 10, Won(2))], Some(0), 2));
        // The remote has something else in the end.
        assert!(!is_explained(std::slice::from_ref(&won), Some(1), 1));
        assert!(!is_explained(std::slice::from_ref(&won), None, 1));
        // "Certainly without effect", and it had one.
        assert!(!is_explained(
            &[claim(0, 0, 10, Outcome::Failed)],
            Some(0),
            1
        ));
        assert!(!is_explained(
            &[claim(0, 0, 10, Outcome::Lost(None))],
            None,
            0
        ));
        // Lost to oneself.
        assert!(!is_explained(&[won, claim(0, 20, 30, lost(0))], Some(0), 1));
    }

    /// Plays a register and writes down what it does, with clocks around each moment.
    fn played(chance: &mut StdRng) -> (Vec<Operation>, Register) {
        let mut now = Register::NEW;
        let mut operations: Vec<Operation> = Vec::new();
        let mut free_from = [0; 4];
        for step in 1..=chance.random_range(1..12_u64) {
            let moment = step * 100;
            let worker = chance.random_range(0..4);
            let mut operation = claim(worker, 0, 0, Outcome::Failed);
            match now.owner {
                Some(owner) if owner == worker && chance.random_bool(0.5) => {
                    operation = release(worker, 0, 0);
                    now.owner = None;
                }
                Some(owner) if owner == worker => operation.outcome = Outcome::Won(now.epoch),
                Some(owner) => operation.outcome = lost(owner),
                None => {
                    now = Register {
                        owner: Some(worker),
                        epoch: now.epoch + 1,
                    };
                    operation.outcome = Outcome::Won(now.epoch);
                }
            }
            // One after another for each worker, and around each other for several.
            let earliest = free_from[worker].max(moment.saturating_sub(250));
            operation.begin = chance.random_range(earliest..=moment);
            let end = moment + chance.random_range(0..250);
            operation.end = Some(end);
            free_from[worker] = end.min(moment + 100);
            if chance.random_bool(0.1) {
                operation = killed(&operation);
            }
            operations.push(operation);
        }
        (operations, now)
    }

    #[test]
    fn check_accepts_register_histories_and_no_second_owner() {
        let mut chance = StdRng::seed_from_u64(20_261_120);
        let mut forged = 0;
        for _ in 0..3000 {
            let (operations, last) = played(&mut chance);
            assert_eq!(check(&operations, last, name), Ok(()));
            let wins: Vec<_> = operations
                .iter()
                .filter(|it| matches!(it.outcome, Outcome::Won(_)))
                .collect();
            let Some(win) = wins.choose(&mut chance) else {
                continue;
            };
            let thief = Operation {
                worker: 4,
                ..(*win).clone()
            };
            let mut corrupt = operations.clone();
            corrupt.push(thief);
            assert!(check(&corrupt, last, name).is_err(), "{corrupt:?}");
            forged += 1;
        }
        assert!(forged > 2000);
    }
}
