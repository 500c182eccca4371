//! What the Cloud API takes, as Meta documents it, and no more.

use serde_json::{Value, json};

use super::UploadedFile;

const MEGABYTE: usize = 1024 * 1024;

/// Whether it takes a file of this type and size.
pub(super) fn takes_file(media_type: &str, size: usize) -> bool {
    let office = "application/vnd.openxmlformats-officedocument.";
    match media_type {
        "image/jpeg" | "image/png" => size <= 5 * MEGABYTE,
        "text/plain" | "application/pdf" | "application/msword" => size <= 100 * MEGABYTE,
        other => other.starts_with(office) && size <= 100 * MEGABYTE,
    }
}

/// The type and the content of the file in a form, if it is one of three fields: `messaging_product`, `type`, `file`.
pub(super) fn file_of_form(head: &str, body: &[u8]) -> Option<(String, Vec<u8>)> {
    let kind = super::header(head, "content-type")?;
    let boundary = kind.strip_prefix("multipart/form-data; boundary=")?;
    let line = format!("--{boundary}");
    let mut rest = body.strip_prefix(line.as_bytes())?;
    let (mut product, mut media_type, mut file) = (None, None, None);
    let end = format!("\r\n{line}");
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let at = position(part, b"\r\n\r\n")?;
        let fields = String::from_utf8(part[..at].to_vec()).ok()?;
        let content = &part[at + 4..];
        let length = position(content, end.as_bytes())?;
        let text = || String::from_utf8(content[..length].to_vec()).ok();
        let name = fields.split("name=\"").nth(1)?.split('"').next()?;
        match name {
            "messaging_product" => product = text(),
            "type" => media_type = text(),
            "file" => {
                fields.contains("filename=\"").then_some(())?;
                let of = fields
                    .lines()
                    .find_map(|line| line.strip_prefix("Content-Type: "));
                file = Some((of?.to_owned(), content[..length].to_vec()));
            }
            _ => return None,
        }
        rest = &content[length + end.len()..];
    }
    let (of, bytes) = file?;
    let is_whole = rest == b"--\r\n" && product.as_deref() == Some("whatsapp");
    (is_whole && media_type.as_deref() == Some(&*of)).then_some((of, bytes))
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A page of the templates: `fields`, `limit`, `after` and `name` are known; the address of the next one is made up.
pub(super) fn template_page(templates: &[Value], query: &str, next: Option<&str>) -> Option<Value> {
    let (mut limit, mut after, mut name) = (25, 0, None);
    for pair in query.split('&') {
        match pair.split_once('=')? {
            ("fields", _) => {}
            ("limit", text) => limit = text.parse().ok()?,
            ("after", text) => after = text.parse().ok()?,
            ("name", text) => name = Some(text),
            _ => return None,
        }
    }
    let is_of = |one: &&Value| name.is_none_or(|name| one["name"] == name);
    let all: Vec<&Value> = templates.iter().filter(is_of).collect();
    let data: Vec<&Value> = all.iter().skip(after).take(limit).copied().collect();
    let until = after + data.len();
    let mut page = json!({ "data": data, "paging": { "cursors": { "before": "0", "after": until.to_string() } } });
    if until < all.len() {
        page["paging"]["next"] = json!(next.unwrap_or("https://graph.facebook.com/v26.0/next"));
    }
    Some(page)
}

/// Why a message is not taken, as the number of an error: it is not as the documentation has it, its template or its
/// file is not there.
pub(super) fn check_message(
    body: &Value,
    templates: &[Value],
    uploaded: &[UploadedFile],
) -> Result<(), i64> {
    let fields = body.as_object().ok_or(100)?;
    let known = [
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "context",
        "biz_opaque_callback_data",
    ];
    let kind = body["type"].as_str().ok_or(100)?;
    let reference = body["biz_opaque_callback_data"].as_str();
    let has_one_recipient = body["to"].is_string() || body["recipient"].is_string();
    let is_sound = fields
        .keys()
        .all(|key| known.contains(&key.as_str()) || key == kind)
        && body["messaging_product"] == "whatsapp"
        && has_one_recipient
        && reference.is_none_or(|text| text.len() <= 512);
    if !is_sound {
        return Err(100);
    }
    let it = body[kind].as_object().ok_or(100)?;
    let has_only = |keys: &[&str]| match it.keys().all(|key| keys.contains(&key.as_str())) {
        true => Ok(()),
        false => Err(100),
    };
    let text = |key: &str| it.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_short = |key: &str, max: usize| text(key).chars().count() <= max;
    match kind {
        "text" => {
            has_only(&["body", "preview_url"])?;
            (!text("body").is_empty() && is_short("body", 4096))
                .then_some(())
                .ok_or(100)
        }
        "image" | "document" => {
            has_only(&["id", "caption", "filename"])?;
            let file = uploaded
                .iter()
                .find(|file| file.id == text("id"))
                .ok_or(131_053)?;
            let is_of_kind = (kind == "image") == file.media_type.starts_with("image/");
            let has_name = kind == "image" || !text("filename").is_empty();
            (is_of_kind && has_name && is_short("caption", 1024))
                .then_some(())
                .ok_or(100)
        }
        "template" => {
            has_only(&["name", "language", "components"])?;
            let is_it = |one: &&Value| {
                one["name"] == text("name")
                    && one["language"] == body["template"]["language"]["code"]
                    && one["status"] == "APPROVED"
            };
            let template = templates.iter().find(is_it).ok_or(132_001)?;
            check_parameters(template, &body["template"]["components"])
        }
        _ => Err(131_051),
    }
}

/// Whether every gap of a template gets a value that is taken, and no more.
fn check_parameters(template: &Value, given: &Value) -> Result<(), i64> {
    for (part, key) in [("HEADER", "header"), ("BODY", "body")] {
        let components = template["components"].as_array().ok_or(100)?;
        let text = components.iter().find(|one| one["type"] == part);
        let text = text
            .and_then(|one| one["text"].as_str())
            .unwrap_or_default();
        let gaps = text
            .split("{{")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("}}")?.0.trim()));
        let mut gaps: Vec<&str> = gaps.collect();
        gaps.sort_unstable();
        gaps.dedup();
        let values = given
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["type"] == key);
        let values = values.and_then(|one| one["parameters"].as_array());
        let values: Vec<&Value> = values.into_iter().flatten().collect();
        if values.len() != gaps.len() {
            return Err(132_000);
        }
        for value in values {
            let text = value["text"].as_str().unwrap_or_default();
            let is_named = gaps.iter().any(|gap| gap.parse::<u32>().is_err());
            let name = value["parameter_name"].as_str();
            let is_sound =
                value["type"] == "text" && !text.is_empty() && !text.contains(['\n', '\t']);
            if !is_sound || (is_named != name.is_some_and(|name| gaps.contains(&name))) {
                return Err(132_012);
            }
        }
    }
    Ok(())
}
