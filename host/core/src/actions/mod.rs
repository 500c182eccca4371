//! [`Action`]: what a draft proposes; and [`TypedAction`], its record, one file a zone.
//!
//! To add a kind: its record in its zone's file, its line in [`ACTIONS`]. The same records are in
//! the contract, in `wit/<zone>/`.
//! Invariants: the text that leaves is the body of the note, every other field is a key of its
//! frontmatter, under the name serde gives it (kebab case) and in the record's order; an action
//! that exists is a valid record of a known kind.

mod accounting;
mod email;
mod payments;
mod social;
mod whatsapp;

pub use accounting::{OdooPayment, OdooPost, bill_operation, is_draft_operation, task_operation};
pub use email::{EmailSend, OwnAnswer};
pub use payments::Payment;
use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeMap};
use serde_norway::{Mapping, Value};
pub use social::{
    LinkCard, Media, MediaError, MediaRequest, PART_LINE, PartLineError, PostRequest,
    SocialPublish, join_parts, split_parts,
};
pub use whatsapp::WhatsappSend;

use crate::{VaultPath, text::is_field_gap, text_id::text_id};

text_id! {
    /// A kind of action: the key `action` in a draft's frontmatter.
    ActionKind, "kind of action";
    /// Send a mail.
    EMAIL_SEND = "email-send",
    /// Publish a post.
    SOCIAL_PUBLISH = "social-publish",
    /// Post a document in Odoo.
    ODOO_POST = "odoo-post",
    /// Register a payment in Odoo.
    ODOO_PAYMENT = "odoo-payment",
    /// Send a chat message.
    WHATSAPP_SEND = "whatsapp-send",
    /// Pay.
    PAYMENT = "payment",
}

/// Every kind of action there is a record for.
pub const ACTIONS: &[ActionSpec] = &[
    ActionSpec::of::<EmailSend>(),
    ActionSpec::of::<SocialPublish>(),
    ActionSpec::of::<OdooPost>(),
    ActionSpec::of::<OdooPayment>(),
    ActionSpec::of::<WhatsappSend>(),
    ActionSpec::of::<Payment>(),
];

/// The record of one kind of action. Its text is skipped by serde: the note keeps it as its body.
pub trait TypedAction: Serialize + DeserializeOwned {
    /// Its kind.
    const KIND: ActionKind;
    /// Its fields that hold one value, as serde names them.
    const FIELDS: &'static [&'static str];
    /// Its fields that hold a list, as serde names them.
    const LISTS: &'static [&'static str] = &[];

    /// The text that will leave.
    fn text(&self) -> &str {
        ""
    }

    /// Puts the text in. A kind without a text ignores it.
    fn set_text(&mut self, _text: String) {}

    /// The files of the vault that leave with it, in its order.
    fn files(&self) -> Vec<VaultPath> {
        Vec::new()
    }
}

/// What is known of one kind of action.
#[derive(Debug, Clone, Copy)]
pub struct ActionSpec {
    /// The kind.
    pub kind: ActionKind,
    /// Its fields that hold one value.
    pub fields: &'static [&'static str],
    /// Its fields that hold a list.
    pub lists: &'static [&'static str],
    check: fn(Value, String) -> Result<Action, serde_norway::Error>,
    files: fn(&Action) -> Result<Vec<VaultPath>, ActionError>,
}

impl ActionSpec {
    const fn of<T: TypedAction>() -> Self {
        Self {
            kind: T::KIND,
            fields: T::FIELDS,
            lists: T::LISTS,
            check: |fields, text| {
                let mut record: T = serde_norway::from_value(fields)?;
                record.set_text(text);
                Ok(Action::new(&record))
            },
            files: |action| Ok(action.read::<T>()?.files()),
        }
    }

    /// What is known of this kind.
    ///
    /// # Errors
    /// If there is no record for it.
    pub fn find(kind: ActionKind) -> Result<&'static Self, ActionError> {
        ACTIONS
            .iter()
            .find(|spec| spec.kind == kind)
            .ok_or(ActionError::Unknown(kind))
    }

    /// The action of this kind with these fields and this text.
    ///
    /// # Errors
    /// If a field is missing, unknown or of another type.
    pub fn action(&self, fields: Mapping, text: String) -> Result<Action, ActionError> {
        (self.check)(Value::Mapping(fields), text).map_err(|error| ActionError::Invalid {
            kind: self.kind,
            reason: error.to_string(),
        })
    }
}

/// What a draft proposes to do, once the owner has approved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    kind: ActionKind,
    fields: Mapping,
    text: String,
}

/// An action cannot be read as what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// There is no record for this kind.
    #[error("unknown kind of action `{0}`")]
    Unknown(ActionKind),
    /// It is of another kind.
    #[error("the action is of the kind `{is}`, not `{wanted}`")]
    OtherKind {
        /// Its kind.
        is: ActionKind,
        /// The kind asked for.
        wanted: ActionKind,
    },
    /// A field is missing, unknown or of another type.
    #[error("as {kind}: {reason}")]
    Invalid {
        /// Its kind.
        kind: ActionKind,
        /// What is wrong.
        reason: String,
    },
}

impl Action {
    /// The action of this record.
    #[expect(
        clippy::expect_used,
        reason = "a record is a flat struct of text, numbers and lists"
    )]
    pub fn new<T: TypedAction>(record: &T) -> Self {
        let fields = serde_norway::to_value(record)
            .and_then(serde_norway::from_value)
            .expect("a record is a mapping");
        Self {
            kind: T::KIND,
            fields,
            text: record.text().to_owned(),
        }
    }

    /// Its record.
    ///
    /// # Errors
    /// If it is of another kind.
    pub fn read<T: TypedAction>(&self) -> Result<T, ActionError> {
        if self.kind != T::KIND {
            return Err(ActionError::OtherKind {
                is: self.kind,
                wanted: T::KIND,
            });
        }
        let mut record: T =
            serde_norway::from_value(Value::Mapping(self.fields.clone())).map_err(|error| {
                ActionError::Invalid {
                    kind: self.kind,
                    reason: error.to_string(),
                }
            })?;
        record.set_text(self.text.clone());
        Ok(record)
    }

    /// Which kind it is.
    pub const fn kind(&self) -> ActionKind {
        self.kind
    }

    /// All fields but the text, in the record's order.
    pub const fn fields(&self) -> &Mapping {
        &self.fields
    }

    /// Whether a field, or one of a list, is nothing but a gap that a drafter left for the owner:
    /// `[✎ which Bob]` as a recipient.
    pub fn has_field_gap(&self) -> bool {
        let is_gap = |value: &Value| value.as_str().is_some_and(is_field_gap);
        self.fields.values().any(|value| match value {
            Value::Sequence(list) => list.iter().any(is_gap),
            value => is_gap(value),
        })
    }

    /// The text that will leave, which the note keeps as its body.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Replaces the text. An action whose kind has no text ignores it.
    ///
    /// # Errors
    /// If there is no record for its kind.
    pub fn set_text(&mut self, text: String) -> Result<(), ActionError> {
        let spec = ActionSpec::find(self.kind)?;
        *self = spec.action(self.fields.clone(), text)?;
        Ok(())
    }

    /// The files of the vault that leave with it, in its order.
    ///
    /// # Errors
    /// If there is no record for its kind.
    pub fn files(&self) -> Result<Vec<VaultPath>, ActionError> {
        (ActionSpec::find(self.kind)?.files)(self)
    }
}

/// The kind as `action`, then the fields; not the text.
impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 1))?;
        map.serialize_entry("action", &self.kind)?;
        for (key, value) in &self.fields {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Money;

    #[test]
    fn field_gap_of_one_recipient_is_found() {
        let with_to = |to: &str| {
            Action::new(&EmailSend {
                to: vec!["ann@example.test".to_owned(), to.to_owned()],
                ..mail()
            })
        };
        assert!(with_to("[[address of Zoe]]").has_field_gap());
        assert!(!with_to("bob@example.test").has_field_gap());
    }

    fn mail() -> EmailSend {
        EmailSend {
            from_account: "owner".to_owned(),
            to: vec!["ann@example.test".to_owned()],
            cc: vec![],
            bcc: vec![],
            subject: "Tea".to_owned(),
            in_reply_to: None,
            references: vec![],
            attachments: vec!["Inbox/a.pdf".parse().unwrap()],
            body: "Yes.\n".to_owned(),
        }
    }

    #[test]
    fn action_reads_back_as_its_record() {
        let mut action = Action::new(&mail());
        assert_eq!(action.read(), Ok(mail()));
        assert_eq!(action.files().unwrap(), mail().attachments);
        action.set_text("No.\n".to_owned()).unwrap();
        assert_eq!(action.read::<EmailSend>().unwrap().body, "No.\n");
        assert_eq!(
            action.read::<Payment>().unwrap_err().to_string(),
            "the action is of the kind `email-send`, not `payment`"
        );
    }

    #[test]
    fn heading_of_a_document_says_whose_it_is() {
        let document = |shown: &str| {
            Action::new(&OdooPost {
                document: 12,
                total: Money {
                    minor: 2249,
                    currency: "EUR".parse().unwrap(),
                },
                due: None,
                shown: shown.to_owned(),
            })
        };
        let action =
            document("# Draft vendor bill 12 · Smith &amp; \\*Sons\\* · 22.49 EUR\n\n- x\n");
        assert_eq!(
            action.heading().unwrap(),
            "Draft vendor bill 12 · Smith & *Sons* · 22.49 EUR"
        );
        assert_eq!(document("Draft · x").heading(), None);
        assert_eq!(document("").heading(), None);
        let mail = Action::new(&EmailSend {
            body: "# a · b\n".to_owned(),
            ..mail()
        });
        assert_eq!(mail.heading(), None);
    }

    #[test]
    fn action_keys_are_in_the_order_of_its_record() {
        let yaml = serde_norway::to_string(&Action::new(&mail())).unwrap();
        let keys: Vec<&str> = yaml
            .lines()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(
            keys,
            [
                "action",
                "from-account",
                "to",
                "- ann@example.test",
                "subject",
                "attachments",
                "- Inbox/a.pdf"
            ]
        );
    }

    #[test]
    fn action_of_an_unknown_kind_is_refused() {
        let kind: ActionKind = "email-spam".parse().unwrap();
        assert_eq!(
            ActionSpec::find(kind).unwrap_err().to_string(),
            "unknown kind of action `email-spam`"
        );
    }

    #[test]
    fn action_with_an_unknown_field_is_refused() {
        let spec = ActionSpec::find(ActionKind::EMAIL_SEND).unwrap();
        let mut fields = Action::new(&mail()).fields().clone();
        assert!(spec.action(fields.clone(), String::new()).is_ok());
        fields.insert("priority".into(), "high".into());
        let error = spec.action(fields, String::new()).unwrap_err().to_string();
        assert!(
            error.starts_with("as email-send: unknown field `priority`"),
            "{error}"
        );
    }

    /// The names of a kind's fields are written twice: in its record, and in its lists.
    #[test]
    fn action_spec_names_every_field_of_its_record() {
        let mut kinds: Vec<_> = ACTIONS.iter().map(|spec| spec.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), ACTIONS.len());
        for spec in ACTIONS {
            let mut fields = Mapping::new();
            fields.insert("no-field".into(), 1.into());
            let error = spec.action(fields, String::new()).unwrap_err().to_string();
            // serde lists the fields it knows, each between backquotes.
            let mut known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
            let mut named = [spec.fields, spec.lists].concat();
            known.sort_unstable();
            named.sort_unstable();
            assert_eq!(known, named, "{error}");
        }
    }

    /// Text that is nearly a record: known and other keys, values of every type.
    fn fields() -> impl Strategy<Value = String> {
        let keys: Vec<&str> = ACTIONS
            .iter()
            .flat_map(|spec| spec.fields.iter().chain(spec.lists).copied())
            .collect();
        let key = prop_oneof![
            8 => proptest::sample::select(keys),
            1 => Just("action"),
            1 => Just("<<"),
        ];
        let value = prop_oneof![
            Just("~".to_owned()),
            Just("[a@example.test, Inbox/x.pdf]".to_owned()),
            Just("[ Inbox/x.png |  A desk | x ]".to_owned()),
            Just("&a [*a]".to_owned()),
            Just("!!binary aGk=".to_owned()),
            Just("2026-11-20".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| number.to_string()),
            "[ -~\\n\u{e9}\u{202e}\u{e0061}]{0,40}",
        ];
        proptest::collection::vec((key, value), 0..12).prop_map(|pairs| {
            let lines = pairs.iter().map(|(key, value)| format!("{key}: {value}\n"));
            lines.collect()
        })
    }

    proptest! {
        /// Whatever a note has for fields: it is refused in words, or is the same action when it is read
        /// again.
        #[test]
        fn action_of_any_fields_is_refused_or_reads_back(
            which in 0..ACTIONS.len(),
            yaml in fields(),
            text in "\\PC{0,60}",
        ) {
            let Ok(fields) = serde_norway::from_str::<Mapping>(&yaml) else {
                return Ok(());
            };
            let spec = &ACTIONS[which];
            let Ok(action) = spec.action(fields, text) else {
                return Ok(());
            };
            prop_assert_eq!(action.kind(), spec.kind);
            let _ = action.files().unwrap();
            let again = serde_norway::to_string(action.fields()).unwrap();
            let again: Mapping = serde_norway::from_str(&again).unwrap();
            let again = spec.action(again, action.text().to_owned()).unwrap();
            prop_assert_eq!(&again, &action);
        }
    }
}
