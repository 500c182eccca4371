//! One update out of what the skill before this one said.
//!
//! Invariants: the text is passed on as one bounded line and never obeyed.

use platinum_sdk::host::PublishUpdates;
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Invocation, Outcome};

/// The longest headline, in characters.
const MAX_CHARS: usize = 300;

/// Publishes `about` as an update; `done` with its id.
///
/// # Errors
/// If there is nothing to tell, or the update cannot be written.
pub fn run(host: &impl PublishUpdates, invocation: &Invocation) -> Result<Outcome, Error> {
    let headline = one_line(invocation.about.as_deref().unwrap_or_default(), MAX_CHARS);
    if headline.is_empty() {
        return Err(Error::Invalid(
            "cloud-write-update needs a line to tell".into(),
        ));
    }
    let id = host.publish(invocation.task.as_deref(), &headline)?;
    Ok(Outcome::Done(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::Trigger;
    use platinum_sdk::doubles::TestHost;

    fn tell(about: Option<&str>) -> (TestHost, Result<Outcome, Error>) {
        let host = TestHost::default();
        let invocation = Invocation {
            trigger: Trigger::Work,
            task: Some("task_1".into()),
            about: about.map(Into::into),
        };
        let outcome = run(&host, &invocation);
        (host, outcome)
    }

    #[test]
    fn what_went_before_becomes_one_line_about_the_task() {
        let (host, outcome) = tell(Some("Drafted an answer\nto Ada"));
        assert!(matches!(outcome, Ok(Outcome::Done(id)) if id.starts_with("update_")));
        let expected = (
            Some("task_1".to_owned()),
            "Drafted an answer to Ada".to_owned(),
        );
        assert_eq!(*host.published.borrow(), [expected]);
    }

    #[test]
    fn a_long_line_is_cut() {
        let (host, _) = tell(Some(&"word ".repeat(1_000)));
        assert!(host.published.borrow()[0].1.chars().count() <= MAX_CHARS);
    }

    #[test]
    fn nothing_to_tell_is_invalid() {
        assert!(matches!(tell(None).1, Err(Error::Invalid(_))));
        assert!(matches!(tell(Some(" \n")).1, Err(Error::Invalid(_))));
    }
}
