//! What is compressed: zip, gzip, PDF, in a mail and in each other; broken, and made to burst.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use proptest::prelude::*;

use super::{ALNUM, SCANNER, body};
use crate::{Kind, Place};

fn kind(bytes: &[u8]) -> Option<Kind> {
    SCANNER.content(bytes).map(|found| found.kind)
}

fn token() -> String {
    format!("ghp_{}", body(ALNUM, 36, 31))
}

/// A zip file of members, each a name, what is in it, and whether it is compressed. Without
/// lengths in their headers if it is `streamed`.
fn zip(members: &[(&str, &[u8], bool)], streamed: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut list = Vec::new();
    for (name, bytes, compressed) in members {
        let data = if *compressed {
            compress_to_vec(bytes, 6)
        } else {
            bytes.to_vec()
        };
        let lengths = [data.len(), bytes.len()].map(|len| u32::try_from(len).unwrap());
        let lengths: Vec<u8> = lengths.iter().flat_map(|len| len.to_le_bytes()).collect();
        let flags = if streamed { 8_u16 } else { 0 };
        let method = if *compressed { 8_u16 } else { 0 };
        let mut header = Vec::new();
        header.extend(20_u16.to_le_bytes());
        header.extend(flags.to_le_bytes());
        header.extend(method.to_le_bytes());
        header.extend([0; 8]);
        let mut own = header.clone();
        header.extend(&lengths);
        own.extend(if streamed {
            vec![0; 8]
        } else {
            lengths.clone()
        });
        for header in [&mut header, &mut own] {
            header.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            header.extend(0_u16.to_le_bytes());
        }
        list.extend(b"PK\x01\x02\x14\0");
        list.extend(&header);
        list.extend([0; 14]);
        list.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&own);
        out.extend(name.as_bytes());
        out.extend(&data);
        if streamed {
            out.extend(b"PK\x07\x08\0\0\0\0");
            out.extend(&lengths);
        }
    }
    out.extend(list);
    out.extend(b"PK\x05\x06");
    out.extend([0; 18]);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x1F\x8B\x08\x08\0\0\0\0\0\x03notes.txt\0".to_vec();
    out.extend(compress_to_vec(bytes, 6));
    out.extend([0; 8]);
    out
}

/// A PDF with these streams, each with its description.
fn pdf(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec();
    for (n, (says, data)) in streams.iter().enumerate() {
        out.extend(
            format!(
                "{} 0 obj\n<< /Length {} {says} >>\nstream\n",
                n + 1,
                data.len()
            )
            .bytes(),
        );
        out.extend(data);
        out.extend(b"\nendstream\nendobj\n");
    }
    out.extend(b"trailer\n<< /Root 1 0 R >>\n%%EOF\n");
    out
}

const FLATE: &str = "/Filter /FlateDecode";

fn flate(text: &str) -> (&'static str, Vec<u8>) {
    (FLATE, compress_to_vec_zlib(text.as_bytes(), 6))
}

/// As a mail carries a file.
fn attached(bytes: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(bytes);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!(
        "From: a@example.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Transfer-Encoding: base64\r\nX-Attachment-Id: f_abcdefghijklmnopqrst\r\n\r\n{}\r\n--b--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}

fn word(paragraphs: &str) -> Vec<u8> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{paragraphs}</w:body></w:document>"
    );
    zip(
        &[
            (
                "[Content_Types].xml",
                b"<?xml version=\"1.0\"?><Types/>",
                true,
            ),
            ("word/document.xml", xml.as_bytes(), true),
            ("word/media/image1.png", b"\x89PNG\r\n\x1A\n", false),
        ],
        false,
    )
}

#[test]
fn zip_members_are_scanned() {
    let text = format!("The key is {}\n", token());
    let github = Some(Kind::Token("GitHub"));
    for streamed in [false, true] {
        for compressed in [false, true] {
            let members = [
                ("a.txt", b"Nothing.".as_slice(), true),
                ("b/notes.txt", text.as_bytes(), compressed),
            ];
            let file = zip(&members, streamed);
            assert_eq!(kind(&file), github, "{streamed} {compressed}");
            assert_eq!(kind(&attached(&file)), github, "{streamed} {compressed}");
            // Cut off: without the list at its end.
            let cut = file.len() - 100;
            assert_eq!(kind(&file[..cut]), github, "{streamed} {compressed}");
        }
    }
    let inner = zip(&[("notes.txt", text.as_bytes(), true)], false);
    for file in [
        zip(&[("inner.zip", &inner, false)], false),
        zip(&[("inner.zip", &inner, true)], true),
        gzip(&inner),
        gzip(text.as_bytes()),
        [gzip(b"one"), gzip(text.as_bytes())].concat(),
        zip(&[("notes.txt.gz", &gzip(text.as_bytes()), false)], false),
    ] {
        assert_eq!(kind(&file), github);
        assert_eq!(kind(&attached(&file)), github);
    }
    assert_eq!(kind(&zip(&[("a.txt", b"Nothing.", true)], false)), None);
}

#[test]
fn archive_finding_names_no_line() {
    let file = gzip(format!("{}{}", "Some words. ".repeat(20), token()).as_bytes());
    let found = SCANNER.content(&file).unwrap();
    assert_eq!(found.place, Place::Archive);
    assert!(
        found
            .to_string()
            .starts_with("what is compressed in it holds an access token (GitHub); take it out"),
        "{found}"
    );
    let found = SCANNER.content(&attached(&file)).unwrap();
    assert_eq!(found.place, Place::Line(8));
}

#[test]
fn documents_and_sheets_are_scanned_as_displayed() {
    let paragraph = |runs: &[&str]| {
        let runs: String = runs
            .iter()
            .map(|run| {
                format!("<w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">{run}</w:t></w:r>")
            })
            .collect();
        format!("<w:p w:rsidR=\"00A77B3E\">{runs}</w:p>")
    };
    let table = |rows: &[&[&str]]| {
        let cell = |cell: &&str| format!("<w:tc><w:tcPr/>{}</w:tc>", paragraph(&[cell]));
        let rows: String = rows
            .iter()
            .map(|row| format!("<w:tr>{}</w:tr>", row.iter().map(cell).collect::<String>()))
            .collect();
        format!("<w:tbl>{rows}</w:tbl>")
    };
    for (how, file) in [
        ("in one run", word(&paragraph(&["Passwort: Abend#Rot77"]))),
        ("over runs", word(&paragraph(&["Pass", "wort: ", "Abend", "#Rot77"]))),
        (
            "in a table of two columns",
            word(&table(&[&["Passwort", "Abend#Rot77"]])),
        ),
        (
            "below its head",
            word(&table(&[&["Dienst", "Passwort"], &["Netflix", "abendrot"]])),
        ),
        (
            "in a text of OpenDocument",
            zip(
                &[
                    ("mimetype", b"application/vnd.oasis.opendocument.text", false),
                    (
                        "content.xml",
                        b"<?xml version=\"1.0\"?><office:document-content><text:p>Passwort:<text:s/><text:span>Abend</text:span>#Rot77</text:p></office:document-content>",
                        true,
                    ),
                ],
                false,
            ),
        ),
        (
            "in a sheet of OpenDocument",
            zip(
                &[(
                    "content.xml",
                    b"<?xml version=\"1.0\"?><table:table><table:table-row><table:table-cell><text:p>Site</text:p></table:table-cell><table:table-cell><text:p>Password</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>Netflix</text:p></table:table-cell><table:table-cell><text:p>abendrot</text:p></table:table-cell></table:table-row></table:table>",
                    true,
                )],
                false,
            ),
        ),
    ] {
        assert_eq!(kind(&file), Some(Kind::Password), "{how}");
        assert_eq!(kind(&attached(&file)), Some(Kind::Password), "{how}");
    }
    let strings = |third: &str| {
        format!(
            "<?xml version=\"1.0\"?><sst><si><t>Site</t></si><si><t>Password</t></si><si><r><t>Net</t></r><r><t>flix</t></r></si><si><t>{third}</t></si></sst>"
        )
    };
    // Some programs leave the first line out.
    let sheet = b"<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\"><v>1</v></c></row><row r=\"2\"><c r=\"A2\" t=\"s\"><v>2</v></c><c r=\"C2\" t=\"s\"><v>3</v></c></row></sheetData><sheetProtection password=\"CC1A\" sheet=\"1\"/></worksheet>";
    for (third, expected) in [
        ("abendrot", Some(Kind::Password)),
        ("", None),
        ("siehe Tresor", None),
    ] {
        let strings = strings(third);
        let file = zip(
            &[
                ("xl/worksheets/sheet1.xml", sheet, true),
                ("xl/sharedStrings.xml", strings.as_bytes(), true),
            ],
            false,
        );
        assert_eq!(kind(&file), expected, "{third}");
    }
    let ordinary = word(&format!(
        "{}{}",
        paragraph(&["Passwort: siehe 1Password, ", "Ticket 4711"]),
        table(&[&["Feature", "Password"], &["Phishing", "no"]])
    ));
    assert_eq!(kind(&ordinary), None);
}

#[test]
fn pdf_streams_are_scanned() {
    let token = token();
    let github = Some(Kind::Token("GitHub"));
    let (front, back) = token.split_at(11);
    let a85 = |bytes: &[u8]| -> Vec<u8> {
        let mut out = Vec::new();
        for four in bytes.chunks(4) {
            let mut padded = four.to_vec();
            padded.resize(4, 0);
            let mut number = u32::from_be_bytes(padded.try_into().unwrap());
            let mut five = [0; 5];
            for digit in five.iter_mut().rev() {
                *digit = b'!' + (number % 85) as u8;
                number /= 85;
            }
            out.extend(&five[..=four.len()]);
        }
        out.extend(b"~>");
        out
    };
    let show = |text: &str| format!("BT /F1 12 Tf 1 0 0 1 72 700 Tm ({text}) Tj ET");
    for (how, file) in [
        ("shown", pdf(&[flate(&show(&token))])),
        (
            "in pieces",
            pdf(&[flate(&format!("BT [({front}) -12.5 ({back})] TJ ET"))]),
        ),
        (
            "in pieces, not compressed",
            pdf(&[(
                "",
                format!("BT [({front}) -12 ({back})] TJ ET").into_bytes(),
            )]),
        ),
        (
            "in texts of one line",
            pdf(&[flate(&format!(
                "BT 1 0 0 1 72 700 Tm ({front}) Tj ET BT 1 0 0 1 130 700 Tm ({back}) Tj ET"
            ))]),
        ),
        (
            "moved on",
            pdf(&[flate(&format!(
                "BT 72 700 Td ({front}) Tj 40 0 Td ({back}) Tj ET"
            ))]),
        ),
        (
            "in hexadecimal",
            pdf(&[flate(&format!(
                "BT <{}> Tj ET",
                token
                    .bytes()
                    .map(|b| format!("{b:02X}"))
                    .collect::<String>()
            ))]),
        ),
        (
            "with escapes",
            pdf(&[flate(&show(&token.replace('_', "\\137")))]),
        ),
        (
            "in an object of objects",
            pdf(&[(
                "/Type /ObjStm /Filter /FlateDecode",
                compress_to_vec_zlib(format!("5 0 << /Title ({token}) >>").as_bytes(), 6),
            )]),
        ),
        (
            "in letters of ASCII",
            pdf(&[(
                "/Filter [ /ASCII85Decode /FlateDecode ]",
                a85(&compress_to_vec_zlib(show(&token).as_bytes(), 6)),
            )]),
        ),
        ("without an end", {
            let whole = pdf(&[flate(&show(&token))]);
            whole[..whole.len() - 48].to_vec()
        }),
    ] {
        assert_eq!(kind(&file), github, "{how}");
        assert_eq!(kind(&attached(&file)), github, "{how}");
    }
    // The words on two sides of a gap, and in two lines.
    for text in [
        "BT 1 0 0 1 72 700 Tm (Passwort:) Tj 1 0 0 1 130 700 Tm (Abend#Rot77) Tj ET",
        "BT 72 700 Td [(Pass) 3 (w) 12 (ort:) -250 (Abend) 2 (#Rot77)] TJ ET",
        "BT 72 700 Td (Passwort:) Tj 0 -14 Td (Abend#Rot77) Tj T* (Ende) Tj ET",
        "BT 72 700 Td (Passwort: Abend#Rot77) Tj (\\(neu\\)) ' ET",
    ] {
        assert_eq!(kind(&pdf(&[flate(text)])), Some(Kind::Password), "{text}");
    }
    assert_eq!(kind(&pdf(&[flate(&show("Passwort: siehe Tresor"))])), None);
    // A picture is not read, nor counted.
    let picture = "/Subtype /Image /Filter /FlateDecode";
    assert_eq!(
        kind(&pdf(&[(
            picture,
            flate(&format!("{}{token}", "Some words. ".repeat(20))).1
        )])),
        None
    );
}

#[test]
fn pdf_glyphs_are_mapped_by_their_font() {
    // As browsers and office programs write: numbers of glyphs, 29 below their letters.
    let glyphs =
        |text: &str| -> String { text.bytes().map(|b| format!("{:04X}", b - 29)).collect() };
    let table = "/CIDInit /ProcSet findresource begin\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n2 beginbfrange\n<0003> <0020> <0020>\n<0021> <005D> <003E>\nendbfrange\nendcmap";
    let list = "1 begincodespacerange\n<00> <FF>\nendcodespacerange\n11 beginbfchar\n<01> <0050>\n<02> <0061>\n<03> <0073>\n<04> <0077>\n<05> <006F>\n<06> <0072>\n<07> <0074>\n<08> <003A>\n<09> <0041>\n<0A> <0023>\n<0B> <0037>\nendbfchar\n2 beginbfrange\n<0C> <0D> [<0062> <0065>]\n<0E> <0E> <006E>\nendbfrange";
    let page = format!(
        "BT /F1 12 Tf 1 0 0 -1 72 700 Tm <{}> Tj ET",
        glyphs("Passwort: Abend#Rot77")
    );
    let file = pdf(&[flate(&page), flate(table)]);
    assert_eq!(kind(&file), Some(Kind::Password));
    // `Passwort:Abenrot#77`, by numbers of its own.
    let page = "BT 72 700 Td [<0102030304050607>-1<08>1<090C0D0E060507>1<0A0B0B>] TJ ET";
    let file = pdf(&[flate(page), flate(list)]);
    assert_eq!(kind(&file), Some(Kind::Password));
    // Two tables that contradict each other: each is tried.
    let other = list.replace("<0050>", "<0058>");
    let file = pdf(&[flate(page), flate(&other), flate(list)]);
    assert_eq!(kind(&file), Some(Kind::Password));
}

#[test]
fn key_store_is_found_by_its_magic_number() {
    let mut keys = b"\x30\x82\x0A\x10\x02\x01\x03\x30\x82\x09\xD6\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01\xA0\x82".to_vec();
    keys.extend((0..200).map(|n: u32| (n * 37 % 251) as u8));
    assert_eq!(kind(&keys), Some(Kind::PrivateKey));
    assert_eq!(kind(&attached(&keys)), Some(Kind::PrivateKey));
    assert_eq!(
        kind(&zip(&[("me.p12", &keys, true)], false)),
        Some(Kind::PrivateKey)
    );
    let endless = [
        b"\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01\xA0\x80\x24\x80"
            .as_slice(),
        &keys[24..],
    ]
    .concat();
    assert_eq!(kind(&endless), Some(Kind::PrivateKey));
    // A signed mail is of the same family, and holds certificates.
    let signed = [
        b"\x30\x82\x0A\x10\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02\xA0\x82\x0A\x01\x30\x82"
            .as_slice(),
        &keys[24..],
    ]
    .concat();
    assert_eq!(kind(&signed), None);
}

#[test]
fn decompression_bomb_is_scanned_fast() {
    let zeros = vec![0; 32 * 1024 * 1024];
    let spaces = vec![b' '; 32 * 1024 * 1024];
    let bomb = compress_to_vec(&spaces, 6);
    let member = |data: &[u8]| {
        let mut out =
            b"PK\x03\x04\x14\0\x08\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0a".to_vec();
        out.extend(data);
        out
    };
    let inner = zip(&[("a", &zeros, true)], false);
    let many: Vec<(&str, &[u8], bool)> = (0..200)
        .map(|_| ("inner.zip", inner.as_slice(), false))
        .collect();
    let streams = vec![(FLATE, compress_to_vec_zlib(&spaces, 6)); 300];
    let table = (
        FLATE,
        compress_to_vec_zlib(
            format!("beginbfrange {}", "<0000> <FFFF> <0000> ".repeat(400_000)).as_bytes(),
            6,
        ),
    );
    let page = (
        FLATE,
        compress_to_vec_zlib("BT <0001> Tj ET ".repeat(2_000_000).as_bytes(), 6),
    );
    for (how, file) in [
        ("one member", zip(&[("a", &spaces, true)], false)),
        ("members without lengths", member(&bomb).repeat(300)),
        ("zips in a zip", zip(&many, false)),
        ("gzip in gzip", gzip(&gzip(&gzip(&spaces)))),
        ("members of gzip", gzip(&spaces).repeat(300)),
        ("streams", pdf(&streams)),
        ("a table and a page", pdf(&[table, page])),
        ("headers alone", b"PK\x03\x04".repeat(2_000_000)),
        ("headers of nothing", member(b"").repeat(250_000)),
        (
            "streams of nothing",
            [
                b"%PDF-1.4\n".to_vec(),
                b"stream\nxendstream\n".repeat(400_000),
            ]
            .concat(),
        ),
        (
            "streams without an end",
            [b"%PDF-1.4\n".to_vec(), b"obj stream\n".repeat(600_000)].concat(),
        ),
        (
            "brackets",
            pdf(&[flate(&format!("Tj {}", "(".repeat(8_000_000)))]),
        ),
    ] {
        let began = Instant::now();
        let _ = kind(&file);
        let took = began.elapsed();
        println!("{how}: {} KiB: {took:?}", file.len() >> 10);
        assert!(took < Duration::from_secs(60), "{how}: {took:?}");
    }
}

#[test]
fn damaged_archive_is_scanned_up_to_the_damage() {
    let text = format!("{} {}", token(), body(ALNUM, 5000, 32));
    let github = Some(Kind::Token("GitHub"));
    let packed = compress_to_vec(text.as_bytes(), 6);
    let mut broken = gzip(text.as_bytes());
    let half = broken.len() / 2;
    broken[half..].fill(0xFF);
    assert_eq!(kind(&broken), github);
    assert_eq!(kind(&gzip(text.as_bytes())[..half]), github);
    let mut file = zip(&[("a", text.as_bytes(), true)], false);
    file.truncate(31 + packed.len() / 2);
    assert_eq!(kind(&file), github);
}

proptest! {
    #[test]
    fn scan_never_panics_after_any_magic_number(
        start in prop::sample::select(vec![
            "PK\u{3}\u{4}", "%PDF-1.7\nobj << >>\nstream\n", "%PDF-1.7\nobj stream\nx\u{9c}",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..2048),
    ) {
        let file = [start.as_bytes(), &bytes].concat();
        let _ = kind(&file);
        let _ = kind(&[b"\x1F\x8B\x08".as_slice(), &bytes].concat());
    }

    #[test]
    fn scan_never_panics_on_a_changed_byte(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let page = "BT 72 700 Td [(Pass) 3 (w) 12 (ort:) -250 <416265> 2 (#Rot77)] TJ T* ET";
        let table = "1 beginbfchar <01> <0050> endbfchar 1 beginbfrange <02> <05> [<0041> <0042>] endbfrange";
        for mut file in [
            zip(&[("a.xml", b"<?xml ?><w:p><w:t>x</w:t></w:p><c r=\"ZZZ9\" t=\"s\"><v>0</v>", true), ("b", b"x", false)], false),
            gzip(b"some text"),
            pdf(&[flate(page), flate(table), ("", page.as_bytes().to_vec())]),
        ] {
            let at = at.index(file.len());
            file[at] = byte;
            let cut = cut.index(file.len());
            let _ = kind(&file);
            let _ = kind(&file[..cut]);
        }
    }

    #[test]
    fn scan_never_panics_on_any_page_and_font(
        parts in prop::collection::vec(prop::sample::select(vec![
            "BT", "ET", "Tj", "TJ", "Td", "Tm", "T*", "'", "\"", "(", ")", "\\", "\\9", "\\777", "<", ">", "<<",
            "[", "]", "%", "\n", " ", "-", ".", "1e9", "999999999999999999999", "-0.5", "/F1", "abc", "<00>",
            "<0041>", "<FFFFFFFFFF>", "beginbfchar", "beginbfrange", "endbfchar", "endbfrange", "\u{e9}",
        ]), 0..80)
    ) {
        let text = parts.join(" ");
        let _ = kind(&pdf(&[flate(&text), flate(&format!("Tj {text}")), ("", text.into_bytes())]));
    }

    #[test]
    fn archived_secret_is_found(before in any::<String>(), after in any::<String>(), level in 0_u8..10) {
        let text = format!("{before}\n{} {after}", token());
        let mut file = b"\x1F\x8B\x08\0\0\0\0\0\0\x03".to_vec();
        file.extend(compress_to_vec(text.as_bytes(), level));
        prop_assert!(kind(&file).is_some());
    }
}
