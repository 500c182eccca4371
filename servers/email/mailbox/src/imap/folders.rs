//! Which folders there are: where a mailbox keeps its folders (NAMESPACE), and which are Drafts and Sent.
//!
//! Names are as on the wire here, in modified UTF-7; [`utf7`](super::utf7) reads them.

use async_imap::types::{Name, NameAttribute};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Imap, raw, utf7};
use crate::error::MailboxError;

/// The folders with a special use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Special {
    pub(super) drafts: String,
    pub(super) sent: String,
}

/// Where an account's own folders are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Namespace {
    /// What their names begin with: `INBOX.`, or nothing.
    pub(super) prefix: String,
}

/// The usual names of the folder of drafts, by what programs call it in English, German, French, Spanish, Italian,
/// Dutch, Portuguese, Japanese and Chinese.
const DRAFTS: [&str; 15] = [
    "Drafts",
    "Draft",
    "Entwürfe",
    "Entwurf",
    "Brouillons",
    "Brouillon",
    "Borradores",
    "Bozze",
    "Concepten",
    "Rascunhos",
    "下書き",
    "草稿",
    "草稿箱",
    "草稿夹",
    "草稿匣",
];

/// The usual names of the folder of sent mails.
const SENT: [&str; 35] = [
    "Sent",
    "Sent Items",
    "Sent Mail",
    "Sent Messages",
    "Sent Email",
    "Gesendet",
    "Gesendete Objekte",
    "Gesendete Elemente",
    "Gesendete Nachrichten",
    "Envoyés",
    "Messages envoyés",
    "Éléments envoyés",
    "Courrier envoyé",
    "Enviados",
    "Elementos enviados",
    "Mensajes enviados",
    "Correo enviado",
    "Inviati",
    "Inviata",
    "Posta inviata",
    "Messaggi inviati",
    "Verzonden",
    "Verzonden items",
    "Verzonden berichten",
    "Itens enviados",
    "Mensagens enviadas",
    "送信済み",
    "送信済みアイテム",
    "送信済みメール",
    "已发送",
    "已发送邮件",
    "已发邮件",
    "已傳送郵件",
    "寄件備份",
    "已寄送的郵件",
];

impl Imap {
    /// The names of Drafts and Sent: by special use, else by the names they usually have, else where this
    /// account's folders are made.
    pub(super) async fn special(&mut self) -> Result<Special, MailboxError> {
        if let Some(special) = &self.special {
            return Ok(special.clone());
        }
        let names = self.client.folders().await?;
        let prefix = self.client.prefix();
        let special = Special {
            drafts: find(&names, &NameAttribute::Drafts, &DRAFTS, &prefix)
                .unwrap_or_else(|| format!("{prefix}Drafts")),
            sent: find(&names, &NameAttribute::Sent, &SENT, &prefix)
                .unwrap_or_else(|| format!("{prefix}Sent")),
        };
        self.special = Some(special.clone());
        Ok(special)
    }

    /// The folder that a person calls `name`, as on the wire: by that very name, below the place of this account's
    /// folders, or by what it is used for.
    pub(super) async fn resolve(&mut self, name: &str) -> Result<String, MailboxError> {
        let wire = utf7::encode(name);
        if name.eq_ignore_ascii_case("INBOX") {
            return Ok(wire);
        }
        let names = self.client.folders().await?;
        let exists = |wanted: &str| names.iter().any(|name| name.name() == wanted);
        let below = format!("{}{wire}", self.client.prefix());
        if let Some(found) = [&wire, &below].into_iter().find(|name| exists(name)) {
            return Ok(found.clone());
        }
        let is_one_of = |usual: &[&str]| usual.iter().any(|usual| is_same(usual, name));
        if is_one_of(&SENT) {
            return Ok(self.special().await?.sent);
        }
        if is_one_of(&DRAFTS) {
            return Ok(self.special().await?.drafts);
        }
        Ok(wire)
    }
}

/// The folder with a use, or else with one of the usual names; of several the one nearest to where this account's
/// folders are.
fn find(
    names: &[Name],
    wanted: &NameAttribute<'_>,
    usual: &[&str],
    prefix: &str,
) -> Option<String> {
    let can_hold = |name: &&Name| !name.attributes().contains(&NameAttribute::NoSelect);
    let usable = || names.iter().filter(can_hold);
    let depth = |name: &Name| {
        let below = name.name().strip_prefix(prefix);
        let path = below.unwrap_or(name.name());
        let levels = name.delimiter().map_or(0, |at| path.matches(at).count());
        (levels, below.is_none())
    };
    let by_use = || usable().filter(|name| name.attributes().contains(wanted));
    let by_name = || {
        usable().filter(|name| {
            let decoded = utf7::decode(name.name());
            let last = match name.delimiter() {
                Some(at) => decoded.rsplit(at).next().unwrap_or(&decoded),
                None => &decoded,
            };
            usual.iter().any(|usual| is_same(usual, last))
        })
    };
    by_use()
        .min_by_key(|name| depth(name))
        .or_else(|| by_name().min_by_key(|name| depth(name)))
        .map(|name| name.name().to_owned())
}

fn is_same(usual: &str, name: &str) -> bool {
    usual.to_lowercase() == name.trim().to_lowercase()
}

/// Asks a server that has NAMESPACE (RFC 2342) where this account's folders are. The library does not know the
/// command.
pub(super) async fn ask_namespace(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> std::io::Result<Namespace> {
    let lines = raw::ask(stream, "NAMESPACE").await?;
    let found = lines.iter().find_map(|line| read_namespace(line));
    Ok(found.unwrap_or_default())
}

/// The first of the account's own namespaces in a line of the answer.
fn read_namespace(line: &str) -> Option<Namespace> {
    const ANSWER: &str = "* NAMESPACE ";
    let start = line.get(..ANSWER.len())?;
    let rest = line.get(ANSWER.len()..)?;
    let text = start
        .eq_ignore_ascii_case(ANSWER)
        .then(|| rest.strip_prefix("((\""))
        .flatten()?;
    let mut prefix = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(Namespace { prefix }),
            '\\' => prefix.push(letters.next()?),
            letter => prefix.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_is_the_first_of_the_accounts_own() {
        let prefix = |line: &str| read_namespace(line).map(|namespace| namespace.prefix);
        let courier = "* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\"))\r\n";
        assert_eq!(prefix(courier).as_deref(), Some("INBOX."));
        assert_eq!(
            prefix("* namespace ((\"\" \"/\")) NIL NIL\r\n").as_deref(),
            Some("")
        );
        assert_eq!(
            prefix("* NAMESPACE ((\"a\\\"b/\" \"/\")) NIL NIL\r\n").as_deref(),
            Some("a\"b/")
        );
        for none in [
            "* NAMESPACE NIL NIL NIL\r\n",
            "* OK hi\r\n",
            "* NAMESPACE ((\"x",
        ] {
            assert_eq!(prefix(none), None, "{none}");
        }
    }
}
