//! A note as a file of a program: a document, a PDF, gzip; as it is, or in a mail.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

/// The file of a note.
pub(crate) fn file(seed: u64, text: &str) -> Vec<u8> {
    let file = match seed / 4 % 3 {
        0 => document(text),
        1 => pdf(text),
        _ => gzip(text),
    };
    if (seed / 12).is_multiple_of(2) {
        return file;
    }
    let text = STANDARD.encode(file);
    let lines: Vec<&[u8]> = text.as_bytes().chunks(76).collect();
    let head =
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    [head.as_slice(), &lines.join(b"\r\n".as_slice())].concat()
}

fn document(text: &str) -> Vec<u8> {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let paragraphs: String = escaped
        .lines()
        .map(|line| format!("<w:p w:rsidR=\"00A77B3E\" w:rsidRDefault=\"00A77B3E\"><w:r><w:t xml:space=\"preserve\">{line}</w:t></w:r></w:p>"))
        .collect();
    let xml =
        format!("<?xml version=\"1.0\"?><w:document><w:body>{paragraphs}</w:body></w:document>");
    let data = compress_to_vec(xml.as_bytes(), 6);
    let mut out = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    for len in [data.len(), xml.len()] {
        out.extend(u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
    }
    out.extend(b"\x11\0\0\0word/document.xml");
    out.extend(data);
    out
}

fn pdf(text: &str) -> Vec<u8> {
    let mut page = "BT /F1 12 Tf 72 700 Td\n".to_owned();
    for line in text.lines() {
        let line = line
            .replace('\\', "\\\\")
            .replace('(', "\\(")
            .replace(')', "\\)");
        let middle = line.char_indices().nth(9).map_or(line.len(), |(at, _)| at);
        let (front, back) = line.split_at(middle);
        page.push_str(&format!("[({front}) -12 ({back})] TJ 0 -14 Td\n"));
    }
    page.push_str("ET");
    // As most programs write: a byte a letter.
    let page: Vec<u8> = page
        .chars()
        .map(|c| match c {
            '\u{2022}' => 0x95,
            '\u{2014}' => 0x97,
            c => u8::try_from(u32::from(c)).unwrap_or(b' '),
        })
        .collect();
    let data = compress_to_vec_zlib(&page, 6);
    let mut out = format!(
        "%PDF-1.7\n1 0 obj\n<< /Length {} /Filter /FlateDecode >>\nstream\n",
        data.len()
    )
    .into_bytes();
    out.extend(data);
    out.extend(b"\nendstream\nendobj\n%%EOF\n");
    out
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = b"\x1F\x8B\x08\0\0\0\0\0\0\x03".to_vec();
    out.extend(compress_to_vec(text.as_bytes(), 6));
    out.extend([0; 8]);
    out
}
