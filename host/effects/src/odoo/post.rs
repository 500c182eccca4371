//! [`PostDocument`]: the effect that posts a document.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::{Action, ActionKind, Currency, Money, OdooPost};
use platinum_journal::Outcome;
use platinum_vault::note::DraftNote;

use super::{
    difference,
    server::{OdooDocument, OdooServer},
};
use crate::{Attempt, Effect, NotDone, Recovery, acting::if_there, done, executor::first_attempt};

/// How the name of an attempt begins; Odoo's number of the document follows.
const REFERENCE: &str = "document-";

/// Posts documents this way.
pub struct PostDocument {
    server: Arc<dyn OdooServer>,
}

impl PostDocument {
    /// The effect over a way to ask Odoo.
    pub fn new(server: Arc<dyn OdooServer>) -> Self {
        Self { server }
    }

    /// Odoo's number of the document, and the document as it is now, if it is the one that was approved and may be
    /// posted.
    async fn read(&self, attempt: &Attempt) -> Result<(u64, OdooDocument), NotDone> {
        let approved: OdooPost = attempt.outgoing.note.action.read()?;
        let now = self.server.document(approved.document).await?;
        judge(&approved, &now)?;
        Ok((approved.document, now))
    }

    /// What became of it, by how the document is now.
    async fn posted(&self, document: u64) -> Result<Option<(OdooDocument, String)>, String> {
        // What is posted cannot be deleted.
        let Some(now) = if_there(self.server.document(document).await)? else {
            return Ok(None);
        };
        let answer = format!("{} is posted", now.title());
        Ok((now.text("state") == "posted").then_some((now, answer)))
    }
}

#[async_trait]
impl Effect for PostDocument {
    fn kind(&self) -> ActionKind {
        ActionKind::ODOO_POST
    }

    /// Odoo posts a document once: its number is name enough.
    fn reference(&self, draft: &DraftNote) -> String {
        let document = draft.action.read::<OdooPost>();
        format!("{REFERENCE}{}", document.map_or(0, |post| post.document))
    }

    async fn prepare(&self, attempt: &Attempt) -> Result<(), NotDone> {
        self.read(attempt).await.map(drop)
    }

    async fn perform(&self, attempt: Attempt) -> Result<Outcome, NotDone> {
        let (document, now) = self.read(&attempt).await?;
        fail::fail_point!("odoo-document-read");
        let outcome = self.server.post(&now).await;
        fail::fail_point!("odoo-document-answered");
        match outcome {
            Ok(Outcome::Unknown { reason }) => match self.posted(document).await {
                Ok(Some((_, answer))) => Ok(done(answer)),
                _ => Ok(Outcome::Unknown { reason }),
            },
            // Between the two readings: what it is now is read, for its owner.
            Err(why) if why.recovery == Recovery::Approval => match self.read(&attempt).await {
                Err(renewed) if renewed.renewed.is_some() => Err(renewed),
                _ => Err(why),
            },
            outcome => outcome,
        }
    }

    async fn reconcile(
        &self,
        reference: &str,
        draft: Option<&DraftNote>,
    ) -> Result<Option<String>, String> {
        let number = reference.strip_prefix(REFERENCE).unwrap_or_default();
        let Ok(document) = first_attempt(number).parse() else {
            return Err(format!("`{reference}` names no document of Odoo's"));
        };
        let Some((now, answer)) = self.posted(document).await? else {
            return Ok(None);
        };
        let approved = draft.and_then(|draft| draft.action.read::<OdooPost>().ok());
        let total = approved
            .map(|post| post.total)
            .filter(|total| !is_total(*total, &now));
        Ok(Some(match total {
            Some(total) => format!(
                "{answer} in Odoo; its total is {} {}, and {total} was approved",
                now.currency(),
                now.text("total")
            ),
            None => format!("{answer} in Odoo"),
        }))
    }

    fn advice(&self) -> &'static str {
        "It is not posted in Odoo: if it stays so, nothing was."
    }
}

/// Whether a document is what was approved, and may be posted.
fn judge(approved: &OdooPost, now: &OdooDocument) -> Result<(), NotDone> {
    let title = now.title();
    match now.text("state") {
        "draft" => {}
        state => {
            let reason = format!("{title} is in the state {state}, and only a draft is posted");
            return Err(NotDone::new(reason, false));
        }
    }
    if !difference::is_same(&approved.shown, &now.shown) {
        let words = difference::in_words(&approved.shown, &now.shown);
        let reason = format!(
            "{title} is not what you approved: {words}; read it as it is now, then approve it again"
        );
        return Err(NotDone::differs(reason, Some(renewed(approved, now))));
    }
    if !is_total(approved.total, now) || due(now) != approved.due {
        let reason = format!(
            "its properties say {}{}, and {title} has {} {}{}; they are set right, approve it again",
            approved.total,
            due_words(approved.due),
            now.currency(),
            now.text("total"),
            due_words(due(now)),
        );
        return Err(NotDone::differs(reason, Some(renewed(approved, now))));
    }
    match now.obstacles.first() {
        None => Ok(()),
        Some(obstacle) => Err(NotDone::new(format!("{title} {obstacle}"), false)),
    }
}

fn is_total(approved: Money, now: &OdooDocument) -> bool {
    total(now) == Some(approved)
}

/// What a document comes to, if that can be read.
fn total(now: &OdooDocument) -> Option<Money> {
    let currency: Currency = now.currency().parse().ok()?;
    Money::from_decimal(now.text("total"), currency)
}

fn due(now: &OdooDocument) -> Option<jiff::civil::Date> {
    now.text("due_date").parse().ok()
}

fn due_words(due: Option<jiff::civil::Date>) -> String {
    due.map_or_else(String::new, |due| format!(", due {due}"))
}

/// What can be approved in the place of what was.
fn renewed(approved: &OdooPost, now: &OdooDocument) -> Action {
    Action::new(&OdooPost {
        document: approved.document,
        total: total(now).unwrap_or(approved.total),
        due: due(now),
        shown: now.shown.clone(),
    })
}
