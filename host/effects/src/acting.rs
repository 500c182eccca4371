//! [`ActingServer`]: a server with tools that act, as the effects of its zone ask it.
//!
//! A tool that acts answers an outcome, `done`, `not_done` or `unknown`, with `answer` in words; `retry` says whether a
//! later try may help, `differs` that what would leave is not what was approved.
//! Lives elsewhere: the mail server's own form is in `email/sender.rs`.
//! Invariant: an answer to what acts that is not understood, or that is lost, is [`Outcome::Unknown`].

use platinum_core::text::one_line;
use platinum_journal::Outcome;
use platinum_mcp::{CallError, Session};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{NotDone, done};

/// Why something was not answered. Nothing was changed by asking.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct AskError {
    /// In words, one line.
    pub reason: String,
    /// Whether asking again later will not help.
    pub is_final: bool,
}

impl From<AskError> for NotDone {
    fn from(error: AskError) -> Self {
        Self::new(error.reason, !error.is_final)
    }
}

/// What is there: none, if there is no such thing.
///
/// # Errors
/// Why that is not known now.
pub(crate) fn if_there<T>(asked: Result<T, AskError>) -> Result<Option<T>, String> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_final => Ok(None),
        Err(error) => Err(error.reason),
    }
}

/// A server with tools that act.
pub(crate) struct ActingServer {
    session: Session,
    /// What its owner calls it: `the Odoo server`.
    name: &'static str,
    /// Whether no later try ends what a tool reports in these words.
    is_final: fn(&str) -> bool,
}

impl ActingServer {
    pub(crate) fn new(session: Session, name: &'static str, is_final: fn(&str) -> bool) -> Self {
        Self {
            session,
            name,
            is_final,
        }
    }

    /// What a tool answers that reads.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        tool: &str,
        question: Value,
    ) -> Result<T, AskError> {
        let called = self.session.call(tool, question).await;
        answer_of(self.name, self.is_final, called)
    }

    /// What became of a call of a tool that acts.
    ///
    /// # Errors
    /// Why nothing happened.
    pub(crate) async fn act(&self, tool: &str, arguments: Value) -> Result<Outcome, NotDone> {
        outcome_of(self.name, self.session.call(tool, arguments).await)
    }
}

fn answer_of<T: DeserializeOwned>(
    server: &str,
    is_final: fn(&str) -> bool,
    called: Result<Value, CallError>,
) -> Result<T, AskError> {
    let (reason, is_final) = match called {
        Ok(answer) => match serde_json::from_value(answer) {
            Ok(answer) => return Ok(answer),
            Err(error) => (not_agreed(server, &error), false),
        },
        Err(error) => {
            let is_final = matches!(&error, CallError::Tool(words) if is_final(words));
            (error.into_words(), is_final)
        }
    };
    Err(AskError {
        reason: one_line(&reason, 500),
        is_final,
    })
}

fn not_agreed(server: &str, error: &serde_json::Error) -> String {
    let error = one_line(&error.to_string(), 200);
    format!("{server}'s answer is not of the agreed form: {error}")
}

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

fn outcome_of(server: &str, called: Result<Value, CallError>) -> Result<Outcome, NotDone> {
    let answer = match called {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let answer: ActingAnswer = match serde_json::from_value(answer) {
        Ok(answer) => answer,
        Err(error) => {
            let reason = not_agreed(server, &error);
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
    fn failed_reading_is_final_by_the_servers_words_alone() {
        let read = |called| {
            let is_final = |words: &str| words.starts_with("there is no");
            answer_of::<u64>("the server", is_final, called)
        };
        let gone = "there is no\ndocument 7";
        let failed = |error| read(Err(error)).unwrap_err();
        let error = failed(CallError::Tool(gone.into()));
        assert_eq!(
            (&*error.reason, error.is_final),
            ("there is no document 7", true)
        );
        for error in [
            CallError::Tool("cannot be reached".into()),
            CallError::Lost(gone.into()),
            CallError::NotStarted("x".into()),
        ] {
            assert!(!failed(error.clone()).is_final, "{error:?}");
        }
        let odd = read(Ok(json!({"payment": 1}))).unwrap_err();
        let begin = "the server's answer is not of the agreed form: ";
        assert!(odd.reason.starts_with(begin) && !odd.is_final, "{odd}");
        assert_eq!(read(Ok(json!(7))), Ok(7));
    }

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
