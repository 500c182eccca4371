//! A draft that somebody saved in Odoo and that waits there: it is proposed as it is.
//!
//! Invariant: nothing of it is changed; what is wrong with it is a doubt.

use platinum_sdk::host::{ProposeOdoo, ReadOdoo};
use platinum_sdk::odoo::read::DocumentQuery;
use platinum_sdk::odoo::types::{Document, Error as OdooError};
use platinum_sdk::tasks::types::Task;
use platinum_sdk::{Error, Outcome};

use crate::proposal::{self, bounded};
use crate::question;

/// Proposes to post it.
///
/// # Errors
/// If Odoo cannot be asked.
pub fn propose(
    host: &(impl ReadOdoo + ProposeOdoo),
    task: &Task,
    id: u64,
) -> Result<Outcome, Error> {
    let document = match host.get_document(id) {
        Ok(document) => document,
        // It was deleted, or is of a company that is not drafted in.
        Err(OdooError::Refused(why)) => {
            return Ok(Outcome::Dismissed(question::no_waiting(id, &why)));
        }
        Err(error) => return Err(error.into()),
    };
    if document.state != "draft" {
        return Ok(Outcome::Dismissed(question::no_draft(&document)));
    }
    let mut doubts = document.inconsistencies.clone();
    doubts.extend(same_number(host, &document)?);
    let reason = "It was saved in Odoo, not by Platinum, and waits there.";
    proposal::propose(host, task, &document, reason.into(), bounded(doubts))
}

/// Another document of the same partner with the same number.
fn same_number(host: &impl ReadOdoo, document: &Document) -> Result<Option<String>, OdooError> {
    let Some(reference) = document.reference.clone() else {
        return Ok(None);
    };
    if !reference.contains(char::is_alphanumeric) {
        return Ok(None);
    }
    let found = host.documents(&DocumentQuery {
        kinds: vec![document.kind.clone()],
        partners: Vec::new(),
        number: None,
        reference: Some(reference),
        date: None,
        total: None,
    })?;
    let partner = document.partner.as_ref().map(|partner| partner.id);
    let mut others = found.rows.iter();
    let other = others.find(|row| row.id != document.id && Some(row.partner.id) == partner);
    Ok(other.map(|row| {
        format!(
            "Odoo has another {} of this partner with this number: {} ({}).",
            document.kind.replace('-', " "),
            row.number.as_deref().unwrap_or("a draft"),
            row.id
        )
    }))
}

#[cfg(test)]
mod tests {
    use platinum_sdk::testing::TestHost;

    use super::*;
    use crate::run::tests::{bill_host, document};

    fn waiting(change: impl FnOnce(&mut Document)) -> TestHost {
        let host = bill_host("");
        let mut draft = Document {
            reference: Some("R-1".into()),
            ..document(7, "vendor-bill", None, "119.00")
        };
        change(&mut draft);
        host.odoo.documents.borrow_mut().push(draft);
        host
    }

    #[test]
    fn propose_takes_a_waiting_draft_as_it_is() {
        let host = waiting(|it| it.inconsistencies = vec!["It does not add up.".into()]);
        let posted = Document {
            state: "posted".into(),
            reference: Some("r1".into()),
            ..document(6, "vendor-bill", Some("BILL/6"), "5.00")
        };
        host.odoo.documents.borrow_mut().push(posted);
        assert!(matches!(
            propose(&host, &host.tasks[0], 7),
            Ok(Outcome::Drafted(_))
        ));
        let (proposal, posting) = host.odoo.postings.borrow()[0].clone();
        assert_eq!(
            proposal.summary,
            "Post vendor bill R-1 of Acme: 119.00 EUR, due 2026-11-15"
        );
        assert_eq!(
            posting.doubts,
            [
                "It does not add up.",
                "Odoo has another vendor bill of this partner with this number: BILL/6 (6).",
            ]
        );
        assert!(host.odoo.created.borrow().is_empty());
    }

    #[test]
    fn propose_what_waits_no_more_ends_in_words() {
        let host = waiting(|it| it.state = "posted".into());
        let ended = propose(&host, &host.tasks[0], 7).unwrap();
        assert_eq!(
            ended,
            Outcome::Dismissed(
                "vendor bill R-1 is no draft any more, it is posted: https://odoo.test/web#id=7"
                    .into()
            )
        );
        let mut host = waiting(|_| {});
        host.odoo.read_error = Some(OdooError::Refused("there is no document 9".into()));
        let ended = propose(&host, &host.tasks[0], 9).unwrap();
        assert_eq!(
            ended,
            Outcome::Dismissed(
                "The draft 9 that waited in Odoo cannot be read any more: there is no document 9"
                    .into()
            )
        );
    }
}
