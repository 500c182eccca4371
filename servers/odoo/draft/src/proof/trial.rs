//! The tries: the draft that they are about, one after the other, and what came of them in a sentence.

use platinum_odoo_client::document::read::{MOVE, OPERATION};
use platinum_odoo_client::value::created_id;
use platinum_odoo_client::{Call, Connection, OdooError};
use serde_json::json;

use super::ways::{Subjects, Way, ways};
use super::{FEWEST, ProofAnswer, TriedWay};
use crate::service::{OdooService, ServiceError};

/// The operation of the proof's draft.
const DRAFT: &str = "platinum-proof-of-rights";
/// What a person reads on it.
const REFERENCE: &str = "Platinum: proof that this user can only draft (empty, may be deleted)";
/// How many of the ways that were not refused a sentence names: what is to be done stands behind them.
const MAX_NAMED: usize = 4;
/// How to get a key that can only draft.
const REMEDY: &str = "make a key that can only draft, as deploy/odoo/README.md of Platinum says, and give this server \
                      that one";

/// Tries all ways, without a verdict.
pub(super) async fn try_all(service: &OdooService) -> Result<ProofAnswer, ServiceError> {
    let no_proof = |error: OdooError| ServiceError::NoProof(error.to_string());
    let subjects = find_subjects(&service.odoo).await?;
    let mut tried = Vec::new();
    for way in ways(&subjects) {
        tried.push(try_one(&service.odoo, &way).await.map_err(no_proof)?);
    }
    let text = summary(&tried, subjects.draft);
    let can_only_draft = tried.len() >= FEWEST && tried.iter().all(|way| way.refused);
    tracing::info!(
        can_only_draft,
        ways = tried.len(),
        "tried what the key can do"
    );
    Ok(ProofAnswer {
        can_only_draft,
        text,
        ways: tried,
        draft: subjects.draft,
        link: service.link(subjects.draft),
    })
}

/// Tries one way.
async fn try_one(odoo: &Connection, way: &Way) -> Result<TriedWay, OdooError> {
    let (refused, answer) = match odoo.call(&way.call).await {
        Err(OdooError::Right(words)) => (true, words),
        Ok(_) => match &way.undo {
            Some(undo) if odoo.call(undo).await.is_ok() => {
                (false, "it was done, and is taken back".to_owned())
            }
            _ => (false, format!("it was done; {}", way.rest)),
        },
        Err(
            error @ (OdooError::Unreachable { .. }
            | OdooError::Lost { .. }
            | OdooError::Login(_)
            | OdooError::Answer(_)
            | OdooError::Setup(_)),
        ) => return Err(error),
        // It had the right, and then failed: as these tries must.
        Err(error) => (false, format!("no right was missing, and then {error}")),
    };
    Ok(TriedWay {
        way: way.what.to_owned(),
        refused,
        answer,
    })
}

/// What the tries are about; makes the draft if it is not there yet.
async fn find_subjects(odoo: &Connection) -> Result<Subjects, ServiceError> {
    let no_proof = |error: OdooError| match error {
        OdooError::Right(words) => ServiceError::NoProof(format!(
            "this user cannot draft, or not read what that takes: {words}"
        )),
        error => ServiceError::NoProof(error.to_string()),
    };
    let user = find_user(odoo).await.map_err(no_proof)?;
    let (journal, company) = find_journal(odoo).await.map_err(no_proof)?;
    let draft = match find_draft(odoo, user).await.map_err(no_proof)? {
        Some(draft) => draft,
        None => make_draft(odoo, journal, company).await.map_err(no_proof)?,
    };
    let companies = odoo
        .read("res.company", &[company], &["partner_id".to_owned()])
        .await
        .map_err(no_proof)?;
    let contact = companies
        .first()
        .and_then(|company| company["partner_id"][0].as_i64());
    let domain = json!([["create_uid", "!=", user]]);
    let fields = ["id".to_owned()];
    let foreign = odoo.search_read(MOVE, domain, &fields, "id desc", 1);
    let foreign = foreign.await.map_err(no_proof)?;
    let fields = odoo.fields(MOVE).await.map_err(no_proof)?;
    Ok(Subjects {
        draft,
        reference: REFERENCE.to_owned(),
        journal,
        company,
        contact: contact.ok_or_else(|| no_proof(unread("its company's contact")))?,
        foreign: foreign.first().and_then(|document| document["id"].as_i64()),
        fields: fields.into_keys().collect(),
    })
}

/// The number of the key's user.
async fn find_user(odoo: &Connection) -> Result<i64, OdooError> {
    let context = odoo.call(&Call::new("res.users", "context_get")).await?;
    context["uid"]
        .as_i64()
        .ok_or_else(|| unread("the key's user"))
}

/// A journal for entries, and its company.
async fn find_journal(odoo: &Connection) -> Result<(i64, i64), OdooError> {
    let domain = json!([["type", "=", "general"]]);
    let fields = ["company_id".to_owned()];
    let found = odoo.search_read("account.journal", domain, &fields, "id asc", 1);
    let found = found.await?;
    let journal = found
        .first()
        .and_then(|journal| Some((journal["id"].as_i64()?, journal["company_id"][0].as_i64()?)));
    journal.ok_or_else(|| unread("a journal for entries"))
}

/// The draft of an earlier proof of this user.
async fn find_draft(odoo: &Connection, user: i64) -> Result<Option<i64>, OdooError> {
    let domain = json!([
        [OPERATION, "=", DRAFT],
        ["create_uid", "=", user],
        ["move_type", "=", "entry"],
        ["state", "=", "draft"],
        // With lines it could be posted.
        ["line_ids", "=", false],
    ]);
    let fields = ["id".to_owned()];
    let found = odoo.search_read(MOVE, domain, &fields, "id asc", 1);
    Ok(found.await?.first().and_then(|draft| draft["id"].as_i64()))
}

async fn make_draft(odoo: &Connection, journal: i64, company: i64) -> Result<i64, OdooError> {
    let mut values = json!({"move_type": "entry", "journal_id": journal, "ref": REFERENCE});
    values[OPERATION] = json!(DRAFT);
    let create = Call::new(MOVE, "create")
        .with("vals_list", json!([values]))
        .of_company(company);
    let created = odoo.call(&create).await?;
    created_id(&created).ok_or_else(|| unread("a new draft"))
}

fn unread(what: &str) -> OdooError {
    OdooError::Answer(format!("it does not tell {what}"))
}

/// What came of the tries, in a sentence.
fn summary(tried: &[TriedWay], draft: i64) -> String {
    let done: Vec<&str> = tried
        .iter()
        .filter(|way| !way.refused)
        .map(|way| way.way.as_str())
        .collect();
    match (done.as_slice(), tried.len()) {
        ([], all) if all >= FEWEST => format!(
            "this key can only draft: Odoo refused it all of {all} ways to do more; they were tried on the empty \
             journal entry {draft}, which stays there for the next time"
        ),
        ([], all) => format!(
            "it is not proven that this key can only draft: only {all} ways to do more could be tried"
        ),
        (done, all) => {
            let mut named = done
                .iter()
                .take(MAX_NAMED)
                .copied()
                .collect::<Vec<_>>()
                .join("; ");
            if done.len() > MAX_NAMED {
                named.push_str(&format!("; and {} more", done.len() - MAX_NAMED));
            }
            format!(
                "this key can do more than draft: Odoo did not refuse it {} of {all} ways ({named}); {REMEDY}",
                done.len()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(refused: &[bool]) -> Vec<TriedWay> {
        let tried = refused
            .iter()
            .enumerate()
            .map(|(number, refused)| TriedWay {
                way: format!("do {number}"),
                refused: *refused,
                answer: String::new(),
            });
        tried.collect()
    }

    #[test]
    fn summary_says_what_was_not_refused_and_what_to_do() {
        assert_eq!(
            summary(&tried(&[true; 12]), 7),
            "this key can only draft: Odoo refused it all of 12 ways to do more; they were tried on the empty journal \
             entry 7, which stays there for the next time"
        );
        let mut some = [true; 12];
        (some[3], some[5]) = (false, false);
        assert_eq!(
            summary(&tried(&some), 7),
            "this key can do more than draft: Odoo did not refuse it 2 of 12 ways (do 3; do 5); make a key that can \
             only draft, as deploy/odoo/README.md of Platinum says, and give this server that one"
        );
        // However many, the sentence fits into a row with its end.
        let all = summary(&tried(&[false; 25]), 7);
        assert!(
            all.contains("25 of 25 ways (do 0; do 1; do 2; do 3; and 21 more); make a key"),
            "{all}"
        );
        assert_eq!(
            summary(&tried(&[true; 3]), 7),
            "it is not proven that this key can only draft: only 3 ways to do more could be tried"
        );
    }
}
