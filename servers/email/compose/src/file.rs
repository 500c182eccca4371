//! [`File`]: what is attached to a mail, and the type that its name says.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::ComposeError;

/// What is sloppy about its end is read all the same.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A file to attach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, one line.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl File {
    /// Reads an attachment given as base64 text, in lines or in one.
    ///
    /// # Errors
    /// If it is not base64.
    pub fn from_base64(name: &str, media_type: &str, base64: &str) -> Result<Self, ComposeError> {
        let digits: Vec<u8> = base64.bytes().filter(|b| !b"\r\n".contains(b)).collect();
        let bytes = BASE64.decode(digits).map_err(|_| ComposeError::Base64 {
            name: name.chars().take(80).collect(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_base64_takes_lines_and_refuses_other_text() {
        for given in ["Zm9vYg==", "Zm9v\r\nYg==\r\n", "Zm9vYg"] {
            let file = File::from_base64("a", "text/plain", given).unwrap();
            assert_eq!(file.bytes, b"foob", "{given:?}");
        }
        for given in ["Zm9v!", "Zm 9v", "=", "Zm9vY"] {
            let error = File::from_base64("a", "text/plain", given).unwrap_err();
            let expected = "attachment \"a\": its content is not base64";
            assert_eq!(error.to_string(), expected, "{given:?}");
        }
    }
}
