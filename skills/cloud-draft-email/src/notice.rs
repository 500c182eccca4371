//! Notices: what a mail says of itself that makes an answer pointless.
//!
//! Two signs, each a heuristic that only ever takes a draft away, and says so in the owner's list:
//! the text says that nobody reads answers; or a sender of notices reports on an order and asks
//! nothing.
//! Invariant: pure, and linear in the text that is looked at.

use platinum_sdk::text::bounded;

/// How much of a mail is looked at, in bytes.
const LOOKED_AT: usize = 16 * 1024;

/// How notices say that nobody reads what is sent to them.
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
    "cannot accept incoming",
    "do not reply to this",
    "don't reply to this",
    "do not respond to this",
    "please do not reply",
    "replies to this email are not",
    "replies to this message are not",
    "this is an automated message",
    "this is an automated email",
    "this is an automatically generated",
    "this email was sent automatically",
    "automatisch generierte nachricht",
    "automatisch generierte e-mail",
    "automatisch erstellte nachricht",
    "automatisch erzeugte nachricht",
    "automatisch erstellt",
    "nicht auf diese e-mail",
    "nicht auf diese nachricht",
    "antworten auf diese e-mail werden nicht",
    "ne pas répondre à ce",
    "ne répondez pas à ce",
    "no responda a este",
    "no respondas a este",
    "no conteste a este",
    "non rispondere a quest",
    "beantwoord deze e-mail niet",
    "niet op deze e-mail",
    "não responda a est",
    "送信専用",
    "返信いただいても",
    "このメールに返信し",
    "请勿回复",
];

/// Before the @ of senders that report on orders and accounts.
const NOTICE_SENDERS: &[&str] = &[
    "order",
    "orders",
    "bestellung",
    "bestellungen",
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
    "votre commande",
    "su pedido",
    "tu pedido",
    "il tuo ordine",
    "je bestelling",
    "uw bestelling",
    "ご注文",
    "您的订单",
];

/// Why an answer is pointless, if the mail says so. `local` is what stands before the sender's @.
#[must_use]
pub fn reason(subject: &str, text: &str, local: &str) -> Option<&'static str> {
    let own = own_lines(text).to_lowercase();
    if UNREAD.iter().any(|phrase| own.contains(phrase)) {
        return Some("it says itself that answers to it are not read");
    }
    let local = local.to_lowercase();
    let first = local.split(['+', '-', '_', '.']).next().unwrap_or_default();
    let is_sender = NOTICE_SENDERS.contains(&first);
    let subject = subject.to_lowercase();
    let reports = |text: &str| REPORTS.iter().any(|phrase| text.contains(phrase));
    let asks = own.contains(['?', '？']) || subject.contains(['?', '？']);
    (is_sender && !asks && (reports(&subject) || reports(&own)))
        .then_some("a notice that asks nothing")
}

/// The text without what it quotes: a person may answer a notice.
fn own_lines(text: &str) -> String {
    let lines = bounded(text, LOOKED_AT).lines();
    let own: Vec<&str> = lines
        .filter(|line| !line.trim_start().starts_with('>'))
        .collect();
    // A phrase may go on in the next line.
    own.join(" ")
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
        ] {
            assert!(reason("Parcel", text, "hello").is_some(), "{text}");
        }
        for text in [
            "Which day suits you?",
            "> Please do not reply to this mail\nI got this. What does it mean?",
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
        let question = "Your order 88: which colour would you like?";
        assert_eq!(reason("Order 88", question, "orders"), None);
        assert_eq!(
            reason("Hello", "We look forward to your visit.", "orders"),
            None
        );
    }
}
