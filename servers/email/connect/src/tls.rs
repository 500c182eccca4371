//! [`Trust`]: which certificates a server may show: one of the public roots or of `ca-file`, or the one whose
//! fingerprint is configured; and what to do about another one.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::endpoint::Endpoint;
use crate::error::ConnectError;

/// The SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads it as `openssl x509 -fingerprint -sha256` prints it, or without the colons.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let digits: String = text
            .rsplit('=')
            .next()
            .unwrap_or(text)
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .collect();
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes)
            .map(|()| Self(bytes))
            .map_err(|_| {
                "must be the SHA-256 of a certificate, 64 hexadecimal digits, as `openssl x509 -noout -fingerprint \
                 -sha256 -in CERTIFICATE` prints it"
            })
    }

    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}

/// What is trusted for one connection, and what its server showed.
pub(crate) struct Trust {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

impl Trust {
    /// Reads what an endpoint trusts.
    ///
    /// # Errors
    /// If its `ca-file` cannot be used.
    pub(crate) async fn new(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(path) = &endpoint.ca_file {
            let pem = tokio::fs::read(path).await.map_err(|error| {
                ConnectError::Setup(format!("cannot read ca-file {}: {error}", path.display()))
            })?;
            add_roots(&mut roots, path, &pem)?;
        }
        let no_tls = |error: &dyn fmt::Display| ConnectError::Setup(format!("TLS: {error}"));
        let provider = Arc::new(ring::default_provider());
        let by_authority =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = Arc::new(Verifier {
            by_authority: by_authority.build().map_err(|error| no_tls(&error))?,
            pinned: endpoint.certificate,
            shown: Mutex::new(None),
            provider: Arc::clone(&provider),
        });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| no_tls(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            verifier,
        })
    }

    pub(crate) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.config))
    }

    /// Whether what answered is not TLS.
    pub(crate) fn is_no_tls(&self, error: &std::io::Error) -> bool {
        matches!(inner(error), Some(Error::InvalidMessage(_)))
    }

    /// Whether it is the certificate that is not trusted.
    pub(crate) fn is_certificate(&self, error: &std::io::Error) -> bool {
        matches!(inner(error), Some(Error::InvalidCertificate(_)))
    }

    /// Why there is no TLS connection, and what to do about it.
    pub(crate) fn why(&self, error: &std::io::Error, host: &str) -> String {
        let Some(Error::InvalidCertificate(wrong)) = inner(error) else {
            return match error.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    "the server closed the connection during the TLS handshake".to_owned()
                }
                _ => format!("TLS: {error}"),
            };
        };
        let shown = self.verifier.shown();
        let trust_it = match shown {
            Some(shown) => format!(
                "to trust this one alone, compare its fingerprint on the server and write certificate-sha256 = \
                 \"{shown}\""
            ),
            None => "certificate-sha256 trusts one certificate alone".to_owned(),
        };
        if self.verifier.pinned.is_some() {
            let shown = shown.map(|shown| shown.to_string()).unwrap_or_default();
            return format!(
                "its certificate is not the one in `certificate-sha256`: it has {shown}; if it was renewed, compare \
                 that on the server and write it"
            );
        }
        match wrong {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("its certificate has expired ({wrong})")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!(
                    "its certificate is for another name than `host` = {host:?} ({wrong}); write the name it is for"
                )
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
                "its certificate is from an unknown authority; a private certificate authority goes into `ca-file`; \
                 {trust_it}"
            ),
            wrong if format!("{wrong:?}").contains("CaUsedAsEndEntity") => {
                format!("its certificate is signed by itself, and by no authority; {trust_it}")
            }
            wrong => format!("its certificate cannot be trusted ({wrong}); {trust_it}"),
        }
    }
}

fn inner(error: &std::io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn add_roots(roots: &mut RootCertStore, path: &Path, pem: &[u8]) -> Result<(), ConnectError> {
    let broken = |reason: &dyn fmt::Display| {
        ConnectError::Setup(format!("ca-file {}: {reason}", path.display()))
    };
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| broken(&error))?;
        roots.add(certificate).map_err(|error| broken(&error))?;
        count += 1;
    }
    match count {
        0 => Err(broken(&"there is no certificate (PEM) in it")),
        _ => Ok(()),
    }
}

/// Verifies by an authority, or by the fingerprint that is configured; remembers what was shown.
#[derive(Debug)]
struct Verifier {
    by_authority: Arc<WebPkiServerVerifier>,
    pinned: Option<Fingerprint>,
    shown: Mutex<Option<Fingerprint>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn shown(&self) -> Option<Fingerprint> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of(end_entity);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        match self.pinned {
            // Who has the key of this very certificate is the server: the handshake's signature is still verified.
            Some(pinned) if pinned == shown => Ok(ServerCertVerified::assertion()),
            Some(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            None => self.by_authority.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_read_as_openssl_prints_it() {
        let plain = "0123456789abcdef".repeat(4);
        let pairs: Vec<String> = plain
            .to_uppercase()
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).into_owned())
            .collect();
        let printed = format!("sha256 Fingerprint={}", pairs.join(":"));
        let read = Fingerprint::parse(&printed).unwrap();
        assert_eq!(read, Fingerprint::parse(&plain).unwrap());
        assert_eq!(read.to_string(), plain);
        for wrong in ["", "abc", &plain[1..], &format!("{plain}00")] {
            assert!(Fingerprint::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
