//! Files on a server with Mastodon's API: uploaded with their description, and waited for until they are prepared.

use platinum_social_client::SocialError;
use platinum_social_client::mastodon::Mastodon;
use platinum_social_client::mastodon::status::is_id;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::media::MediaFile;
use crate::publisher::{Failure, Pace, wait_before};

/// Uploads a file: the id that a post refers to it by. Nobody sees it before, so it may be uploaded again.
///
/// # Errors
/// If it is not taken, or not prepared in time; nothing is published.
pub(super) async fn upload(
    network: &Mastodon,
    pace: Pace,
    file: &MediaFile,
) -> Result<String, Failure> {
    let failed = |error: &SocialError| Failure::NotDone {
        retry: error.is_passing(),
        words: format!("`{}` was not uploaded: {error}", file.name),
    };
    let mut attempt = 0;
    let (id, is_ready) = loop {
        wait_before(attempt, pace.pause).await;
        attempt += 1;
        match send(network, file).await {
            Ok(uploaded) => break uploaded,
            Err(error) if error.is_certain() || attempt >= pace.attempts => {
                return Err(failed(&error));
            }
            Err(_) => {}
        }
    };
    if is_ready {
        return Ok(id);
    }
    let path = format!("/api/v1/media/{id}");
    for _ in 0..pace.media_polls {
        tokio::time::sleep(pace.pause).await;
        match network.send(network.request(Method::GET, &path, &[])).await {
            // Partial content: it is still at it.
            Ok(answer) if answer.status == 206 => {}
            Ok(_) => return Ok(id),
            Err(error) if error.is_certain() => return Err(failed(&error)),
            Err(_) => {}
        }
    }
    Err(Failure::NotDone {
        retry: true,
        words: format!(
            "{} has not prepared `{}` in time",
            network.endpoint().host(),
            file.name
        ),
    })
}

/// The id of the file, and whether it is prepared.
async fn send(network: &Mastodon, file: &MediaFile) -> Result<(String, bool), SocialError> {
    let boundary = boundary(file);
    let body = multipart(file, &boundary);
    let request = |path: &str| {
        let kind = format!("multipart/form-data; boundary={boundary}");
        network
            .request(Method::POST, path, &[])
            .header(CONTENT_TYPE, kind)
            .body(body.clone())
    };
    let answer = match network.send(request("/api/v2/media")).await {
        Err(SocialError::Refused { status: 404, .. }) => {
            network.send(request("/api/v1/media")).await?
        }
        answer => answer?,
    };
    match answer.body.get("id").and_then(Value::as_str) {
        Some(id) if is_id(id) => Ok((id.to_owned(), answer.status != 202)),
        _ => Err(network.endpoint().lost("it is no file".to_owned())),
    }
}

/// A line that is in neither the file nor its description: it is made of their hash.
fn boundary(file: &MediaFile) -> String {
    let mut hash = Sha256::new();
    hash.update(&file.bytes);
    hash.update(&file.alt);
    format!("platinum-{}", hex::encode(hash.finalize()))
}

fn multipart(file: &MediaFile, boundary: &str) -> Vec<u8> {
    // The name is for nobody: only its end says something.
    let end: String = file
        .name
        .rsplit_once('.')
        .map(|(_, end)| {
            end.chars()
                .filter(char::is_ascii_alphanumeric)
                .take(8)
                .collect()
        })
        .unwrap_or_default();
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\n{}\r\n--{boundary}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"file.{end}\"\r\nContent-Type: {}\r\n\r\n",
        file.alt, file.content_type
    )
    .into_bytes();
    body.extend_from_slice(&file.bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipart_has_description_and_file() {
        let file = MediaFile {
            name: "a \"b\"\r\n.J\"PG".into(),
            content_type: "image/jpeg".into(),
            alt: "größer".into(),
            bytes: b"\xff\xd8--".to_vec(),
        };
        let body = multipart(&file, "B");
        let expected = [
            "--B\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\ngrößer\r\n--B\r\nContent-Disposition: \
             form-data; name=\"file\"; filename=\"file.JPG\"\r\nContent-Type: image/jpeg\r\n\r\n"
                .as_bytes(),
            b"\xff\xd8--",
            b"\r\n--B--\r\n",
        ]
        .concat();
        assert_eq!(body, expected);
        assert_eq!(boundary(&file).len(), 73);
    }
}
