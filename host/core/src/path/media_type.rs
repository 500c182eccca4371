//! The media type of a file, by its name.

use super::VaultPath;

impl VaultPath {
    /// The media type that its extension stands for; `application/octet-stream` of one that is not known.
    pub fn media_type(&self) -> &'static str {
        let extension = self.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "png" => "image/png",
            "jpg" | "jpeg" => "image/jpeg",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "svg" => "image/svg+xml",
            "pdf" => "application/pdf",
            "txt" => "text/plain",
            "md" => "text/markdown",
            "csv" => "text/csv",
            // A mail too: the mail server takes no `message/*`, which may not be encoded.
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_is_by_the_extension() {
        for (path, expected) in [
            ("Inbox/a.JPG", "image/jpeg"),
            ("Inbox/a.b.png", "image/png"),
            ("Inbox/a.eml", "application/octet-stream"),
            ("Inbox/png", "application/octet-stream"),
        ] {
            let path: VaultPath = path.parse().unwrap();
            assert_eq!(path.media_type(), expected, "{path}");
        }
    }
}
