//! From a task to a draft in Odoo and a note for its owner: read, place, find, look for it, draft, compare, propose.
//!
//! Invariants: nothing is posted or made besides one draft; what is missing ends in a question, what is doubtful in a
//! doubt at the top of the note; a second run of the same task finds the draft of the first.

use platinum_invoice::{Invoice, find_faults};
use platinum_sdk::host::{Context, DraftOdoo, Log, Model, ProposeOdoo, ReadOdoo, ReadTasks};
use platinum_sdk::odoo::draft::{NewDocument, Saved};
use platinum_sdk::odoo::types::Error as OdooError;
use platinum_sdk::skill::log::Level;
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Invocation, Outcome};

use crate::document::{self, Parts};
use crate::duplicate::{self, Finding};
use crate::partner::{self, NoMatch};
use crate::proposal::{self, bounded, of_saved};
use crate::reading::{self, Reading};
use crate::{payment, placement, question, sums, waiting};

/// `drafted` with the id of the note, or `dismissed` with a question, or with where the document is already.
///
/// # Errors
/// If the task is of another zone, or cannot be read, or Odoo, the model or the vault are away.
pub fn run(
    host: &(impl Context + Log + ReadTasks + ReadOdoo + DraftOdoo + Model + ProposeOdoo),
    invocation: &Invocation,
) -> Result<Outcome, Error> {
    let id = invocation
        .task
        .as_deref()
        .ok_or_else(|| Error::Invalid("cloud-odoo-draft needs a task".into()))?;
    let task = host.get(id)?;
    if task.zone != "accounting" {
        return Err(Error::Invalid(format!(
            "{id} is not of the zone accounting"
        )));
    }
    match reading::read(host, &task)? {
        Reading::Payment(note) => payment::propose(host, &task, &note),
        Reading::Waiting(document) => waiting::propose(host, &task, document),
        Reading::Unclear(question) => Ok(Outcome::Dismissed(question)),
        Reading::Invoice(invoice, doubts) => draft(host, &task, &invoice, doubts),
    }
}

/// Drafts a document and proposes to post it.
fn draft(
    host: &(impl Context + Log + ReadOdoo + DraftOdoo + ProposeOdoo),
    task: &Task,
    invoice: &Invoice,
    of_reading: Vec<String>,
) -> Result<Outcome, Error> {
    let ask = |question: String| Ok(Outcome::Dismissed(question));
    let companies = host.companies()?;
    let placement = match placement::place(&companies, invoice) {
        Ok(placement) => placement,
        Err(question) => return ask(question),
    };
    let company = placement.company;
    let found = match partner::find(host, company.id, placement.party, placement.is_sale) {
        Ok(found) => found,
        Err(NoMatch::Ask(question)) => return ask(question),
        Err(NoMatch::Odoo(error)) => return Err(error.into()),
    };
    let (journals, taxes) = (host.journals(company.id)?, host.taxes(company.id)?);
    let now = host.now();
    let parts = Parts {
        invoice,
        kind: placement.kind(invoice.kind),
        is_sale: placement.is_sale,
        company,
        partner: &found.partner,
        journals: &journals,
        taxes: &taxes,
        today: now.get(..10).unwrap_or_default(),
    };
    let (new, of_document) = match document::build(&parts) {
        Ok(built) => built,
        Err(question) => return ask(question),
    };
    let operation = host.operation(&new)?;
    let alike = match duplicate::find(host, invoice, &new, &found.commercial, &operation)? {
        Finding::Same(id, by) => return ask(question::duplicate(&host.get_document(id)?, by)),
        Finding::Other(doubts) => doubts,
    };
    let saved = create(host, &new)?;
    if saved.document.state != "draft" {
        return ask(question::duplicate(
            &saved.document,
            "its number and partner",
        ));
    }
    let doubts = [
        found.doubts,
        sums::differences(invoice, &saved.document),
        of_saved(&saved),
        alike,
        placement.doubts,
        of_document,
        of_reading,
        find_faults(invoice),
        invoice.notes.clone(),
    ];
    let doubts = bounded(doubts.concat());
    let reason = format!(
        "{} by its {}; {}.",
        one_line(&found.partner.name, 80),
        found.by,
        match doubts.len() {
            0 => "the sums are those of the document, and nothing is in doubt".to_owned(),
            1 => "there is one thing to look at first".to_owned(),
            count => format!("there are {count} things to look at first"),
        }
    );
    let reason = one_line(&format!("The partner is {reason}"), 500);
    let proposed = proposal::propose(host, task, &saved.document, reason, doubts);
    proposed.inspect_err(|_| {
        host.line(
            Level::Warn,
            &format!(
                "the draft is in Odoo and is not proposed: {}",
                saved.document.link
            ),
        );
    })
}

/// Creates the draft. One that Odoo saved otherwise than it was asked for is there all the same: the second call finds
/// it, and says what differs.
fn create(host: &impl DraftOdoo, new: &NewDocument) -> Result<Saved, OdooError> {
    match host.create(new) {
        Err(OdooError::Refused(first)) => {
            let again = host.create(new);
            again.map_err(|_| OdooError::Refused(first))
        }
        saved => saved,
    }
}

#[cfg(test)]
pub(crate) mod tests;
