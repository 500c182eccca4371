//! One update out of the message of the invocation.
//!
//! Invariants: the text is passed on as one bounded line and never obeyed.

use platinum_sdk::host::PublishUpdates;
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Invocation, Outcome};

/// The longest headline, in characters.
const MAX_CHARS: usize = 300;

/// Publishes the invocation's message as an update; `done` with its id.
///
/// # Errors
/// If there is no message, or the update cannot be written.
pub fn run(host: &impl PublishUpdates, invocation: &Invocation) -> Result<Outcome, Error> {
    let headline = one_line(invocation.message.as_deref().unwrap_or_default(), MAX_CHARS);
    if headline.is_empty() {
        return Err(Error::Invalid("cloud-write-update needs a message".into()));
    }
    let id = host.publish(invocation.task.as_deref(), &headline)?;
    Ok(Outcome::Done(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::testing::TestHost;

    fn publish(message: Option<&str>) -> (TestHost, Result<Outcome, Error>) {
        let host = TestHost::default();
        let invocation = Invocation {
            event: "draft.created".into(),
            task: Some("task_1".into()),
            message: message.map(Into::into),
        };
        let outcome = run(&host, &invocation);
        (host, outcome)
    }

    #[test]
    fn message_becomes_one_line_about_the_task() {
        let (host, outcome) = publish(Some("Drafted an answer\nto Ada"));
        assert!(matches!(outcome, Ok(Outcome::Done(id)) if id.starts_with("update_")));
        let expected = (
            Some("task_1".to_owned()),
            "Drafted an answer to Ada".to_owned(),
        );
        assert_eq!(*host.published.borrow(), [expected]);
    }

    #[test]
    fn message_too_long_is_cut() {
        let (host, _) = publish(Some(&"word ".repeat(1_000)));
        assert!(host.published.borrow()[0].1.chars().count() <= MAX_CHARS);
    }

    #[test]
    fn message_missing_or_empty_is_invalid() {
        assert!(matches!(publish(None).1, Err(Error::Invalid(_))));
        assert!(matches!(publish(Some(" \n")).1, Err(Error::Invalid(_))));
    }
}
