//! One approved action after the other: effect first, then its task is finished.
//!
//! Lives elsewhere: that an effect happens at most once is the host's care (the approval is used
//! up, the journal remembers).
//! Invariants: an action whose end is unknown is never tried again here, and its task stays open.

use std::collections::BTreeSet;

use platinum_sdk::actions::types::{EffectError, Receipt};
use platinum_sdk::host::{
    Approval, FinishTasks, Log, PostOdoo, PublishSocial, SendEmail, SendWhatsapp,
};
use platinum_sdk::skill::log::Level;
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Invocation, Outcome};

/// The kind of a mail.
const MAIL: &str = "email-send";
/// The kind of a post on a social network.
const POST: &str = "social-publish";
/// The kind of a chat message.
const MESSAGE: &str = "whatsapp-send";
/// The kinds this skill has an effect for. The host hands out those that it carries out.
const KINDS: [&str; 5] = [MAIL, POST, MESSAGE, "odoo-post", "odoo-payment"];

/// At most this many actions in one run.
const MAX_ACTIONS: usize = 50;

/// The counts of a run.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    postponed: usize,
    refused: usize,
    unknown: usize,
    unfinished: usize,
    last: String,
}

/// Does what is approved and finishes the tasks; `done` with the numbers, `nothing` if nothing was
/// approved.
///
/// # Errors
/// `unavailable` if all that could be done was to wait; the host runs the skill again later.
pub fn run(
    host: &(impl Log + SendEmail + PublishSocial + SendWhatsapp + PostOdoo + FinishTasks),
    _: &Invocation,
) -> Result<Outcome, Error> {
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

/// Does one action, and finishes its task if it is done.
fn act<H: Log + SendEmail + PublishSocial + SendWhatsapp + PostOdoo + FinishTasks>(
    host: &H,
    approved: H::Approved,
    tally: &mut Tally,
) {
    let (draft, task) = (approved.draft(), approved.task());
    let summary = one_line(&approved.summary(), 160);
    let mut report = |level: Level, what: &str| {
        tally.last = one_line(&format!("{summary}: {what}"), 300);
        host.line(level, &format!("{draft} of {task}: {}", tally.last));
    };
    let (done, ended) = match approved.kind().as_str() {
        MAIL => ("sent", host.send(approved)),
        POST => ("published", host.publish(approved)),
        MESSAGE => ("sent", host.send_message(approved)),
        _ => ("done", host.post(approved)),
    };
    let receipt = match ended {
        Ok(receipt) => {
            report(Level::Info, &format!("{done}, {}", receipt.answer));
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
    if let Err(error) = host.complete(&task, &finished_as(&summary, &receipt)) {
        // The effect is in the journal: the next run finds it done and finishes the task.
        report(
            Level::Error,
            &format!(
                "done, but its task is not finished yet: {}",
                Error::from(error)
            ),
        );
        tally.unfinished += 1;
    }
}

fn finished_as(summary: &str, receipt: &Receipt) -> String {
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
            (self.unfinished, "not finished yet"),
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

    /// An empty queue is nothing to do.
    #[test]
    fn run_empty_queue_is_nothing() {
        assert_eq!(execute(&host(0)), Ok(Outcome::Nothing));
    }

    /// Each approved mail is sent and its task is finished.
    #[test]
    fn run_sends_each_mail_and_finishes_its_task() {
        let host = host(2);
        assert!(matches!(execute(&host), Ok(Outcome::Done(line)) if line.starts_with("2 done;")));
        assert_eq!(*host.sent.borrow(), [approved(1), approved(2)]);
        let finished: Vec<_> = host
            .completed
            .borrow()
            .iter()
            .map(|(task, _)| task.clone())
            .collect();
        assert_eq!(finished, ["task_1", "task_2"]);
        assert_eq!(host.completed.borrow()[0].1, "Answer 1 (draft_1@test)");
    }

    /// Documents and payments go to Odoo, posts to their network, a chat message to WhatsApp, mails to none of them;
    /// each finishes its task.
    #[test]
    fn run_hands_each_kind_to_its_effect() {
        let host = host(1);
        let of_kind = |number, kind: &str| TestApproval {
            kind: kind.into(),
            ..approved(number)
        };
        let books = [of_kind(2, "odoo-post"), of_kind(3, "odoo-payment")];
        host.approvals.borrow_mut().extend(books.clone());
        let post = of_kind(4, "social-publish");
        host.approvals.borrow_mut().push_back(post.clone());
        let message = of_kind(5, "whatsapp-send");
        host.approvals.borrow_mut().push_back(message.clone());
        assert!(matches!(execute(&host), Ok(Outcome::Done(line)) if line.starts_with("5 done;")));
        assert_eq!(*host.social.published.borrow(), [post]);
        assert_eq!(*host.whatsapp.sent.borrow(), [message]);
        let completed: Vec<String> = host
            .completed
            .borrow()
            .iter()
            .map(|(_, end)| end.clone())
            .collect();
        assert_eq!(
            completed[3..],
            ["Answer 4 (post/draft_4)", "Answer 5 (wamid.draft_5)"]
        );
        assert_eq!(*host.sent.borrow(), [approved(1)]);
        assert_eq!(*host.posted.borrow(), books);
        assert_eq!(host.completed.borrow()[1].1, "Answer 2 (INV/draft_2)");
    }

    /// A kind without an effect stays in the queue.
    #[test]
    fn run_kind_without_an_effect_stays_queued() {
        let host = TestHost::default();
        let payment = TestApproval {
            kind: "payment".into(),
            ..approved(1)
        };
        host.approvals.borrow_mut().push_back(payment);
        assert_eq!(execute(&host), Ok(Outcome::Nothing));
        assert_eq!(host.approvals.borrow().len(), 1);
    }

    /// What was done before is finished and not counted as failed.
    #[test]
    fn run_already_done_finishes_the_task() {
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

    /// A postponed mail does not hold up the next.
    #[test]
    fn run_postponed_mail_does_not_stop_the_next() {
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

    /// A run that could only wait is tried again and ends.
    #[test]
    fn run_with_only_postponed_is_unavailable() {
        let host = host(1);
        // The host hands a postponed action out again.
        host.approvals.borrow_mut().push_back(approved(1));
        host.answers
            .borrow_mut()
            .push_back(Err(EffectError::Postponed("away".into())));
        assert!(matches!(execute(&host), Err(Error::Unavailable(text)) if text.contains("away")));
        assert_eq!(host.sent.borrow().len(), 1);
    }

    /// A refused or unknown end is reported and finishes nothing.
    #[test]
    fn run_refused_or_unknown_end_finishes_nothing() {
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

    /// A task that cannot be finished is reported and the run goes on.
    #[test]
    fn run_unfinished_task_is_reported() {
        let away = tasks::types::Error::Unavailable("no remote".into());
        let host = TestHost {
            finish_error: Some(away),
            ..host(2)
        };
        assert!(
            matches!(execute(&host), Ok(Outcome::Done(line)) if line.contains("2 not finished yet"))
        );
        assert_eq!(host.sent.borrow().len(), 2);
    }

    /// One run does at most fifty.
    #[test]
    fn run_does_at_most_fifty_actions() {
        let host = host(60);
        assert!(execute(&host).is_ok());
        assert_eq!(host.sent.borrow().len(), MAX_ACTIONS);
    }
}
