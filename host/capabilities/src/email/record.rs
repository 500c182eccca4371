//! From the mail of `wit/email` to that of `core`.
//!
//! Invariant: what comes from a skill is checked here; nothing invalid passes.

use platinum_core::{
    EmailSend, VaultPath,
    text::{self, MailAddress, is_field_gap},
};

use crate::{
    bindings::platinum::email::types::Mail,
    text::{block, checked_line},
};

/// Most recipients over to, cc and bcc together.
const MAX_RECIPIENTS: usize = 50;
/// Most Message-IDs in References.
const MAX_REFERENCES: usize = 50;
/// Most attachments.
const MAX_ATTACHMENTS: usize = 20;
/// Longest text that may leave, in bytes.
const MAX_TEXT_BYTES: usize = 128 * 1024;

/// Checks and converts a mail.
pub(crate) fn mail(mail: Mail) -> Result<EmailSend, String> {
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
        from_account: checked_line("from-account", &mail.from_account, 64)?,
        to: addresses("to", &mail.to)?,
        cc: addresses("cc", &mail.cc)?,
        bcc: addresses("bcc", &mail.bcc)?,
        subject: checked_line("subject", &mail.subject, 500)?,
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
            let line = checked_line(name, text, 320)?;
            // Whom the owner has to name: it goes nowhere as long as it is there.
            if is_field_gap(&line) {
                return Ok(line);
            }
            match MailAddress::parse(&line) {
                Ok(_) => Ok(line),
                Err(why) => Err(format!("`{name}` has `{line}`, which is no address: {why}")),
            }
        })
        .collect()
}

fn message_id(name: &str, given: &str) -> Result<String, String> {
    match text::message_id(given).filter(|id| *id == given) {
        Some(id) => Ok(id.to_owned()),
        None => Err(format!(
            "`{name}` takes a Message-ID as it came, in printable ASCII and without angle brackets"
        )),
    }
}

fn vault_path(name: &str, text: &str) -> Result<VaultPath, String> {
    VaultPath::new(text).map_err(|error| format!("`{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Mail {
        Mail {
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
    fn mail_that_is_sound_passes() {
        assert!(mail(sound()).is_ok());
    }

    #[test]
    fn mail_may_leave_a_recipient_to_the_owner() {
        let mut open = sound();
        open.to.push("[[address of Zoe]]".into());
        assert!(mail(open).is_ok());
        let mut half = sound();
        half.to[0] = "Zoe [[address]]".into();
        assert!(mail(half).is_err());
    }

    #[test]
    fn mail_cannot_smuggle_headers_recipients_or_paths() {
        type Spoil = fn(&mut Mail);
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
            let mut spoiled = sound();
            spoil(&mut spoiled);
            assert!(mail(spoiled).is_err(), "{what}");
        }
    }
}
