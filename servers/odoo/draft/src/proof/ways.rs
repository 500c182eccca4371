//! What is tried: calls that a key that can only draft must be refused. Pure.
//!
//! This is the one file of this crate with names of methods that act.
//! Invariants, since a key may not be what it should be: a call is about the proof's own empty draft, which Odoo does
//! not post because it has no lines; or its values hold the number of a record that cannot be, so that the database
//! refuses it and Odoo takes all of the call back; or it leaves nothing that anybody is told of. No call deletes what
//! is somebody else's. A new way keeps to that.

use std::collections::BTreeSet;

use platinum_odoo_client::Call;
use platinum_odoo_client::document::read::MOVE;
use serde_json::{Value, json};

/// The number of a record that no model has: the largest that there can be. A value that refers to it is refused by
/// the database.
const NO_RECORD: i64 = 2_147_483_647;

/// What the tries are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subjects {
    /// The proof's own draft, an entry without lines.
    pub draft: i64,
    /// What the draft is known by.
    pub reference: String,
    /// Its journal.
    pub journal: i64,
    /// The company it is in.
    pub company: i64,
    /// The contact of that company.
    pub contact: i64,
    /// A document of somebody else, if there is one that this key may see.
    pub foreign: Option<i64>,
    /// The fields of documents that this Odoo has.
    pub fields: BTreeSet<String>,
}

/// One way to do more than draft.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Way {
    /// What it would do: "post a draft".
    pub what: &'static str,
    /// The call.
    pub call: Call,
    /// What takes it back if it is done.
    pub undo: Option<Call>,
    /// What stays if it is done and not taken back.
    pub rest: &'static str,
}

impl Way {
    /// One that changes nothing even where it is not refused.
    fn new(what: &'static str, call: Call) -> Self {
        Self {
            what,
            call,
            undo: None,
            rest: "nothing is changed by it",
        }
    }

    fn leaving(mut self, rest: &'static str) -> Self {
        self.rest = rest;
        self
    }
}

/// All ways, the one that deletes the draft last.
pub(super) fn ways(subjects: &Subjects) -> Vec<Way> {
    let mut ways = posting(subjects);
    ways.extend(saying(subjects));
    ways.extend(money(subjects));
    ways.extend(settings(subjects));
    if let Some(foreign) = subjects.foreign {
        let change = write_move(foreign, json!({"ref": "x", "currency_id": NO_RECORD}));
        ways.push(Way::new("change a document of somebody else", change));
    }
    let delete = Call::new(MOVE, "unlink").on(&[subjects.draft]);
    ways.push(Way::new("delete a draft", delete).leaving("the draft of this proof is deleted"));
    ways
}

/// Posting, and what makes Odoo do so by itself.
fn posting(subjects: &Subjects) -> Vec<Way> {
    let draft = subjects.draft;
    let mut ways = vec![Way::new(
        "post a draft",
        Call::new(MOVE, "action_post").on(&[draft]),
    )];
    for (what, field, value) in [
        ("write that a draft is posted", "state", json!("posted")),
        (
            "let Odoo post a draft by itself",
            "auto_post",
            json!("at_date"),
        ),
        (
            "let Odoo send a document when it is posted",
            "sending_data",
            json!({"sending_methods": ["email"]}),
        ),
        ("call a draft paid", "payment_state", json!("paid")),
        (
            "show another total than is booked",
            "amount_total",
            json!(1),
        ),
        ("take a number", "name", json!("PLATINUM/0")),
    ] {
        if subjects.fields.contains(field) {
            let change = write_move(draft, json!({field: value, "currency_id": NO_RECORD}));
            ways.push(Way::new(what, change));
        }
    }
    let unchanged = write_move(draft, json!({"ref": subjects.reference}));
    ways.push(Way::new(
        "switch Odoo's checks off by a key of the context",
        unchanged.in_context("check_move_validity", false),
    ));
    let entry =
        json!({"move_type": "entry", "journal_id": subjects.journal, "currency_id": NO_RECORD});
    ways.push(Way::new(
        "make a document that is posted by itself, by a key of the context",
        create(MOVE, &entry).in_context("default_auto_post", "at_date"),
    ));
    ways
}

/// What others are told.
fn saying(subjects: &Subjects) -> Vec<Way> {
    let draft = subjects.draft;
    let note = Call::new(MOVE, "message_post")
        .on(&[draft])
        .with("body", "Platinum: proof that this user can only draft");
    let subscribe = |method| {
        Call::new(MOVE, method)
            .on(&[draft])
            .with("partner_ids", vec![subjects.contact])
    };
    let mail = json!({"subject": "Platinum: proof that this user can only draft", "body_html": "x",
        "email_to": "platinum@example.invalid", "state": "cancel", "mail_server_id": NO_RECORD});
    let file = json!({"name": "platinum.txt", "res_model": MOVE, "res_id": draft, "company_id": NO_RECORD});
    vec![
        // Nobody follows the draft but its user.
        Way::new("write a message", note).leaving("a note stays in the draft of this proof"),
        Way {
            what: "let somebody follow a document",
            call: subscribe("message_subscribe"),
            undo: Some(subscribe("message_unsubscribe")),
            rest: "the company's contact follows the draft of this proof",
        },
        Way::new("write a mail", create("mail.mail", &mail)),
        Way::new("attach a file", create("ir.attachment", &file)),
        // Who knows it acts as the customer, without being a user.
        Way::new(
            "learn the token by which a customer opens a document",
            Call::new(MOVE, "read")
                .on(&[draft])
                .with("fields", vec!["access_token"]),
        ),
    ]
}

/// Contacts, banks, payments.
fn money(subjects: &Subjects) -> Vec<Way> {
    let contact = json!({"name": "Platinum: proof", "country_id": NO_RECORD});
    let other_country = Call::new("res.partner", "write")
        .on(&[subjects.contact])
        .with("vals", json!({"country_id": NO_RECORD}));
    let bank = json!({"acc_number": "PLATINUM-PROOF", "partner_id": NO_RECORD});
    let payment = json!({"payment_type": "inbound", "amount": 1, "partner_id": NO_RECORD, "journal_id": NO_RECORD});
    let register = create("account.payment.register", &json!({"amount": 1}))
        .in_context("active_model", MOVE)
        .in_context("active_ids", vec![subjects.draft]);
    vec![
        Way::new("make a contact", create("res.partner", &contact)),
        Way::new("change a contact", other_country),
        Way::new("make a bank account", create("res.partner.bank", &bank)),
        Way::new("make a payment", create("account.payment", &payment)),
        Way::new("register a payment for a document", register),
    ]
}

/// Locks, numbers, defaults, keys.
fn settings(subjects: &Subjects) -> Vec<Way> {
    // The day is before all documents; where it is taken nevertheless, the other value is not.
    let lock = Call::new("res.company", "write")
        .on(&[subjects.company])
        .with(
            "vals",
            json!({"fiscalyear_lock_date": "1900-01-01", "paperformat_id": NO_RECORD}),
        );
    let sequence = json!({"name": "Platinum: proof", "company_id": NO_RECORD});
    let default = json!({"field_id": NO_RECORD, "json_value": "\"x\""});
    let key = json!({"name": "Platinum: proof"});
    vec![
        Way::new("lock the books", lock),
        Way::new(
            "make a sequence of numbers",
            create("ir.sequence", &sequence),
        ),
        Way::new("set a default value", create("ir.default", &default)),
        Way::new(
            "ask for another API key",
            create("res.users.apikeys.description", &key),
        )
        .leaving("no key is made by it"),
    ]
}

fn create(model: &'static str, values: &Value) -> Call {
    Call::new(model, "create").with("vals_list", json!([values]))
}

fn write_move(id: i64, values: Value) -> Call {
    Call::new(MOVE, "write").on(&[id]).with("vals", values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects() -> Subjects {
        Subjects {
            draft: 7,
            reference: "r".to_owned(),
            journal: 3,
            company: 1,
            contact: 2,
            foreign: Some(8),
            fields: [
                "state",
                "auto_post",
                "sending_data",
                "payment_state",
                "amount_total",
                "name",
            ]
            .map(str::to_owned)
            .into(),
        }
    }

    /// What makes a try harmless on a key that can do everything.
    #[test]
    fn way_is_about_its_own_draft_or_fails_in_the_database() {
        let poison = NO_RECORD.to_string();
        for way in ways(&subjects()) {
            let call = &way.call;
            let cannot_be_saved = Value::from(call.arguments.clone())
                .to_string()
                .contains(&poison);
            let is_of_own_draft = call.ids == [7]
                || call.context.get("active_ids") == Some(&json!([7]))
                // Needs a second, interactive step for a key to come of it.
                || call.model == "res.users.apikeys.description";
            assert!(cannot_be_saved || is_of_own_draft, "{}", way.what);
            let may_change = is_of_own_draft && !cannot_be_saved;
            assert!(may_change || way.undo.is_none(), "{}", way.what);
            if call.method == "unlink" {
                assert_eq!(call.ids, [7], "{}", way.what);
            }
        }
    }

    #[test]
    fn ways_are_enough_and_delete_the_draft_last() {
        let all = ways(&subjects());
        let names: BTreeSet<&str> = all.iter().map(|way| way.what).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.len() >= 20, "{}", all.len());
        let mut deletes = all.iter().map(|way| way.call.method == "unlink");
        assert_eq!(deletes.clone().filter(|is| *is).count(), 1);
        assert_eq!(deletes.next_back(), Some(true));
        // An older Odoo without some of the fields, and with nothing of others.
        let bare = ways(&Subjects {
            foreign: None,
            fields: BTreeSet::new(),
            ..subjects()
        });
        assert!(bare.len() >= super::super::FEWEST, "{}", bare.len());
    }
}
