//! Bytes of a mail turned into characters, whatever the mail says they are.
//!
//! A mail's label of a character set is a claim. It holds unless the bytes refute it: what is valid UTF-8 beyond
//! ASCII is UTF-8, because no text of another single-byte set looks like it; what a label cannot decode is decoded
//! line by line, for a mail may be put together from several (a mailing list's footer). Which legacy set a text is
//! in, chardetng tells, as it tells Firefox. The decoders are mail-parser's and encoding_rs's.
//!
//! Invariants: linear work; U+FFFD stands only where the bytes are no text in any way that was tried.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    Encoding, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253,
    WINDOWS_1255, WINDOWS_1257,
};
use mail_parser::decoders::charsets::map::charset_decoder;

const ESC: u8 = 0x1b;
/// So much of a text is enough to tell its language, in bytes.
const MAX_SAMPLE: usize = 64 * 1024;
/// So many bytes beyond ASCII are not valid UTF-8 by chance, in any set.
const MIN_UTF8: usize = 12;

/// The text of these bytes, which their mail labels so.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding
            .decode_without_bom_handling(&bytes[mark..])
            .0
            .into_owned();
    }
    let label = label.map(plain_label).unwrap_or_default();
    let decode_as =
        |name: &str, bytes: &[u8]| charset_decoder(name.as_bytes()).map(|decode| decode(bytes));
    // These have no byte beyond ASCII: where there is one, the label is wrong.
    let seven_bits = match label.as_str() {
        "hz-gb-2312" => Some(("gb18030", hz_as_gb as fn(&[u8]) -> Vec<u8>)),
        "iso-2022-kr" | "csiso2022kr" => Some(("euc-kr", shifted_as_euc as _)),
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "csutf7" => Some(("utf-7", closed_runs as _)),
        label if label.starts_with("iso-2022-jp") || label.starts_with("cp5022") => {
            Some(("iso-2022-jp", plain_escapes as _))
        }
        _ => None,
    };
    if let (Some((name, plain)), true) = (seven_bits, bytes.is_ascii()) {
        return decode_as(name, &plain(bytes)).unwrap_or_default();
    }
    let is_wide = label.starts_with("utf-16") || label.starts_with("utf16");
    // As much as a line end has a zero in it.
    if is_wide && bytes.contains(&0) {
        return utf16_of(&label, bytes)
            .decode_without_bom_handling(bytes)
            .0
            .into_owned();
    }
    if has_jis_escape(bytes) {
        return decode_lines(bytes);
    }
    let says_nothing = matches!(
        label.as_str(),
        "" | "utf-8"
            | "utf8"
            | "us-ascii"
            | "ascii"
            | "ansi_x3.4-1968"
            | "unknown-8bit"
            | "8bit"
            | "binary"
    ) || seven_bits.is_some()
        || is_wide;
    let declared = match says_nothing {
        true => None,
        false => decode_as(&label, bytes).or_else(|| {
            let encoding = Encoding::for_label(label.as_bytes())?;
            Some(encoding.decode_without_bom_handling(bytes).0.into_owned())
        }),
    };
    let declared = declared.map(|text| as_windows(&label, &text, bytes).unwrap_or(text));
    if let Ok(text) = std::str::from_utf8(bytes)
        && (declared.is_none()
            || text.is_ascii()
            || !is_multi_byte(&label)
            || bytes.iter().filter(|byte| !byte.is_ascii()).count() >= MIN_UTF8)
    {
        return text.to_owned();
    }
    let whole = |text: &String| !text.contains('\u{fffd}');
    match declared {
        Some(text) if whole(&text) => text,
        declared => {
            let guessed = decode_lines(bytes);
            declared
                .filter(|text| lost(text) < lost(&guessed))
                .unwrap_or(guessed)
        }
    }
}

/// The same bytes in the set of Windows for the same language, if what was read as one of ISO has control characters
/// where that has letters: programs mix the two up.
fn as_windows(label: &str, text: &str, bytes: &[u8]) -> Option<String> {
    if !text.contains(|c| ('\u{80}'..='\u{9f}').contains(&c)) {
        return None;
    }
    let declared = Encoding::for_label(label.as_bytes())?;
    let encoding = match declared.name() {
        "ISO-8859-2" => WINDOWS_1250,
        "ISO-8859-5" => WINDOWS_1251,
        "ISO-8859-7" => WINDOWS_1253,
        "ISO-8859-8" | "ISO-8859-8-I" => WINDOWS_1255,
        "ISO-8859-13" => WINDOWS_1257,
        "ISO-8859-15" => WINDOWS_1252,
        // Others are those of Windows by this name already (WHATWG).
        _ => declared,
    };
    let (text, is_broken) = encoding.decode_without_bom_handling(bytes);
    (!is_broken).then(|| text.into_owned())
}

/// Which of the two byte orders: the label's, else where the zeros are beside blanks, else where most zeros are,
/// else the first (RFC 2781).
fn utf16_of(label: &str, bytes: &[u8]) -> &'static Encoding {
    let count = |is_meant: &dyn Fn(&[u8]) -> bool| {
        let pairs = bytes.chunks_exact(2);
        pairs.filter(|pair| is_meant(pair)).count()
    };
    let is_blank = |byte: u8| byte.is_ascii_whitespace();
    let big = count(&|pair| pair[0] == 0 && is_blank(pair[1]));
    let little = count(&|pair| pair[1] == 0 && is_blank(pair[0]));
    let is_little = match label.ends_with("le") || label.ends_with("be") {
        true => label.ends_with("le"),
        false if big != little => little > big,
        false => count(&|pair| pair[1] == 0) > count(&|pair| pair[0] == 0),
    };
    if is_little { UTF_16LE } else { UTF_16BE }
}

/// How many characters could not be read.
fn lost(text: &str) -> usize {
    text.matches('\u{fffd}').count()
}

/// A label as its registry spells it: `"UTF-8//TRANSLIT;"` is `utf-8`.
fn plain_label(label: &str) -> String {
    let label = label.trim().trim_matches(['"', '\'', ';', ' ']);
    let label = label.split(['/', ';', ',']).next().unwrap_or_default();
    let label = label.trim().to_ascii_lowercase().replace('_', "-");
    match label.as_str() {
        "cp932" | "x-ms-cp932" => "windows-31j".to_owned(),
        "cp949" | "uhc" | "ms949" | "ks-c-5601-1987" => "euc-kr".to_owned(),
        "cp950" | "ms950" => "big5".to_owned(),
        _ => match label
            .strip_prefix("cp125")
            .or_else(|| label.strip_prefix("win-125"))
        {
            Some(rest) => format!("windows-125{rest}"),
            None => label,
        },
    }
}

/// Whether a character of the set may have several bytes, so that UTF-8 may be valid in it.
fn is_multi_byte(label: &str) -> bool {
    [
        "gb",
        "big5",
        "euc",
        "shift",
        "sjis",
        "windows-31j",
        "windows-936",
        "windows-949",
        "x-gbk",
        "ms932",
        "x-sjis",
        "x-euc",
        "ks",
        "csgb",
        "chinese",
        "korean",
        "johab",
        "ms936",
        "x-x-big5",
        "cn-big5",
        "iso-ir-58",
        "iso-ir-149",
    ]
    .iter()
    .any(|start| label.starts_with(start))
}

/// The text of bytes that are not UTF-8 and have no label that holds, line by line.
fn decode_lines(bytes: &[u8]) -> String {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let lines = || bytes.split_inclusive(|byte| *byte == b'\n');
    let is_jis = |line: &[u8]| line.is_ascii() && has_jis_escape(line);
    let jis = charset_decoder(b"iso-2022-jp");
    let mut room = MAX_SAMPLE;
    for line in lines().filter(|line| !is_mostly_utf8(line)) {
        let sample = &line[..line.len().min(room)];
        detector.feed(sample, false);
        room -= sample.len();
        if room == 0 {
            break;
        }
    }
    detector.feed(b"", true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let mut text = String::with_capacity(bytes.len());
    for line in lines() {
        if let Some(decode) = jis.filter(|_| is_jis(line)) {
            text.push_str(&decode(&plain_escapes(line)));
        } else if is_mostly_utf8(line) {
            for chunk in line.utf8_chunks() {
                text.push_str(chunk.valid());
                match chunk.invalid() {
                    [] => {}
                    // A quotation mark of Windows in a text that is UTF-8 else.
                    [byte] => text.push_str(&WINDOWS_1252.decode_without_bom_handling(&[*byte]).0),
                    _ => text.push('\u{fffd}'),
                }
            }
        } else {
            text.push_str(&encoding.decode_without_bom_handling(line).0);
        }
    }
    text
}

/// Whether most of what is beyond ASCII is valid UTF-8.
fn is_mostly_utf8(line: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in line.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += chunk.invalid().len();
    }
    invalid == 0 || valid > invalid
}

/// Whether bytes switch to Japanese.
fn has_jis_escape(bytes: &[u8]) -> bool {
    let at = bytes.iter().position(|byte| *byte == ESC);
    at.is_some_and(|at| {
        bytes[at..]
            .windows(3)
            .any(|three| matches!(three, [ESC, b'$', b'@' | b'B']))
    })
}

/// ISO-2022-JP as the standard decoder takes it, which sees an attack in two escapes in a row and an error in a
/// line end between two bytes: the first of two escapes is dropped, and every line ends in ASCII.
fn plain_escapes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut in_ascii = true;
    // An escape that no character followed yet.
    let mut pending: Option<&[u8]> = None;
    while let Some(&byte) = rest.first() {
        match rest {
            [ESC, b'&', b'@', tail @ ..] => rest = tail,
            [ESC, b'(' | b'$', _, tail @ ..] => {
                pending = Some(&rest[..3]);
                rest = tail;
            }
            _ => {
                if let Some(escape) = pending.take() {
                    let to_ascii = matches!(escape, [ESC, b'(', b'B' | b'J']);
                    // To ASCII from ASCII is no escape either.
                    if !(to_ascii && in_ascii) || escape[2] == b'J' {
                        out.extend_from_slice(escape);
                    }
                    in_ascii = to_ascii;
                }
                if byte == b'\n' && !in_ascii {
                    out.extend_from_slice(b"\x1b(B");
                    in_ascii = true;
                }
                out.push(byte);
                rest = &rest[1..];
            }
        }
    }
    if !in_ascii {
        out.extend_from_slice(b"\x1b(B");
    }
    out
}

/// UTF-7 (RFC 2152) as the decoder takes it, which loses the byte after a run of Base64 and a run at the end: each
/// run is closed, and a plus sign that begins none is written as one.
fn closed_runs(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'+' {
            out.push(byte);
            continue;
        }
        let is_digit = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
        let length = tail.iter().take_while(is_digit).count();
        let (run, tail) = tail.split_at(length);
        let is_closed = tail.first() == Some(&b'-');
        out.push(b'+');
        out.extend_from_slice(if run.is_empty() { b"ACs" } else { run });
        out.push(b'-');
        rest = if is_closed { &tail[1..] } else { tail };
    }
    out
}

/// HZ (RFC 1843) as GB 2312 with eight bits: what stands between `~{` and `~}`.
fn hz_as_gb(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut in_gb = false;
    while let Some(&byte) = rest.first() {
        let (taken, put) = match rest {
            [b'~', b'{', ..] => {
                in_gb = true;
                (2, None)
            }
            [b'~', b'}', ..] => {
                in_gb = false;
                (2, None)
            }
            [b'~', b'\n', ..] => (2, None),
            [b'~', b'~', ..] if !in_gb => (2, Some(b'~')),
            [b'\n', ..] => {
                in_gb = false;
                (1, Some(byte))
            }
            _ => (1, Some(if in_gb { byte | 0x80 } else { byte })),
        };
        out.extend(put);
        rest = &rest[taken..];
    }
    out
}

/// ISO-2022-KR (RFC 1557) as EUC-KR: what stands between the two shifts.
fn shifted_as_euc(bytes: &[u8]) -> Vec<u8> {
    let mut shifted = false;
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            0x0e => shifted = true,
            0x0f => shifted = false,
            b'\n' => {
                shifted = false;
                out.push(byte);
            }
            byte if shifted => out.push(byte | 0x80),
            byte => out.push(byte),
        }
    }
    // The header of the text, which says what is shifted to.
    let header = b"\x1b$)C";
    if out.starts_with(header) {
        out.drain(..header.len());
    }
    out
}

/// The character set that an HTML text names in its head, if it names one.
pub(super) fn of_html(html: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&html[..html.len().min(2048)]).to_ascii_lowercase();
    head.match_indices("charset=").find_map(|(at, key)| {
        let tag = head[..at].rfind('<')?;
        if !head[tag..].starts_with("<meta") {
            return None;
        }
        let value = head[at + key.len()..].trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c))?;
        // What can be read so far is not UTF-16, whatever it says.
        (end > 0 && !value.starts_with("utf-16")).then(|| value[..end].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    #[test]
    fn label_that_holds_is_obeyed() {
        for (label, encoding, text) in [
            ("koi8-r", encoding_rs::KOI8_R, "Какой день?"),
            ("windows-1251", encoding_rs::WINDOWS_1251, "Какой день?"),
            ("cp932", encoding_rs::SHIFT_JIS, "いつがよいですか？①"),
            ("GB2312;", encoding_rs::GBK, "哪一天方便？"),
            ("\"euc-jp\"", encoding_rs::EUC_JP, "いつがよいですか？"),
            ("iso-8859-2", encoding_rs::ISO_8859_2, "Który dzień?"),
            ("CP1252", WINDOWS_1252, "Grüße – „ja“?"),
        ] {
            assert_eq!(
                decode(&encoded(text, encoding), Some(label)),
                text,
                "{label}"
            );
        }
    }

    #[test]
    fn utf8_is_seen_under_any_single_byte_label() {
        for label in [
            "us-ascii",
            "iso-8859-1",
            "windows-1252",
            "UTF-8//TRANSLIT",
            "utf-8;",
            "default",
            "x-unknown",
        ] {
            assert_eq!(
                decode("Grüße aus Köln?".as_bytes(), Some(label)),
                "Grüße aus Köln?",
                "{label}"
            );
        }
        assert_eq!(
            decode("哪一天方便？".as_bytes(), Some("gb2312")),
            "哪一天方便？"
        );
        assert_eq!(decode("Grüße".as_bytes(), None), "Grüße");
    }

    #[test]
    fn bytes_without_a_label_that_holds_are_guessed() {
        for (encoding, text) in [
            (
                WINDOWS_1252,
                "Welcher Tag paßt Ihnen für die Größe der Tür?",
            ),
            (
                encoding_rs::WINDOWS_1251,
                "Здравствуйте, какой день вам подходит?",
            ),
            (
                encoding_rs::SHIFT_JIS,
                "お世話になっております。明日の打合せは何時がよろしいでしょうか？",
            ),
            (encoding_rs::EUC_KR, "안녕하세요. 어느 날이 좋으십니까?"),
            (encoding_rs::GBK, "您好，请问哪一天方便？谢谢。"),
        ] {
            for label in [None, Some("utf-8"), Some("us-ascii"), Some("unknown-8bit")] {
                assert_eq!(decode(&encoded(text, encoding), label), text, "{label:?}");
            }
        }
    }

    #[test]
    fn lines_of_several_sets_are_each_read() {
        let mut bytes = "Grüße aus Köln\n".as_bytes().to_vec();
        bytes.extend(encoded("Liste für Käufer\n", WINDOWS_1252));
        bytes.extend("It\u{2019}s „gut“ ".as_bytes());
        bytes.extend(b"it\x92s\n");
        assert_eq!(
            decode(&bytes, Some("utf-8")),
            "Grüße aus Köln\nListe für Käufer\nIt\u{2019}s „gut“ it\u{2019}s\n"
        );
    }

    #[test]
    fn seven_bit_sets_are_read_with_their_quirks() {
        let jis = |bytes: &[u8]| decode(bytes, Some("ISO-2022-JP"));
        assert_eq!(jis(b"\x1b$B$$$D\x1b(B?"), "いつ?");
        // Two escapes in a row, and a line end without one.
        assert_eq!(jis(b"\x1b$B$$\x1b(B\x1b$B$D\x1b(B"), "いつ");
        assert_eq!(jis(b"\x1b$B$$\n\x1b$B$D\x1b(B"), "い\nつ");
        assert_eq!(jis(b"\x1b&@\x1b$B$$\x1b(J\x1b(B-\x1b(I1\x1b(B"), "い-ｱ");
        assert_eq!(decode(b"\x1b$B$$$D\x1b(B?", None), "いつ?");
        assert_eq!(decode(b"~{<:Ky2;~} ~~", Some("hz-gb-2312")), "己所不 ~");
        assert_eq!(
            decode(b"\x1b$)C\x0e>H3g\x0f?", Some("iso-2022-kr")),
            "안녕?"
        );
        assert_eq!(decode(b"Gr+APwA3w-e", Some("utf-7")), "Grüße");
        for (bytes, text) in [
            ("caf+AOk?", "café?"),
            ("caf+AOk", "café"),
            ("+AOk--+AOk. +AOkA6Q\n+AOk,", "é-é. éé\né,"),
            ("a +- b, 1 + 1", "a + b, 1 + 1"),
        ] {
            assert_eq!(decode(bytes.as_bytes(), Some("utf-7")), text);
        }
        assert_eq!(decode(b"\xff\xfeh\0i\0", Some("us-ascii")), "hi");
    }

    #[test]
    fn label_of_seven_bits_or_of_utf16_is_refuted_by_bytes() {
        let japanese = "お世話になっております。明日はいかがでしょうか？";
        for label in [
            "iso-2022-jp",
            "hz-gb-2312",
            "iso-2022-kr",
            "utf-7",
            "utf-16",
        ] {
            for encoding in [encoding_rs::UTF_8, encoding_rs::SHIFT_JIS] {
                let bytes = encoded(japanese, encoding);
                assert_eq!(decode(&bytes, Some(label)), japanese, "{label}");
            }
            let german = "Welcher Tag paßt Ihnen für die Größe der Tür?";
            let bytes = encoded(german, WINDOWS_1252);
            assert_eq!(decode(&bytes, Some(label)), german, "{label}");
        }
        for label in ["utf-16", "utf-16le", "UTF-16BE"] {
            assert_eq!(decode(b"Which day?", Some(label)), "Which day?", "{label}");
        }
        // A list's footer below.
        let mixed = b"\x1b$B$$$D\x1b(B?\nGr\xc3\xbc\xc3\x9fe\n";
        for label in [Some("iso-2022-jp"), Some("utf-8"), None] {
            assert_eq!(decode(mixed, label), "いつ?\nGrüße\n");
        }
    }

    #[test]
    fn utf16_is_read_in_either_byte_order() {
        for text in [
            "Which day?",
            "いつがよいですか？\n",
            "一二三 一",
            "Какой день?",
        ] {
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(decode(&big, Some("utf-16be")), text);
            assert_eq!(decode(&little, Some("utf-16le")), text);
            assert_eq!(decode(&big, Some("utf-16")), text);
            assert_eq!(decode(&little, Some("utf-16")), text);
        }
    }

    #[test]
    fn text_of_windows_under_a_label_of_iso_loses_no_letter() {
        for (label, encoding, text) in [
            ("iso-8859-1", WINDOWS_1252, "Grüße – „ja“ €?"),
            ("iso-8859-2", WINDOWS_1250, "Žluťoučký kůň – „který“?"),
            ("latin2", WINDOWS_1250, "Śląsk – źle?"),
            ("iso-8859-5", WINDOWS_1251, "Какой день – «ваш»?"),
            ("iso-8859-7", WINDOWS_1253, "Ποια μέρα – “Άρα”;"),
            ("iso-8859-9", encoding_rs::WINDOWS_1254, "Hangi gün – ığş?"),
            ("iso-8859-13", WINDOWS_1257, "Kuri diena – „ė“?"),
            ("iso-8859-15", WINDOWS_1252, "Preis: 5 €, œuvre?"),
        ] {
            assert_eq!(
                decode(&encoded(text, encoding), Some(label)),
                text,
                "{label}"
            );
        }
        let euro = encoded("5 €?", encoding_rs::ISO_8859_15);
        assert_eq!(decode(&euro, Some("iso-8859-15")), "5 €?");
    }

    #[test]
    fn html_names_its_own_set() {
        let named = |html: &str| of_html(html.as_bytes());
        assert_eq!(
            named("<html><head><meta charset=\"KOI8-R\"></head>"),
            Some("koi8-r".into())
        );
        let old = "<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=gb2312'>";
        assert_eq!(named(old), Some("gb2312".into()));
        assert_eq!(named("<p>charset=utf-16</p>"), None);
        assert_eq!(named("<meta charset=\"utf-16\">"), None);
    }
}
