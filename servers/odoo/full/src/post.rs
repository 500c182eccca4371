//! `post_invoice`: posting the document that was approved, and no other.
//!
//! Posting a posted document is refused by Odoo, and its content is compared with what was approved: so a call may be
//! repeated after any answer, and after none.

use platinum_odoo_client::document::check::{consequence, inconsistencies};
use platinum_odoo_client::document::compare::{differences, differences_of_content};
use platinum_odoo_client::document::read::MOVE;
use platinum_odoo_client::{Call, Document, OdooError};
use platinum_odoo_draft::ServiceError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acting::{ActingService, NotDone, Outcome, list};

/// What to post.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostArguments {
    /// The document that was approved, as `get_document` answered it then.
    pub approved: Document,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostAnswer {
    /// What became of it.
    pub outcome: Outcome,
    /// With `not_done`: whether the same call may succeed later.
    pub retry: bool,
    /// With `not_done`: whether that is because the document is not what was approved.
    pub differs: bool,
    /// What happened, or went wrong.
    pub answer: String,
    /// The document as it is now, where it could be read.
    pub document: Option<Document>,
}

/// What is left to do.
enum Step {
    Post,
    Nothing,
}

impl ActingService {
    /// Posts a document: at most one attempt.
    ///
    /// # Errors
    /// If the document cannot be read at first: nothing was tried, and what an earlier call did is not known.
    pub async fn post(&self, arguments: &PostArguments) -> Result<PostAnswer, ServiceError> {
        let _turn = self.turn.lock().await;
        let approved = &arguments.approved;
        let now = match self.odoo.read_document(approved.id).await {
            Ok(now) => now,
            Err(error @ ServiceError::NoDocument(_)) => {
                return Ok(not_done(NotDone::failed(&error), None));
            }
            // An earlier call may have posted it: that is not told by an answer.
            Err(error) => return Err(error),
        };
        match decide(approved, &now) {
            Err(why) => {
                tracing::warn!(id = approved.id, answer = why.answer, "not posted");
                return Ok(not_done(why, Some(now)));
            }
            Ok(Step::Nothing) => {
                let answer = format!("{} was posted before", now.title());
                return Ok(done(answer, now));
            }
            Ok(Step::Post) => {}
        }
        if let Err(why) = self.check_duplicates(&now).await {
            tracing::warn!(id = approved.id, answer = why.answer, "not posted");
            return Ok(not_done(why, Some(now)));
        }
        let call = Call::new(MOVE, "action_post")
            .on(&[approved.id])
            .of_company(approved.company.id);
        let called = self.odoo.odoo.call(&call).await;
        Ok(self.result(approved, called.err()).await)
    }

    /// Two agents that drafted at the same moment may have saved two drafts of one operation, and each have seen but
    /// its own. One of them is posted at most: that of the lower number, unless the other one is already.
    async fn check_duplicates(&self, now: &Document) -> Result<(), NotDone> {
        let Some(operation) = &now.operation else {
            return Ok(());
        };
        let found = self.odoo.find_documents(operation, now.kind).await;
        let found = found.map_err(|error| NotDone::failed(&error.into()))?;
        let mut others = found.iter().filter(|(id, state)| {
            *id != now.id && (state == "posted" || state == "draft" && *id < now.id)
        });
        match others.next() {
            None => Ok(()),
            Some((id, state)) => Err(NotDone::refused(format!(
                "{} is a second document of {operation}: {id} is one, too, and {state}; delete one of them in Odoo",
                now.title()
            ))),
        }
    }

    /// What came of an attempt: by how the document is now.
    async fn result(&self, approved: &Document, failure: Option<OdooError>) -> PostAnswer {
        let now = match self.odoo.read_document(approved.id).await {
            Ok(now) if now.is_posted() => return posted(approved, now),
            now => now,
        };
        let (outcome, retry, answer) = match (failure, &now) {
            (Some(failure), now) if failure.is_certain() => {
                let retry = now.is_err() || failure.is_passing();
                (Outcome::NotDone, retry, failure.to_string())
            }
            // It may still be at it.
            (Some(failure), _) => (Outcome::Unknown, false, failure.to_string()),
            (None, Err(error)) => {
                let answer = format!("Odoo posted it; reading it afterwards failed: {error}");
                (Outcome::Done, false, answer)
            }
            (None, Ok(now)) => {
                let answer = format!("Odoo took the call, and the document is {}", now.state);
                (Outcome::NotDone, false, answer)
            }
        };
        PostAnswer {
            outcome,
            retry,
            differs: false,
            answer,
            document: now.ok(),
        }
    }
}

/// The answer about a document that is posted now.
fn posted(approved: &Document, now: Document) -> PostAnswer {
    let mut answer = format!("{} is posted", now.title());
    // Such as another day, since the period of the first one is closed.
    let changed = differences_of_content(approved, &now);
    if !changed.is_empty() {
        answer = format!("{answer}, and Odoo changed it: {}", list(&changed));
    } else if now.date != approved.date {
        let day = now.date.as_deref().unwrap_or("no day");
        answer = format!("{answer}; Odoo booked it at {day}");
    }
    tracing::info!(id = now.id, answer, "posted");
    done(answer, now)
}

/// Whether the document as it is now may be posted, or was.
fn decide(approved: &Document, now: &Document) -> Result<Step, NotDone> {
    let title = now.title();
    if !approved.is_draft() {
        let problem = format!("what was approved is no draft, it is {}", approved.state);
        return Err(NotDone::refused(problem));
    }
    match now.state.as_str() {
        "draft" => {}
        "posted" => {
            let changed = differences_of_content(approved, now);
            if changed.is_empty() {
                return Ok(Step::Nothing);
            }
            return Err(NotDone::drift(format!(
                "{title} was posted by somebody, and is not what was approved: {}",
                list(&changed)
            )));
        }
        state => return Err(NotDone::refused(format!("{title} is in the state {state}"))),
    }
    let changed = differences(approved, now);
    if !changed.is_empty() {
        return Err(NotDone::drift(format!(
            "{title} is not what was approved: {}",
            list(&changed)
        )));
    }
    let wrong = inconsistencies(now);
    if !wrong.is_empty() {
        return Err(NotDone::drift(format!(
            "{title} does not show what it books: {}",
            wrong.join("; ")
        )));
    }
    if let Some(consequence) = consequence(now) {
        return Err(NotDone::refused(format!("{title} {consequence}")));
    }
    Ok(Step::Post)
}

fn done(answer: String, document: Document) -> PostAnswer {
    PostAnswer {
        outcome: Outcome::Done,
        retry: false,
        differs: false,
        answer,
        document: Some(document),
    }
}

fn not_done(why: NotDone, document: Option<Document>) -> PostAnswer {
    PostAnswer {
        outcome: Outcome::NotDone,
        retry: why.retry,
        differs: why.differs,
        answer: why.answer,
        document,
    }
}
