//! The owner's own way to write, as their sent mails show it.
//!
//! Invariants: what was read of it is quoted to the model, never said; what is taken over into a draft
//! without a model has no gap of its own and is one line, but for the signature; a mailbox that cannot be asked costs no
//! draft.

use platinum_sdk::Error;
use platinum_sdk::email::people::Style;
use platinum_sdk::host::{Log, People};
use platinum_sdk::skill::log::Level;
use platinum_sdk::text::{bounded, one_line, without_gap_signs};

/// The most of the owner's own mails, in bytes.
const MAX_TEXTS: usize = 6 * 1024;
/// The longest greeting or closing, in characters.
const MAX_LINE: usize = 80;
/// The longest signature, in bytes, and its lines.
const MAX_SIGNATURE: usize = 1024;
const MAX_SIGNATURE_LINES: usize = 20;

/// How the owner writes to somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnStyle {
    greeting: Option<String>,
    closing: Option<String>,
    signature: Option<String>,
    texts: String,
    sources: Vec<String>,
}

impl OwnStyle {
    /// How they write to these recipients; nothing is known if the mailbox is away.
    #[must_use]
    pub fn of(host: &(impl Log + People), recipients: &[String]) -> Self {
        match host.style_for(recipients) {
            Ok(style) => Self::from(style),
            Err(error) => {
                let text = format!("your sent mails were not read: {}", Error::from(error));
                host.line(Level::Warn, &text);
                Self::default()
            }
        }
    }

    /// The parts of it that a drafter is given, each with its label.
    #[must_use]
    pub fn quotes(&self) -> Vec<(&'static str, &str)> {
        let own = Some(self.texts.as_str()).filter(|texts| !texts.is_empty());
        let parts = [
            ("own-mails", own),
            ("greeting", self.greeting.as_deref()),
            ("closing", self.closing.as_deref()),
            ("signature", self.signature.as_deref()),
        ];
        let parts = parts.into_iter();
        parts
            .filter_map(|(label, text)| Some((label, text?)))
            .collect()
    }

    /// The text with the signature where the drafter left a gap for the owner's name.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let Some(signature) = &self.signature else {
            return text.to_owned();
        };
        let mut signed = String::with_capacity(text.len() + signature.len());
        let mut rest = text;
        while let Some(start) = rest.find('[') {
            let gap = &rest[start..];
            let Some(length) = name_gap(gap) else {
                let next = start + 1;
                signed.push_str(&rest[..next]);
                rest = &rest[next..];
                continue;
            };
            signed.push_str(&rest[..start]);
            // A model that signs has written it above the gap, too.
            if !signed.ends_with(&format!("{signature}\n")) {
                signed.push_str(signature);
            }
            rest = &gap[length..];
        }
        signed.push_str(rest);
        signed
    }

    /// What was read of the owner's mails, one line each.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }
}

impl From<Style> for OwnStyle {
    fn from(style: Style) -> Self {
        let line = |text: String| {
            let line = without_gap_signs(&one_line(&text, MAX_LINE + 1));
            Some(line).filter(|line| !line.is_empty() && line.chars().count() <= MAX_LINE)
        };
        let signature = style.signature.map(|text| {
            let lines = text.lines().take(MAX_SIGNATURE_LINES);
            let lines: Vec<String> = lines
                .map(|line| match line.trim_end() {
                    "--" => "-- ".to_owned(),
                    line => without_gap_signs(&one_line(line, 200)),
                })
                .collect();
            let text = lines.join("\n");
            bounded(text.trim_matches('\n'), MAX_SIGNATURE).to_owned()
        });
        Self {
            greeting: style.greeting.and_then(line),
            closing: style.closing.and_then(line),
            signature: signature.filter(|text| !text.trim().is_empty()),
            texts: bounded(&style.texts.join("\n---\n"), MAX_TEXTS).to_owned(),
            sources: style
                .sources
                .iter()
                .map(|source| one_line(source, 120))
                .collect(),
        }
    }
}

/// The length of the gap at the beginning of a text, if it is for the owner's name.
fn name_gap(text: &str) -> Option<usize> {
    let (inside, length) = match text.strip_prefix("[[") {
        Some(inside) => {
            let end = inside.find("]]")?;
            (&inside[..end], end + 4)
        }
        None => {
            let inside = text.strip_prefix('[')?;
            let end = inside.find(']')?;
            let marked = inside[..end].trim_start().strip_prefix(['✎', '✏'])?;
            (marked.trim_start_matches('\u{FE0F}'), end + 2)
        }
    };
    let name = inside.trim().to_lowercase();
    let name = name.strip_prefix("the owner's ").unwrap_or(&name);
    NAMES.contains(&name).then_some(length)
}

/// How a gap for the owner's name is called.
const NAMES: &[&str] = &[
    "your name",
    "name",
    "my name",
    "signature",
    "your signature",
    "ihr name",
    "dein name",
    "unterschrift",
    "votre nom",
    "ton nom",
    "tu nombre",
    "su nombre",
    "il tuo nome",
    "il suo nome",
    "uw naam",
    "je naam",
    "o seu nome",
    "seu nome",
    "お名前",
    "您的姓名",
    "你的名字",
];

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::email::types::Error as MailError;
    use platinum_sdk::testing::TestHost;

    fn style() -> Style {
        Style {
            signature: Some("Max\n\n-- \nMax Muster".into()),
            greeting: Some("Hi Ann,".into()),
            closing: Some("Cheers".into()),
            texts: vec!["Hi Ann,\n\nyes.".into(), "Hi Ann,\n\nno.".into()],
            sources: vec![
                "2 sent mails to ann@x.test".into(),
                "12 sent mails for your signature".into(),
            ],
        }
    }

    #[test]
    fn sign_fills_the_gaps_for_the_name_alone() {
        let own = OwnStyle::from(style());
        for gap in [
            "[[your name]]",
            "[✎ your name]",
            "[✏️ Ihr Name]",
            "[ ✎ votre nom ]",
        ] {
            let text = format!("See [[which day]] [1]\n\nCheers\n{gap}\n");
            let expected = "See [[which day]] [1]\n\nCheers\nMax\n\n-- \nMax Muster\n";
            assert_eq!(own.sign(&text), expected, "{gap}");
        }
        let signed = "Cheers\nMax\n\n-- \nMax Muster\n[✎ your name]\n";
        assert_eq!(own.sign(signed).matches("Muster").count(), 1);
        for text in [
            "no gap",
            "[",
            "[[",
            "[your name]",
            "[✎ the name of your dog]",
            "[[your name",
        ] {
            assert_eq!(own.sign(text), text);
        }
        assert_eq!(OwnStyle::default().sign("[[your name]]"), "[[your name]]");
    }

    #[test]
    fn quotes_have_what_is_known() {
        let own = OwnStyle::from(style());
        let labels: Vec<_> = own.quotes().iter().map(|(label, _)| *label).collect();
        assert_eq!(labels, ["own-mails", "greeting", "closing", "signature"]);
        assert_eq!(own.sources().len(), 2);
        assert!(OwnStyle::default().quotes().is_empty());
    }

    /// Whatever a sent mail holds, it marks no gap and breaks no line.
    #[test]
    fn style_is_bounded_and_has_no_gaps() {
        let own = OwnStyle::from(Style {
            signature: Some("[[x]]\u{202E}\n".repeat(500)),
            greeting: Some(format!("Hi {},", "x".repeat(500))),
            closing: Some("[✎ pay]\nBcc: x".into()),
            texts: vec!["x".repeat(100_000)],
            sources: vec!["y".repeat(5000); 8],
        });
        assert_eq!(own.greeting, None);
        assert_eq!(own.closing.as_deref(), Some("[ pay] Bcc: x"));
        let signature = own.signature.clone().unwrap();
        assert!(signature.len() <= MAX_SIGNATURE && !signature.contains("[["));
        assert!(own.texts.len() <= MAX_TEXTS);
        assert!(own.sources().iter().all(|one| one.chars().count() <= 120));
    }

    #[test]
    fn style_without_a_mailbox_is_empty() {
        let host = TestHost {
            style: Err(MailError::Unavailable("no route".into())),
            ..TestHost::default()
        };
        assert_eq!(
            OwnStyle::of(&host, &["a@b.test".into()]),
            OwnStyle::default()
        );
        assert!(host.logged("your sent mails were not read: "));
    }
}
