//! Which language a mail is in: by its script, else by its commonest small words.

/// The languages the drafter writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    French,
    Spanish,
    Italian,
    Dutch,
    Portuguese,
    Japanese,
    Chinese,
}

/// The small words of each language, and how mails in it begin and end. A word that several have counts for each.
const WORDS: &[(Language, &[&str])] = &[
    (
        Language::English,
        &[
            "and", "are", "be", "can", "could", "for", "from", "have", "hello", "hi", "i", "if",
            "is", "it", "of", "our", "please", "thanks", "that", "the", "this", "to", "we", "what",
            "when", "with", "would", "you", "your",
        ],
    ),
    (
        Language::German,
        &[
            "aber", "auch", "auf", "bei", "bitte", "danke", "das", "dass", "dem", "den", "der",
            "dich", "die", "dir", "du", "ein", "eine", "einen", "es", "für", "gruß", "grüße",
            "gruss", "haben", "hallo", "ich", "ihr", "ihre", "ihnen", "ist", "ja", "kannst",
            "können", "mit", "nicht", "noch", "oder", "passt", "sich", "sie", "sind", "uhr", "und",
            "uns", "vielen", "von", "wann", "was", "welcher", "wie", "wir", "wird", "zu", "zum",
            "zur",
        ],
    ),
    (
        Language::French,
        &[
            "au",
            "aux",
            "avec",
            "avons",
            "bonjour",
            "ce",
            "cette",
            "cordialement",
            "dans",
            "de",
            "du",
            "elle",
            "est",
            "et",
            "il",
            "je",
            "jour",
            "la",
            "le",
            "les",
            "merci",
            "mais",
            "nous",
            "ou",
            "par",
            "pas",
            "pour",
            "pouvez",
            "quand",
            "que",
            "quel",
            "qui",
            "salut",
            "sont",
            "sur",
            "une",
            "vos",
            "votre",
            "vous",
        ],
    ),
    (
        Language::Spanish,
        &[
            "buenos", "buenas", "como", "con", "cuando", "cuándo", "cuál", "de", "del", "día",
            "días", "el", "en", "es", "está", "gracias", "hola", "la", "las", "le", "los", "más",
            "me", "nos", "o", "para", "pero", "por", "puede", "puedes", "que", "qué", "saludos",
            "se", "si", "su", "un", "una", "usted", "y",
        ],
    ),
    (
        Language::Italian,
        &[
            "a",
            "alla",
            "buongiorno",
            "che",
            "ci",
            "ciao",
            "come",
            "con",
            "cordiali",
            "da",
            "del",
            "della",
            "di",
            "e",
            "è",
            "giorno",
            "gli",
            "grazie",
            "ha",
            "il",
            "in",
            "la",
            "le",
            "lei",
            "mi",
            "non",
            "per",
            "può",
            "quale",
            "quando",
            "saluti",
            "si",
            "sono",
            "un",
            "una",
            "vi",
        ],
    ),
    (
        Language::Dutch,
        &[
            "aan", "bedankt", "beste", "bij", "dag", "dank", "dat", "de", "deze", "dit", "een",
            "en", "er", "graag", "groet", "groeten", "hallo", "heb", "het", "hoe", "ik", "is",
            "je", "jij", "kan", "kunt", "met", "niet", "ons", "op", "te", "u", "uw", "van", "voor",
            "wanneer", "wat", "welke", "wij", "zijn",
        ],
    ),
    (
        Language::Portuguese,
        &[
            "a",
            "ao",
            "as",
            "atenciosamente",
            "boa",
            "bom",
            "com",
            "como",
            "da",
            "de",
            "dia",
            "do",
            "e",
            "é",
            "em",
            "está",
            "eu",
            "na",
            "não",
            "no",
            "nos",
            "o",
            "obrigada",
            "obrigado",
            "olá",
            "os",
            "para",
            "pode",
            "por",
            "qual",
            "quando",
            "que",
            "se",
            "seu",
            "sua",
            "um",
            "uma",
            "você",
        ],
    ),
];

/// Letters and marks that most of the others do not have.
const LETTERS: &[(Language, &str)] = &[
    (Language::German, "äöüßÄÖÜ"),
    (Language::French, "œêëÊ«"),
    (Language::Spanish, "¿¡ñÑ"),
    (Language::Italian, "ìòù"),
    (Language::Portuguese, "ãõÃÕ"),
];

/// How many words are read.
const MAX_WORDS: usize = 2000;

/// The language of the text; English unless another has clearly more of its small words.
pub(super) fn detect(text: &str) -> Language {
    if let Some(language) = by_script(text) {
        return language;
    }
    let mut counts = [0_usize; WORDS.len()];
    let words = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty());
    for word in words.take(MAX_WORDS) {
        let word = word.to_lowercase();
        for (count, (_, list)) in counts.iter_mut().zip(WORDS) {
            *count += usize::from(list.contains(&word.as_str()));
        }
    }
    for (language, letters) in LETTERS {
        let has_letters = text
            .chars()
            .take(8 * MAX_WORDS)
            .any(|c| letters.contains(c));
        let of_language = WORDS.iter().position(|(known, _)| known == language);
        if let (true, Some(at)) = (has_letters, of_language) {
            counts[at] += 1;
        }
    }
    // English is the first; of two alike the one that comes first counts.
    let mut best = 0;
    for (at, count) in counts.iter().enumerate() {
        if *count > counts[best] {
            best = at;
        }
    }
    // One word tells a language if no other has any.
    let is_alone = counts.iter().sum::<usize>() == 1;
    match WORDS.get(best) {
        Some((language, _)) if counts[best] >= 2 || is_alone => *language,
        _ => Language::English,
    }
}

/// Japanese and Chinese, when a good part of the letters is theirs.
fn by_script(text: &str) -> Option<Language> {
    let (mut letters, mut kana, mut han) = (0_usize, 0_usize, 0_usize);
    for c in text
        .chars()
        .take(8 * MAX_WORDS)
        .filter(|c| c.is_alphabetic())
    {
        letters += 1;
        match c {
            '\u{3041}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => kana += 1,
            '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => han += 1,
            _ => {}
        }
    }
    match kana + han {
        ours if ours * 5 < letters || ours == 0 => None,
        // A Japanese text is never without its syllables.
        ours if kana * 10 >= ours => Some(Language::Japanese),
        _ => Some(Language::Chinese),
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
                "Hallo,\n\npasst Dir der Montag?\n\nGruß\nAnn",
                Language::German,
            ),
            ("Geht es morgen? Danke Dir", Language::German),
            ("Passt Montag?", Language::German),
            ("¿Nos vemos?", Language::Spanish),
            (
                "Pouvez-vous nous envoyer le devis pour la semaine prochaine ?",
                Language::French,
            ),
            ("¿Qué día le viene bien para la reunión?", Language::Spanish),
            (
                "Buongiorno, quale giorno è comodo per Lei?",
                Language::Italian,
            ),
            (
                "Hallo, welke dag komt het jullie uit? Groeten",
                Language::Dutch,
            ),
            ("Olá, qual é o melhor dia para você?", Language::Portuguese),
            ("こんにちは、いつ納品できますか？", Language::Japanese),
            (
                "お世話になっております。明日の打合せは何時がよろしいでしょうか？田中",
                Language::Japanese,
            ),
            ("您好，请问哪一天方便？谢谢。", Language::Chinese),
            (
                "Hello Mr. 田中, could you send the offer?",
                Language::English,
            ),
            ("Angebot 17", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(detect(text), language, "{text}");
        }
    }
}
