//! Between the records of `wit/` and the types of `core`: the same things, said twice.
//!
//! Invariant: what comes from a skill is checked here; nothing invalid passes.

use platinum_core::{
    Action, Currency, EmailSend, Media, Money, OdooPayment, OdooPost, Payment, SocialPublish,
    Timestamp, VaultPath, WhatsappSend, ZoneId,
};

use crate::{
    bindings::platinum::{actions::types as wit, skill::types as skill},
    text::{block, one_line, optional_line},
};

/// Most recipients over to, cc and bcc together.
const MAX_RECIPIENTS: usize = 50;
/// Most Message-IDs in References.
const MAX_REFERENCES: usize = 50;
/// Most attachments.
const MAX_ATTACHMENTS: usize = 20;
/// Longest text that may leave, in bytes.
const MAX_TEXT_BYTES: usize = 128 * 1024;

pub(crate) fn zone_to_wit(zone: ZoneId) -> skill::Zone {
    match zone {
        ZoneId::EMAIL => skill::Zone::Email,
        ZoneId::SOCIAL => skill::Zone::Social,
        ZoneId::ACCOUNTING => skill::Zone::Accounting,
        ZoneId::WHATSAPP => skill::Zone::Whatsapp,
        ZoneId::PAYMENTS => skill::Zone::Payments,
        _ => skill::Zone::Approvals,
    }
}

pub(crate) fn zone_from_wit(zone: skill::Zone) -> ZoneId {
    match zone {
        skill::Zone::Email => ZoneId::EMAIL,
        skill::Zone::Social => ZoneId::SOCIAL,
        skill::Zone::Accounting => ZoneId::ACCOUNTING,
        skill::Zone::Whatsapp => ZoneId::WHATSAPP,
        skill::Zone::Payments => ZoneId::PAYMENTS,
        skill::Zone::Approvals => ZoneId::APPROVALS,
    }
}

/// Reads a time that a skill gave.
pub(crate) fn time(name: &str, text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| format!("`{name}` is no RFC 3339 time, for example 2026-11-20T18:00:00Z"))
}

/// Checks and converts an action that a skill proposes.
pub(crate) fn action(action: wit::Action) -> Result<Action, String> {
    Ok(match action {
        wit::Action::EmailSend(mail) => Action::new(&email_send(mail)?),
        wit::Action::SocialPublish(post) => Action::new(&SocialPublish {
            network: one_line("network", &post.network, 32)?,
            language: post
                .language
                .map(|tag| one_line("language", &tag, 35))
                .transpose()?,
            reply_to: post
                .reply_to
                .map(|to| one_line("reply-to", &to, 1024))
                .transpose()?,
            media: post
                .media
                .into_iter()
                .map(|media| {
                    Ok(Media {
                        path: vault_path("media", &media.path)?,
                        alt: optional_line("alt", &media.alt, 2000)?,
                    })
                })
                .collect::<Result<_, String>>()?,
            thread: post
                .thread
                .iter()
                .map(|text| block("thread", text, MAX_TEXT_BYTES))
                .collect::<Result<_, _>>()?,
            text: block("text", &post.text, MAX_TEXT_BYTES)?,
        }),
        wit::Action::OdooPost(post) => Action::new(&OdooPost {
            document: post.document,
            lines: post.lines,
            total: money(&post.total)?,
            due: post.due.map(|due| date("due", &due)).transpose()?,
        }),
        wit::Action::OdooPayment(payment) => Action::new(&OdooPayment {
            invoice: payment.invoice,
            amount: money(&payment.amount)?,
            date: date("date", &payment.date)?,
            journal: one_line("journal", &payment.journal, 16)?,
        }),
        wit::Action::WhatsappSend(message) => Action::new(&WhatsappSend {
            chat: one_line("chat", &message.chat, 128)?,
            quoted_message: message
                .quoted_message
                .map(|id| one_line("quoted-message", &id, 128))
                .transpose()?,
            text: block("text", &message.text, MAX_TEXT_BYTES)?,
        }),
        wit::Action::Payment(payment) => Action::new(&Payment {
            payee: one_line("payee", &payment.payee, 140)?,
            amount: money(&payment.amount)?,
            reference: one_line("reference", &payment.reference, 140)?,
            due: payment.due.map(|due| date("due", &due)).transpose()?,
            method: one_line("method", &payment.method, 64)?,
        }),
    })
}

/// Checks and converts a mail.
pub(crate) fn email_send(mail: wit::EmailSend) -> Result<EmailSend, String> {
    let recipients = mail.to.len() + mail.cc.len() + mail.bcc.len();
    if !(1..=MAX_RECIPIENTS).contains(&recipients) {
        return Err(format!(
            "the mail has {recipients} recipients; 1 to {MAX_RECIPIENTS} over to, cc and bcc"
        ));
    }
    if mail.references.len() > MAX_REFERENCES || mail.attachments.len() > MAX_ATTACHMENTS {
        return Err(format!(
            "at most {MAX_REFERENCES} references and {MAX_ATTACHMENTS} attachments"
        ));
    }
    Ok(EmailSend {
        from_account: one_line("from-account", &mail.from_account, 64)?,
        to: addresses("to", &mail.to)?,
        cc: addresses("cc", &mail.cc)?,
        bcc: addresses("bcc", &mail.bcc)?,
        subject: one_line("subject", &mail.subject, 500)?,
        in_reply_to: mail
            .in_reply_to
            .map(|id| message_id("in-reply-to", &id))
            .transpose()?,
        references: mail
            .references
            .iter()
            .map(|id| message_id("references", id))
            .collect::<Result<_, _>>()?,
        attachments: mail
            .attachments
            .iter()
            .map(|path| vault_path("attachments", path))
            .collect::<Result<_, _>>()?,
        body: block("body", &mail.body, MAX_TEXT_BYTES)?,
    })
}

fn addresses(name: &str, list: &[String]) -> Result<Vec<String>, String> {
    list.iter()
        .map(|text| {
            let line = one_line(name, text, 320)?;
            if line.contains('@') {
                Ok(line)
            } else {
                Err(format!("`{name}` has `{line}`, which is no address"))
            }
        })
        .collect()
}

fn message_id(name: &str, text: &str) -> Result<String, String> {
    let line = one_line(name, text, 998)?;
    if line.contains(['<', '>', ' ']) {
        return Err(format!(
            "`{name}` takes a Message-ID without angle brackets and spaces"
        ));
    }
    Ok(line)
}

fn vault_path(name: &str, text: &str) -> Result<VaultPath, String> {
    VaultPath::new(text).map_err(|error| format!("`{name}`: {error}"))
}

fn money(money: &wit::Money) -> Result<Money, String> {
    let currency: Currency = money
        .currency
        .parse()
        .map_err(|error| format!("`currency`: {error}"))?;
    Ok(Money {
        minor: money.minor,
        currency,
    })
}

fn date<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("`{name}` is no date, for example 2026-11-20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> wit::EmailSend {
        wit::EmailSend {
            from_account: "owner".into(),
            to: vec!["Ada <ada@example.test>".into()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: Offer".into(),
            body: "Hello".into(),
            in_reply_to: Some("a@b".into()),
            references: vec!["a@b".into()],
            attachments: vec![],
        }
    }

    #[test]
    fn a_sound_mail_passes() {
        assert!(email_send(mail()).is_ok());
    }

    #[test]
    fn a_mail_cannot_smuggle_headers_recipients_or_paths() {
        type Spoil = fn(&mut wit::EmailSend);
        let cases: [(&str, Spoil); 7] = [
            ("no recipient", |m| m.to.clear()),
            ("fifty-one recipients", |m| m.to = vec!["a@b".into(); 51]),
            ("header in the subject", |m| {
                m.subject = "x\r\nBcc: all@example.test".into();
            }),
            ("header in a recipient", |m| {
                m.to[0] = "a@b\nBcc: c@d".into();
            }),
            ("bracket in an id", |m| {
                m.in_reply_to = Some("a@b> <c@d".into());
            }),
            ("path out of the vault", |m| {
                m.attachments = vec!["../.ssh/id_ed25519".into()];
            }),
            ("no address", |m| m.to[0] = "everybody".into()),
        ];
        for (what, spoil) in cases {
            let mut mail = mail();
            spoil(&mut mail);
            assert!(email_send(mail).is_err(), "{what}");
        }
    }
}
