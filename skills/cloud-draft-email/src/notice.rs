//! Notices: what a mail says of itself that makes an answer pointless.
//!
//! Two signs, each a heuristic that only ever takes a draft away, and says so in the owner's list:
//! the text says that nobody reads answers; or a sender of notices reports on an order and asks
//! nothing. Only its own words count, not what it quotes or forwards.
//! Invariant: pure, and linear in the text that is looked at.

use platinum_sdk::text::{bounded, quotes::own_lines};

/// How much of a mail is looked at, in bytes.
const LOOKED_AT: usize = 16 * 1024;

/// How notices say that nobody reads what is sent to them. After a `*` a word of [`MAIL`] follows.
const UNREAD: &[&str] = &[
    "mailbox is not monitored",
    "inbox is not monitored",
    "address is not monitored",
    "email is not monitored",
    "unmonitored mailbox",
    "unmonitored email",
    "unattended mailbox",
    "cannot receive replies",
    "can't receive replies",
    "cannot accept replies",
    "cannot accept incoming*",
    "do not reply to this*",
    "do not reply directly",
    "don't reply to this*",
    "do not respond to this*",
    "replies to this email are not",
    "replies to this message are not",
    "this is an automated*",
    "this is an automatically generated*",
    "this email was sent automatically",
    "automatisch generierte nachricht",
    "automatisch generierte e-mail",
    "automatisch erstellte nachricht",
    "automatisch erzeugte nachricht",
    "mail wurde automatisch",
    "nachricht wurde automatisch",
    "bitte nicht auf diese*",
    "antworten sie nicht auf diese*",
    "antworten sie bitte nicht auf diese*",
    "antworte nicht auf diese*",
    "antworte bitte nicht auf diese*",
    "antworten auf diese e-mail werden nicht",
    "merci de ne pas répondre à ce*",
    "prière de ne pas répondre à ce*",
    "veuillez ne pas répondre à ce*",
    "ne répondez pas à ce*",
    "no responda a est*",
    "no respondas a est*",
    "no responder a est*",
    "no conteste a est*",
    "non rispondere a quest*",
    "beantwoord deze e-mail niet",
    "antwoord niet op deze*",
    "reageer niet op deze*",
    "não responda a est*",
    "送信専用",
    "返信いただいても",
    "このメールに返信しない",
    "このメールには返信しない",
    "请勿回复此*",
    "请勿直接回复",
];
/// The same, where nothing follows in the sentence: `do not reply all` is a person's.
const UNREAD_ENDS: &[&str] = &[
    "please do not reply",
    "please don't reply",
    "bitte nicht antworten",
    "请勿回复",
];
/// What a notice calls itself, or where it came from.
const MAIL: &[&str] = &[
    "mail",
    "message",
    "notification",
    "address",
    "response",
    "nachricht",
    "adresse",
    "courriel",
    "correo",
    "mensaje",
    "messaggio",
    "bericht",
    "mensagem",
    "邮件",
];
/// So near it stands, in bytes.
const MAX_BETWEEN: usize = 40;

/// What a question is about that wants no answer: `Questions? Write to us.`
const HELP: &[&str] = &[
    "question",
    "need help",
    "frage",
    "hilfe",
    "aide",
    "pregunta",
    "duda",
    "ayuda",
    "domand",
    "aiuto",
    "vragen",
    "hulp",
    "dúvida",
    "pergunta",
    "ajuda",
    "質問",
    "不明",
    "困り",
    "疑问",
    "帮助",
];
/// The most words that such a question has.
const MAX_HELP: usize = 6;

/// Before the @ of senders that report on orders and accounts.
const NOTICE_SENDERS: &[&str] = &[
    "order",
    "orders",
    "bestellung",
    "bestellungen",
    "bestellingen",
    "verzending",
    "lieferung",
    "zustellung",
    "envios",
    "spedizioni",
    "pedidos",
    "commande",
    "commandes",
    "ordini",
    "shop",
    "store",
    "shipping",
    "shipment",
    "delivery",
    "versand",
    "tracking",
    "billing",
    "invoice",
    "invoices",
    "rechnung",
    "rechnungen",
    "receipts",
    "receipt",
    "payments",
    "notifications",
    "notification",
    "alerts",
    "info",
    "service",
    "services",
    "support",
    "hello",
    "team",
    "care",
    "customer",
    "customers",
    "customerservice",
    "kundenservice",
    "kundendienst",
    "contact",
    "kontakt",
    "mail",
    "sales",
    "parcel",
    "paket",
    "post",
];

/// What such a report is about.
const REPORTS: &[&str] = &[
    "has shipped",
    "has been shipped",
    "was shipped",
    "is on its way",
    "out for delivery",
    "has been delivered",
    "was delivered",
    "your order",
    "your receipt",
    "your invoice",
    "your payment",
    "order confirmation",
    "track it",
    "tracking number",
    "ihre bestellung",
    "deine bestellung",
    "bestellbestätigung",
    "versandbestätigung",
    "sendungsnummer",
    "wurde versandt",
    "wurde versendet",
    "ihre rechnung",
    "ihre sendung",
    "ihre lieferung",
    "ihr paket",
    "deine sendung",
    "deine lieferung",
    "dein paket",
    "votre commande",
    "votre colis",
    "su pedido",
    "tu pedido",
    "su envío",
    "tu envío",
    "seu pedido",
    "sua encomenda",
    "il tuo ordine",
    "il tuo pacco",
    "je pakket",
    "uw pakket",
    "je bestelling",
    "uw bestelling",
    "ご注文",
    "您的订单",
];

/// Why an answer is pointless, if the mail says so. `local` is what stands before the sender's @.
#[must_use]
pub fn reason(subject: &str, text: &str, local: &str) -> Option<&'static str> {
    // A person may answer a notice: what is quoted or forwarded does not count.
    let own = own_lines(bounded(text, LOOKED_AT)).collect::<Vec<_>>();
    let own = own.join("\n").to_lowercase();
    // A phrase may go on in the next line.
    let flowing = own.replace('\n', " ");
    let mut sentences = own.split(['\n', '.', '!', ')', '*', '。', '！']);
    let ends = |sentence: &str| UNREAD_ENDS.iter().any(|end| sentence.trim().ends_with(end));
    if UNREAD.iter().any(|phrase| has_phrase(&flowing, phrase)) || sentences.any(ends) {
        return Some("it says itself that answers to it are not read");
    }
    let local = local.to_lowercase();
    let first = local.split(['+', '-', '_', '.']).next().unwrap_or_default();
    let is_sender = NOTICE_SENDERS.contains(&first);
    let subject = subject.to_lowercase();
    let reports = |text: &str| REPORTS.iter().any(|phrase| text.contains(phrase));
    let asks = || has_question(&own) || has_question(&subject);
    (is_sender && (reports(&subject) || reports(&flowing)) && !asks())
        .then_some("a notice that asks nothing")
}

fn has_phrase(text: &str, phrase: &str) -> bool {
    let Some(start) = phrase.strip_suffix('*') else {
        return text.contains(phrase);
    };
    text.match_indices(start).any(|(at, _)| {
        let rest = bounded(&text[at + start.len()..], MAX_BETWEEN);
        MAIL.iter().any(|word| rest.contains(word))
    })
}

/// Whether it asks something: a link has its `?` inside, and an offer of help wants no answer.
fn has_question(text: &str) -> bool {
    text.match_indices(['?', '？']).any(|(at, mark)| {
        let is_in_link = text[at + mark.len()..]
            .starts_with(|c: char| c.is_ascii_alphanumeric() || "%&=/#_".contains(c));
        let before = text[..at].rsplit(['.', ':', ',', '!', '?', '\n', '。', '：', '！', '？']);
        let sentence = before.into_iter().next().unwrap_or_default();
        let offers_help = HELP.iter().any(|word| sentence.contains(word))
            && sentence.split_whitespace().count() <= MAX_HELP;
        !is_in_link && !offers_help
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_finds_what_says_that_nobody_reads() {
        for text in [
            "Your parcel is here.\nThis mailbox is not monitored.",
            "Welcome! Please do not reply.",
            "Bitte antworten Sie nicht auf diese\nE-Mail.",
            "Merci de ne pas répondre à ce message.",
            "Por favor, no responda a este correo.",
            "このメールは送信専用です。",
            "Done.\nPlease do not reply\nThe team",
            "-- \nThis is an automatically generated e-mail.",
            "Diese E-Mail wurde automatisch erstellt.",
            "Antworten Sie bitte nicht auf diese Nachricht.",
            "本邮件由系统发出，请勿回复。",
        ] {
            assert!(reason("Parcel", text, "hello").is_some(), "{text}");
        }
        for text in [
            "Which day suits you?",
            "> Please do not reply to this mail\nI got this. What does it mean?",
            "What is this?\n\n---------- Forwarded message ---------\nFrom: X\n\nPlease do not reply to this email.",
            "Was ist das?\n\nVon: X\nGesendet: Montag\nAn: Ann\nBetreff: Paket\n\nBitte nicht auf diese E-Mail antworten.",
            "Please do not reply all; which day suits you?",
            "Please do not reply to this offer before Monday. Which day suits you?",
            "Die Rechnung wurde automatisch erstellt, stimmt der Betrag?",
            "This is an automatically generated invoice: is it right?",
            "Ich habe noch nicht auf diese E-Mail geantwortet. Passt Montag?",
            "We cannot accept incoming goods on Monday. Which day suits you?",
            "このメールに返信してください。",
            "请勿回复所有人。哪一天方便？",
        ] {
            assert_eq!(reason("Parcel", text, "ann"), None, "{text}");
        }
    }

    #[test]
    fn reason_of_a_report_needs_its_sender_and_no_question() {
        let report = "Your order 88 has shipped. It comes on Monday.";
        assert_eq!(
            reason("Order 88", report, "orders"),
            Some("a notice that asks nothing")
        );
        assert_eq!(reason("Order 88", report, "ann"), None);
        for text in [
            "Your order 88 has shipped. Track it: https://shop.test/t?id=4711",
            "Your order 88 has shipped.\nQuestions? Write to us.",
            "Ihre Bestellung 88 wurde versandt. Haben Sie Fragen? Hier: https://shop.test/?a=b",
            "Votre commande est partie. Besoin d'aide ? Écrivez-nous.",
            "ご注文を承りました。ご不明な点はございませんか？",
            "Hallo Olga,\n\nIhre Sendung ist unterwegs.",
            "Bonjour, votre colis est en route.",
            "Olá, seu pedido foi enviado.",
        ] {
            for local in ["info", "service", "orders"] {
                assert!(reason("Order 88", text, local).is_some(), "{text}");
            }
        }
        for text in [
            "Your order 88: which colour would you like?",
            "Your order 88 is on its way. https://shop.test/t?id=4711 Does Monday suit you?",
            "Your order 88: can you help?",
            "Your order 88. One question: does Monday suit you?",
            "Ihre Bestellung 88: wir haben eine Frage zu Ihrer Adresse, stimmt die Hausnummer 5?",
        ] {
            assert_eq!(reason("Order 88", text, "info"), None, "{text}");
        }
        assert_eq!(
            reason("Hello", "We look forward to your visit.", "orders"),
            None
        );
    }
}
