//! [`outcome_of`]: what a tool that acts answers, for every server that has such tools.
//!
//! A tool that acts answers an outcome, `done`, `not_done` or `unknown`, with `answer` in words; `retry` says whether a
//! later try may help, `differs` that what would leave is not what was approved.
//! Lives elsewhere: the mail server's own form is in `email/sender.rs`.
//! Invariant: an answer that is not understood, or that is lost, is [`Outcome::Unknown`].

use platinum_core::text::one_line;
use platinum_journal::Outcome;
use platinum_mcp::CallError;
use serde::Deserialize;
use serde_json::Value;

use crate::{NotDone, done};

/// The answer of a tool that acts.
#[derive(Deserialize)]
struct ActingAnswer {
    outcome: String,
    #[serde(default)]
    retry: bool,
    #[serde(default)]
    differs: bool,
    #[serde(default)]
    answer: String,
}

/// What became of a call of a tool that acts. `server` is what its owner calls the server: `the Odoo server`.
///
/// # Errors
/// Why nothing happened.
pub(crate) fn outcome_of(
    server: &str,
    called: Result<Value, CallError>,
) -> Result<Outcome, NotDone> {
    let answer = match called {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let answer: ActingAnswer = match serde_json::from_value(answer) {
        Ok(answer) => answer,
        Err(error) => {
            let error = one_line(&error.to_string(), 200);
            let reason = format!("{server}'s answer is not of the agreed form: {error}");
            return Ok(Outcome::Unknown { reason });
        }
    };
    let words = one_line(&answer.answer, 450);
    match answer.outcome.as_str() {
        "done" => Ok(done(words)),
        "not_done" if answer.differs => Err(NotDone::differs(words, None)),
        "not_done" => Err(NotDone::new(words, answer.retry)),
        "unknown" => Ok(Outcome::Unknown { reason: words }),
        other => Ok(Outcome::Unknown {
            reason: format!(
                "{server} answered an outcome that is none: {}",
                one_line(other, 40)
            ),
        }),
    }
}

/// What a failed call that acts means.
fn failed(error: &CallError) -> Result<Outcome, NotDone> {
    let reason = one_line(&error.to_string(), 500);
    match error {
        // An attempt is answered by an outcome, never by an error: this call tried nothing. What an earlier one did
        // is asked before the next.
        CallError::NotStarted(_) | CallError::Tool(_) => Err(NotDone::new(reason, true)),
        // The tool's arguments or name are not known there: the same next time.
        _ if error.certainly_not_run() => Err(NotDone::new(reason, false)),
        _ => Ok(Outcome::Unknown { reason }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Recovery;

    #[test]
    fn answer_of_an_attempt_counts_only_in_the_agreed_form() {
        let answer = |outcome: &str, retry: bool, differs: bool| {
            outcome_of(
                "the server",
                Ok(
                    json!({"outcome": outcome, "retry": retry, "differs": differs,
                "answer": "bill 1\nis so", "document": null}),
                ),
            )
        };
        assert_eq!(answer("done", false, false), Ok(done("bill 1 is so")));
        // A payment that is there, and is another one than was approved, is there.
        assert_eq!(answer("done", false, true), Ok(done("bill 1 is so")));
        for (retry, differs, recovery) in [
            (true, false, Recovery::Retry),
            (false, false, Recovery::None),
            (false, true, Recovery::Approval),
        ] {
            let not_done = answer("not_done", retry, differs).unwrap_err();
            assert_eq!(
                (&*not_done.reason, not_done.recovery),
                ("bill 1 is so", recovery)
            );
        }
        for odd in [
            json!({"outcome": "unknown", "answer": "lost"}),
            json!({"outcome": "posted"}),
            json!({"outcome": 1}),
            json!({"ok": true}),
            json!("done"),
        ] {
            assert!(matches!(
                outcome_of("the server", Ok(odd)),
                Ok(Outcome::Unknown { .. })
            ));
        }
    }

    #[test]
    fn failed_attempt_is_unknown_if_it_may_have_run() {
        let protocol = |code| CallError::Protocol {
            text: "x".into(),
            code,
        };
        for (error, recovery) in [
            (CallError::NotStarted("x".into()), Recovery::Retry),
            (CallError::Tool("cannot reach Odoo".into()), Recovery::Retry),
            (protocol(Some(-32602)), Recovery::None),
        ] {
            assert_eq!(
                outcome_of("the server", Err(error)).unwrap_err().recovery,
                recovery
            );
        }
        for error in [
            CallError::Lost("x".into()),
            protocol(None),
            protocol(Some(-32603)),
        ] {
            let outcome = outcome_of("the server", Err(error));
            assert!(
                matches!(outcome, Ok(Outcome::Unknown { .. })),
                "{outcome:?}"
            );
        }
    }
}
