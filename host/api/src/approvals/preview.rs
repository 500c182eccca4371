//! [`preview`]: whom and what an action reaches, as named fields.

use platinum_core::Action;
use serde::Serialize;

use crate::text::plain;

/// Longest value of a field, in characters.
const MAX_VALUE: usize = 1000;

/// A named field of an action, each value on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name, as a person reads it.
    pub name: &'static str,
    /// Its values: one, or one for each recipient or file.
    pub values: Vec<String>,
}

/// The fields of an action, without its text.
pub fn preview(action: &Action) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut list = |name, values: &[String]| {
        if !values.is_empty() {
            fields.push(Field {
                name,
                values: values.iter().map(|value| plain(value, MAX_VALUE)).collect(),
            });
        }
    };
    let mut one = |name, value: &dyn ToString| list(name, &[value.to_string()]);
    match action {
        Action::EmailSend(mail) => {
            one("from", &mail.from_account);
            list("to", &mail.to);
            list("cc", &mail.cc);
            list("bcc", &mail.bcc);
            list("subject", std::slice::from_ref(&mail.subject));
            let attached: Vec<String> = mail.attachments.iter().map(ToString::to_string).collect();
            list("attached", &attached);
        }
        Action::SocialPublish(post) => one("network", &post.network),
        Action::WhatsappSend(message) => one("chat", &message.chat),
        Action::Payment(payment) => {
            one("payee", &payment.payee);
            one("amount", &payment.amount);
        }
        Action::OdooPost(document) => {
            one("document", &document.document);
            one("total", &document.total);
        }
        Action::OdooPayment(payment) => {
            one("invoice", &payment.invoice);
            one("amount", &payment.amount);
        }
    }
    fields
}
