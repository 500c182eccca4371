//! The cases that leave by accident: what people export, list and attach, as files that hold it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::leaks::{
    files::{Case, case},
    values,
};

/// Exports, tables, words and lists of codes.
pub(crate) fn lists() -> Vec<Case> {
    let mut words = [
        "flavor", "saddle", "host", "flat", "settle", "tray", "seat", "pilot", "sketch",
        "umbrella", "critic", "bacon",
    ];
    words.reverse();
    let numbered: Vec<_> = words
        .iter()
        .enumerate()
        .map(|(n, word)| format!("{}. {word}", n + 1))
        .collect();
    let codes: Vec<_> = (0..8_u32)
        .map(|n| format!("{:05x}-{:05x}", 0x1a2b3 + n * 7919, 0x9c8d1 - n * 6101))
        .collect();
    let token = values::web_token(3000);
    let lines: Vec<_> = token
        .as_bytes()
        .chunks(60)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    [
        (
            "an export of a browser",
            "export.csv",
            "name,url,username,password,note\nNetflix,https://n.example.test/,me,abendrot3001,\n".to_owned(),
            "abendrot3001",
        ),
        (
            "an export of a keeper of passwords",
            "export.txt",
            "\"Account\",\"Login Name\",\"Password\",\"Web Site\"\n\"Netflix\",\"me\",\"abendrot3002\",\"\"\n".to_owned(),
            "abendrot3002",
        ),
        (
            "a table of passwords",
            "note.md",
            "| Dienst | Passwort |\n|---|---|\n| Netflix | abendrot3003 |\n".to_owned(),
            "abendrot3003",
        ),
        (
            "a password behind what it is for",
            "note.md",
            "WLAN-Passwort Gäste: Abend#Rot3004\n".to_owned(),
            "Abend#Rot3004",
        ),
        (
            "a password behind a bracket",
            "note.md",
            "Password (router): Abend#Rot3005\n".to_owned(),
            "Abend#Rot3005",
        ),
        (
            "a password behind a dash",
            "note.md",
            "Passwort - Abend#Rot3006\n".to_owned(),
            "Abend#Rot3006",
        ),
        (
            "a password of words",
            "note.md",
            "password: amsel-wolke-kiesel-tanne\n".to_owned(),
            "amsel-wolke-kiesel-tanne",
        ),
        (
            "the words of a wallet",
            "note.md",
            format!("My wallet: {}\n", words.join(" ")),
            "sketch pilot",
        ),
        (
            "the words of a wallet, numbered",
            "note.txt",
            numbered.join("\n"),
            "4. sketch",
        ),
        (
            "a list of codes",
            "note.md",
            format!("GitHub recovery codes\n\n{}\n", codes.join("\n")),
            "1a2b3-9c8d1",
        ),
        (
            "a web token of several lines",
            "mail.eml",
            lines.join("\r\n"),
            lines.last().map_or("", String::as_str),
        ),
    ]
    .into_iter()
    .map(|(how, name, text, needle)| case(how, name, text, needle))
    .collect()
}

/// What is compressed, as it is and as a part of a mail.
pub(crate) fn archives() -> Vec<Case> {
    let text = |n: u64| {
        format!(
            "The key is ghp_{} and so on.\n",
            values::key_letters(36, 3100 + n)
        )
    };
    let xml = "<?xml version=\"1.0\"?><w:document><w:tbl><w:tr><w:tc><w:p><w:r><w:t>Dienst</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Passwort</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>Netflix</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>abendrot3200</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:document>";
    let page = |n: u64| {
        let token = format!("ghp_{}", values::key_letters(36, 3100 + n));
        let (front, back) = token.split_at(13);
        format!("BT /F1 12 Tf 72 700 Td [({front}) -12 ({back})] TJ ET")
    };
    let keys = [
        b"\x30\x82\x0A\x10\x02\x01\x03\x30\x82\x09\xD6\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01\xA0\x82".as_slice(),
        values::key_letters(300, 3300).as_bytes(),
    ]
    .concat();
    let mut list = Vec::new();
    for (how, name, file) in [
        ("a zip", "archive.txt", zip("notes.txt", text(1).as_bytes())),
        (
            "a zip in a zip",
            "archive.txt",
            zip("in.zip", &zip("notes.txt", text(2).as_bytes())),
        ),
        ("gzip", "archive.txt", gzip(text(3).as_bytes())),
        (
            "a document",
            "letter.txt",
            zip("word/document.xml", xml.as_bytes()),
        ),
        ("a PDF", "letter.pdf", pdf(page(4).as_bytes())),
        (
            "a PDF in a zip",
            "letter.txt",
            zip("letter.pdf", &pdf(page(5).as_bytes())),
        ),
        ("a file of keys", "keys.txt", keys),
    ] {
        let encoded = STANDARD.encode(&file);
        let lines: Vec<_> = encoded
            .as_bytes()
            .chunks(76)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        let mail = format!(
            "From: a@example.test\r\nContent-Type: application/octet-stream\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        );
        let needle = lines.first().map_or("", String::as_str).to_owned();
        list.push(case(format!("{how} in a mail"), "mail.eml", mail, needle));
        let end = file.len().saturating_sub(40);
        let needle = file
            .get(end.saturating_sub(40)..end)
            .unwrap_or_default()
            .to_vec();
        list.push(case(how, name, file, needle));
    }
    list
}

/// A stream of deflate: one block of letters alone, with the codes that all streams share.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0_u8];
    let mut filled = 0;
    let mut put = |bit: u32| {
        if filled == 8 {
            out.push(0);
            filled = 0;
        }
        if let Some(last) = out.last_mut() {
            *last |= u8::from(bit == 1) << filled;
        }
        filled += 1;
    };
    // The last block, with codes that need not be told.
    [1, 1, 0].into_iter().for_each(&mut put);
    let end = std::iter::once((0, 7));
    let letters = bytes.iter().map(|byte| match u32::from(*byte) {
        low @ 0..144 => (0x30 + low, 8),
        high => (0x190 + high - 144, 9),
    });
    for (code, len) in letters.chain(end) {
        (0..len).rev().for_each(|bit| put((code >> bit) & 1));
    }
    out
}

fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let data = deflate(bytes);
    let mut out = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    for len in [data.len(), bytes.len()] {
        out.extend(u32::try_from(len).unwrap().to_le_bytes());
    }
    out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    out.extend([0, 0]);
    out.extend(name.as_bytes());
    out.extend(data);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let start = b"\x1F\x8B\x08\0\0\0\0\0\0\x03".as_slice();
    [start, &deflate(bytes), &[0; 8]].concat()
}

fn pdf(page: &[u8]) -> Vec<u8> {
    let data = [b"\x78\x01".as_slice(), &deflate(page), &[0; 4]].concat();
    let start = format!(
        "%PDF-1.7\n1 0 obj\n<< /Length {} /Filter /FlateDecode >>\nstream\n",
        data.len()
    );
    [start.as_bytes(), &data, b"\nendstream\nendobj\n%%EOF\n"].concat()
}
