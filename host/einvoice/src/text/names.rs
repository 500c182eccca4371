//! What the characters of a simple font are: the encodings of PDF (ISO 32000-1, annex D), and the names of glyphs.
//!
//! Of the names, those of Latin letters and of the signs on bills are known, and `uni20AC`; no others are guessed.

use unicode_normalization::UnicodeNormalization as _;

/// An encoding that a font names, or has of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Windows-1252, nearly.
    WinAnsi,
    /// Mac OS Roman.
    MacRoman,
    /// What Type 1 fonts have of themselves.
    Standard,
}

impl Encoding {
    /// The encoding of a name.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"WinAnsiEncoding" => Some(Self::WinAnsi),
            b"MacRomanEncoding" => Some(Self::MacRoman),
            b"StandardEncoding" => Some(Self::Standard),
            _ => None,
        }
    }

    /// What a byte is; none for one that is no sign.
    pub(super) fn decode(self, byte: u8) -> Option<char> {
        let of_page = |page: &'static encoding_rs::Encoding| {
            let (text, _) = page.decode_without_bom_handling(std::slice::from_ref(&byte));
            let c = text.chars().next()?;
            (!c.is_control() && c != char::REPLACEMENT_CHARACTER).then_some(c)
        };
        match self {
            Self::WinAnsi => of_page(encoding_rs::WINDOWS_1252),
            Self::MacRoman => of_page(encoding_rs::MACINTOSH),
            Self::Standard => match byte {
                b'\'' => Some('\u{2019}'),
                b'`' => Some('\u{2018}'),
                0x20..=0x7E => Some(char::from(byte)),
                _ => {
                    let found = STANDARD.iter().find(|(at, _)| *at == byte);
                    found.map(|(_, c)| *c)
                }
            },
        }
    }
}

/// The standard encoding above ASCII.
const STANDARD: [(u8, char); 42] = [
    (0xA1, '¡'),
    (0xA2, '¢'),
    (0xA3, '£'),
    (0xA4, '\u{2044}'),
    (0xA5, '¥'),
    (0xA6, 'ƒ'),
    (0xA7, '§'),
    (0xA8, '¤'),
    (0xA9, '\''),
    (0xAA, '\u{201C}'),
    (0xAB, '«'),
    (0xAC, '\u{2039}'),
    (0xAD, '\u{203A}'),
    (0xAE, 'ﬁ'),
    (0xAF, 'ﬂ'),
    (0xB1, '\u{2013}'),
    (0xB2, '†'),
    (0xB3, '‡'),
    (0xB4, '·'),
    (0xB6, '¶'),
    (0xB7, '•'),
    (0xB8, '\u{201A}'),
    (0xB9, '\u{201E}'),
    (0xBA, '\u{201D}'),
    (0xBB, '»'),
    (0xBC, '…'),
    (0xBD, '‰'),
    (0xBF, '¿'),
    (0xC8, '¨'),
    (0xD0, '\u{2014}'),
    (0xE1, 'Æ'),
    (0xE3, 'ª'),
    (0xE8, 'Ł'),
    (0xE9, 'Ø'),
    (0xEA, 'Œ'),
    (0xEB, 'º'),
    (0xF1, 'æ'),
    (0xF5, 'ı'),
    (0xF8, 'ł'),
    (0xF9, 'ø'),
    (0xFA, 'œ'),
    (0xFB, 'ß'),
];

/// The names of signs, each before what it is.
const SIGNS: &[(&str, &str)] = &[
    ("space", " "),
    ("nbspace", " "),
    ("exclam", "!"),
    ("quotedbl", "\""),
    ("numbersign", "#"),
    ("dollar", "$"),
    ("percent", "%"),
    ("ampersand", "&"),
    ("quotesingle", "'"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("asterisk", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("hyphen", "-"),
    ("sfthyphen", "-"),
    ("period", "."),
    ("slash", "/"),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("less", "<"),
    ("equal", "="),
    ("greater", ">"),
    ("question", "?"),
    ("at", "@"),
    ("bracketleft", "["),
    ("backslash", "\\"),
    ("bracketright", "]"),
    ("asciicircum", "^"),
    ("underscore", "_"),
    ("grave", "`"),
    ("braceleft", "{"),
    ("bar", "|"),
    ("braceright", "}"),
    ("asciitilde", "~"),
    ("exclamdown", "¡"),
    ("cent", "¢"),
    ("sterling", "£"),
    ("currency", "¤"),
    ("yen", "¥"),
    ("Euro", "€"),
    ("brokenbar", "¦"),
    ("section", "§"),
    ("copyright", "©"),
    ("registered", "®"),
    ("trademark", "™"),
    ("degree", "°"),
    ("plusminus", "±"),
    ("mu", "µ"),
    ("paragraph", "¶"),
    ("periodcentered", "·"),
    ("bullet", "•"),
    ("ordfeminine", "ª"),
    ("ordmasculine", "º"),
    ("guillemotleft", "«"),
    ("guillemotright", "»"),
    ("guilsinglleft", "\u{2039}"),
    ("guilsinglright", "\u{203A}"),
    ("questiondown", "¿"),
    ("quoteleft", "\u{2018}"),
    ("quoteright", "\u{2019}"),
    ("quotesinglbase", "\u{201A}"),
    ("quotedblleft", "\u{201C}"),
    ("quotedblright", "\u{201D}"),
    ("quotedblbase", "\u{201E}"),
    ("endash", "\u{2013}"),
    ("emdash", "\u{2014}"),
    ("minus", "\u{2212}"),
    ("multiply", "×"),
    ("divide", "÷"),
    ("ellipsis", "…"),
    ("dagger", "†"),
    ("daggerdbl", "‡"),
    ("perthousand", "‰"),
    ("florin", "ƒ"),
    ("onehalf", "½"),
    ("onequarter", "¼"),
    ("threequarters", "¾"),
    ("onesuperior", "¹"),
    ("twosuperior", "²"),
    ("threesuperior", "³"),
    ("germandbls", "ß"),
    ("AE", "Æ"),
    ("ae", "æ"),
    ("OE", "Œ"),
    ("oe", "œ"),
    ("Oslash", "Ø"),
    ("oslash", "ø"),
    ("Lslash", "Ł"),
    ("lslash", "ł"),
    ("Eth", "Ð"),
    ("eth", "ð"),
    ("Dcroat", "Đ"),
    ("dcroat", "đ"),
    ("Thorn", "Þ"),
    ("thorn", "þ"),
    ("dotlessi", "ı"),
    ("fi", "fi"),
    ("fl", "fl"),
    ("ff", "ff"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
    ("f_f", "ff"),
    ("f_i", "fi"),
    ("f_l", "fl"),
];

/// The accents of names such as `Adieresis`.
const ACCENTS: &[(&str, char)] = &[
    ("grave", '\u{300}'),
    ("acute", '\u{301}'),
    ("circumflex", '\u{302}'),
    ("tilde", '\u{303}'),
    ("dieresis", '\u{308}'),
    ("ring", '\u{30A}'),
    ("caron", '\u{30C}'),
    ("cedilla", '\u{327}'),
    ("macron", '\u{304}'),
    ("breve", '\u{306}'),
    ("ogonek", '\u{328}'),
    ("dotaccent", '\u{307}'),
    ("hungarumlaut", '\u{30B}'),
    ("commaaccent", '\u{326}'),
];

/// What a glyph of this name is; none if the name says nothing.
pub(super) fn of_glyph(name: &str) -> Option<String> {
    // `a.sc` is an `a`.
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    if let Some((_, text)) = SIGNS.iter().find(|(known, _)| *known == name) {
        return Some((*text).to_owned());
    }
    let mut chars = name.chars();
    let first = chars.next().filter(char::is_ascii_alphabetic)?;
    let rest = chars.as_str();
    if rest.is_empty() {
        return Some(first.to_string());
    }
    if let Some((_, accent)) = ACCENTS.iter().find(|(known, _)| *known == rest) {
        return Some([first, *accent].into_iter().nfc().collect());
    }
    let hex = name
        .strip_prefix("uni")
        .or_else(|| name.strip_prefix('u'))?;
    let is_hex = (4..=6).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(hex, 16).ok().filter(|_| is_hex)?;
    char::from_u32(code).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_glyph_knows_letters_and_signs() {
        for (name, expected) in [
            ("A", Some("A")),
            ("adieresis", Some("ä")),
            ("Scaron", Some("Š")),
            ("germandbls", Some("ß")),
            ("Euro", Some("€")),
            ("a.sc", Some("a")),
            ("uni20AC", Some("€")),
            ("u1F600", Some("😀")),
            ("fi", Some("fi")),
            ("g123", None),
            ("uniZZZZ", None),
            ("u+041", None),
            ("", None),
            (".notdef", None),
        ] {
            assert_eq!(of_glyph(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn encodings_differ_above_ascii() {
        assert_eq!(Encoding::WinAnsi.decode(0x80), Some('€'));
        assert_eq!(Encoding::MacRoman.decode(0x8A), Some('ä'));
        assert_eq!(Encoding::Standard.decode(0xFB), Some('ß'));
        assert_eq!(Encoding::Standard.decode(b'\''), Some('\u{2019}'));
        assert_eq!(Encoding::WinAnsi.decode(0x0A), None);
        assert_eq!(Encoding::Standard.decode(0xFF), None);
    }
}
