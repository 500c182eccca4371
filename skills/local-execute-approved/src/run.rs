//! One approved action after the other: effect first, then its task is filed.
//!
//! Lives elsewhere: that an effect happens at most once is the host's care (the approval is used
//! up, the journal remembers).
//! Invariants: an action whose end is unknown is never tried again here, and its task stays open.

use std::collections::BTreeSet;

use platinum_sdk::actions::types::{EffectError, Receipt};
use platinum_sdk::host::{Approval, FinishTasks, Log, SendEmail};
use platinum_sdk::skill::log::Level;
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Invocation, Outcome};

/// The kinds this skill has an effect for.
const KINDS: [&str; 1] = ["email-send"];

/// At most this many actions in one run.
const MAX_ACTIONS: usize = 50;

/// What became of the actions of a run.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    postponed: usize,
    refused: usize,
    unknown: usize,
    unfiled: usize,
    last: String,
}

/// Sends what is approved and files the tasks; `done` with the numbers, `nothing` if nothing was
/// approved.
///
/// # Errors
/// `unavailable` if all that could be done was to wait; the host runs the skill again later.
pub fn run(host: &(impl Log + SendEmail + FinishTasks), _: &Invocation) -> Result<Outcome, Error> {
    let kinds = KINDS.map(str::to_owned);
    let mut tally = Tally::default();
    let mut seen = BTreeSet::new();
    while seen.len() < MAX_ACTIONS {
        let approved = match host.next(&kinds) {
            Ok(Some(approved)) => approved,
            Ok(None) => break,
            Err(error) if seen.is_empty() => return Err(error.into()),
            Err(error) => {
                host.line(
                    Level::Error,
                    &format!("the approvals cannot be read on: {error:?}"),
                );
                break;
            }
        };
        // What was postponed comes again; it is not tried twice in one run.
        if !seen.insert(approved.draft()) {
            break;
        }
        act(host, approved, &mut tally);
    }
    if seen.is_empty() {
        return Ok(Outcome::Nothing);
    }
    if tally.postponed == seen.len() {
        return Err(Error::Unavailable(tally.last));
    }
    Ok(Outcome::Done(tally.line()))
}

/// Does one action, and files its task if it is done.
fn act<H: Log + SendEmail + FinishTasks>(host: &H, approved: H::Approved, tally: &mut Tally) {
    let (draft, task) = (approved.draft(), approved.task());
    let summary = one_line(&approved.summary(), 160);
    let mut report = |level: Level, what: &str| {
        tally.last = one_line(&format!("{summary}: {what}"), 300);
        host.line(level, &format!("{draft} of {task}: {}", tally.last));
    };
    let receipt = match host.send(approved) {
        Ok(receipt) => {
            report(Level::Info, &format!("sent, {}", receipt.answer));
            receipt
        }
        Err(EffectError::AlreadyDone(receipt)) => {
            report(Level::Info, &format!("was done before, at {}", receipt.at));
            receipt
        }
        Err(EffectError::Postponed(reason)) => {
            report(Level::Warn, &format!("not now: {reason}"));
            tally.postponed += 1;
            return;
        }
        Err(EffectError::Refused(reason)) => {
            report(Level::Error, &format!("refused: {reason}"));
            tally.refused += 1;
            return;
        }
        Err(EffectError::OutcomeUnknown(reason)) => {
            report(
                Level::Error,
                &format!("it may have happened, look before you repeat it: {reason}"),
            );
            tally.unknown += 1;
            return;
        }
    };
    tally.done += 1;
    if let Err(error) = host.complete(&task, &filed_as(&summary, &receipt)) {
        // The effect is in the journal: the next run finds it done and files the task.
        report(
            Level::Error,
            &format!(
                "done, but its task is not filed yet: {}",
                Error::from(error)
            ),
        );
        tally.unfiled += 1;
    }
}

fn filed_as(summary: &str, receipt: &Receipt) -> String {
    let reference = one_line(&receipt.reference, 200);
    if reference.is_empty() {
        summary.to_owned()
    } else {
        format!("{summary} ({reference})")
    }
}

impl Tally {
    fn line(&self) -> String {
        let parts = [
            (self.done, "done"),
            (self.postponed, "postponed"),
            (self.refused, "refused"),
            (self.unknown, "with an unknown outcome"),
            (self.unfiled, "not filed yet"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        one_line(&format!("{}; last: {}", parts.join(", "), self.last), 400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::tasks;
    use platinum_sdk::testing::{TestApproval, TestHost};

    fn approved(number: u32) -> TestApproval {
        TestApproval {
            kind: "email-send".into(),
            draft: format!("draft_{number}"),
            task: format!("task_{number}"),
            summary: format!("Answer {number}"),
        }
    }

    fn host(count: u32) -> TestHost {
        let host = TestHost::default();
        host.approvals
            .borrow_mut()
            .extend((1..=count).map(approved));
        host
    }

    fn execute(host: &TestHost) -> Result<Outcome, Error> {
        run(
            host,
            &Invocation {
                event: "approval.granted".into(),
                task: None,
                message: None,
            },
        )
    }

    #[test]
    fn an_empty_queue_is_nothing_to_do() {
        assert_eq!(execute(&host(0)), Ok(Outcome::Nothing));
    }

    #[test]
    fn each_approved_mail_is_sent_and_its_task_is_filed() {
        let host = host(2);
        assert!(matches!(execute(&host), Ok(Outcome::Done(line)) if line.starts_with("2 done;")));
        assert_eq!(*host.sent.borrow(), [approved(1), approved(2)]);
        let filed: Vec<_> = host
            .completed
            .borrow()
            .iter()
            .map(|(task, _)| task.clone())
            .collect();
        assert_eq!(filed, ["task_1", "task_2"]);
        assert_eq!(host.completed.borrow()[0].1, "Answer 1 (draft_1@test)");
    }

    #[test]
    fn a_kind_without_an_effect_stays_in_the_queue() {
        let host = TestHost::default();
        let payment = TestApproval {
            kind: "payment".into(),
            ..approved(1)
        };
        host.approvals.borrow_mut().push_back(payment);
        assert_eq!(execute(&host), Ok(Outcome::Nothing));
        assert_eq!(host.approvals.borrow().len(), 1);
    }

    #[test]
    fn what_was_done_before_is_filed_and_not_counted_as_failed() {
        let host = host(1);
        let receipt = Receipt {
            at: "yesterday".into(),
            reference: "a@b".into(),
            answer: "ok".into(),
        };
        host.answers
            .borrow_mut()
            .push_back(Err(EffectError::AlreadyDone(receipt)));
        assert!(matches!(execute(&host), Ok(Outcome::Done(_))));
        assert_eq!(host.completed.borrow()[0].1, "Answer 1 (a@b)");
    }

    #[test]
    fn a_postponed_mail_does_not_hold_up_the_next() {
        let host = host(2);
        host.answers
            .borrow_mut()
            .push_back(Err(EffectError::Postponed("away".into())));
        let outcome = execute(&host);
        assert!(
            matches!(outcome, Ok(Outcome::Done(line)) if line.starts_with("1 done, 1 postponed"))
        );
        assert_eq!(host.completed.borrow().len(), 1);
    }

    #[test]
    fn a_run_that_could_only_wait_is_tried_again_and_ends() {
        let host = host(1);
        // The host hands a postponed action out again.
        host.approvals.borrow_mut().push_back(approved(1));
        host.answers
            .borrow_mut()
            .push_back(Err(EffectError::Postponed("away".into())));
        assert!(matches!(execute(&host), Err(Error::Unavailable(text)) if text.contains("away")));
        assert_eq!(host.sent.borrow().len(), 1);
    }

    #[test]
    fn a_refused_or_unknown_end_is_reported_and_files_nothing() {
        for end in [
            EffectError::Refused("no".into()),
            EffectError::OutcomeUnknown("cut".into()),
        ] {
            let host = host(1);
            host.answers.borrow_mut().push_back(Err(end));
            assert!(matches!(execute(&host), Ok(Outcome::Done(_))));
            assert!(host.completed.borrow().is_empty());
            assert!(
                host.lines
                    .borrow()
                    .iter()
                    .any(|(level, _)| *level == Level::Error)
            );
        }
    }

    #[test]
    fn a_task_that_cannot_be_filed_is_told_and_the_run_goes_on() {
        let away = tasks::types::Error::Unavailable("no remote".into());
        let host = TestHost {
            finish_error: Some(away),
            ..host(2)
        };
        assert!(
            matches!(execute(&host), Ok(Outcome::Done(line)) if line.contains("2 not filed yet"))
        );
        assert_eq!(host.sent.borrow().len(), 2);
    }

    #[test]
    fn one_run_does_at_most_fifty() {
        let host = host(60);
        assert!(execute(&host).is_ok());
        assert_eq!(host.sent.borrow().len(), MAX_ACTIONS);
    }
}
