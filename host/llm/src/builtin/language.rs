//! Which of three languages a mail is in, by its commonest small words.

/// The languages the drafter writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    French,
}

/// Words that only one of the three has.
const GERMAN: &[&str] = &[
    "aber", "auch", "auf", "bei", "bitte", "dass", "dem", "den", "der", "ein", "eine", "einen",
    "für", "haben", "hallo", "ich", "ihr", "ihre", "ihnen", "ist", "können", "mit", "nicht",
    "noch", "oder", "sich", "sie", "sind", "und", "uns", "vielen", "von", "wann", "wir", "wird",
    "zu", "zum", "zur",
];
const FRENCH: &[&str] = &[
    "au", "aux", "avec", "avons", "bonjour", "ce", "cette", "dans", "de", "du", "elle", "est",
    "et", "il", "je", "la", "le", "les", "merci", "mais", "nous", "ou", "par", "pas", "pour",
    "pouvez", "que", "qui", "sont", "sur", "une", "vos", "votre", "vous",
];
const ENGLISH: &[&str] = &[
    "and", "are", "be", "can", "could", "for", "from", "have", "hello", "i", "if", "is", "it",
    "of", "our", "please", "thanks", "that", "the", "this", "to", "we", "when", "with", "would",
    "you", "your",
];

/// How many words are read.
const MAX_WORDS: usize = 2000;

/// The language of the text; English unless another has clearly more of its small words.
pub(super) fn detect(text: &str) -> Language {
    let (mut english, mut german, mut french) = (0_usize, 0_usize, 0_usize);
    let words = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty());
    for word in words.take(MAX_WORDS) {
        let word = word.to_lowercase();
        let counts = |list: &[&str]| usize::from(list.contains(&word.as_str()));
        english += counts(ENGLISH);
        german += counts(GERMAN);
        french += counts(FRENCH);
    }
    if german >= 2 && german > english && german > french {
        Language::German
    } else if french >= 2 && french > english && french > german {
        Language::French
    } else {
        Language::English
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_detected_by_its_small_words() {
        for (text, language) in [
            ("Could you send the offer to our office?", Language::English),
            (
                "Können Sie uns das Angebot bitte noch einmal schicken?",
                Language::German,
            ),
            (
                "Pouvez-vous nous envoyer le devis pour la semaine prochaine ?",
                Language::French,
            ),
            ("Angebot 17", Language::English),
            ("こんにちは、いつ納品できますか？", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(detect(text), language, "{text}");
        }
    }
}
