//! [`MediaFile`]: a file of a post as it leaves: exactly the bytes whose hash was approved.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platinum_social_client::{Media, Post};
use sha2::{Digest as _, Sha256};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// Its name.
    pub name: String,
    /// Its type.
    pub content_type: String,
    /// What it shows.
    pub alt: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The files of a post.
///
/// # Errors
/// If one is not what was approved, in words.
pub fn read_files(post: &Post) -> Result<Vec<MediaFile>, String> {
    post.media.iter().map(read_file).collect()
}

fn read_file(media: &Media) -> Result<MediaFile, String> {
    let name = &media.name;
    let data = media.data.as_deref().unwrap_or_default();
    let bytes = STANDARD
        .decode(data)
        .map_err(|_| format!("the data of `{name}` is not Base64"))?;
    let digest = hex::encode(Sha256::digest(&bytes));
    if bytes.len() as u64 != media.size || !digest.eq_ignore_ascii_case(&media.sha256) {
        return Err(format!("`{name}` is not the file that was approved"));
    }
    Ok(MediaFile {
        name: name.clone(),
        content_type: media.content_type().unwrap_or_default().to_owned(),
        alt: media.alt.clone(),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_read_only_if_it_is_the_approved_one() {
        let mut media = Media {
            name: "a.png".into(),
            kind: None,
            size: 3,
            alt: "x".into(),
            sha256: hex::encode(Sha256::digest(b"abc")).to_uppercase(),
            data: Some(STANDARD.encode(b"abc")),
        };
        assert_eq!(read_file(&media).unwrap().bytes, b"abc");
        media.size = 4;
        let refusal = "`a.png` is not the file that was approved";
        assert_eq!(read_file(&media).unwrap_err(), refusal);
        media.size = 3;
        media.data = Some(STANDARD.encode(b"abd"));
        assert_eq!(read_file(&media).unwrap_err(), refusal);
        media.data = Some("%".into());
        assert_eq!(
            read_file(&media).unwrap_err(),
            "the data of `a.png` is not Base64"
        );
        media.data = None;
        assert_eq!(read_file(&media).unwrap_err(), refusal);
    }
}
