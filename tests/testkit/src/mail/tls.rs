//! An authority and a server certificate for loopback, made by the `openssl` command.
//!
//! Two certificates, because TLS clients refuse an authority that is also the server.

use std::{fs, path::Path};

use super::run;

/// Makes `ca.pem`, `cert.pem` and `key.pem` in `dir`.
pub(super) fn make_certificates(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(
        dir.join("leaf.ext"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n\
         basicConstraints=critical,CA:FALSE\n\
         keyUsage=critical,digitalSignature\n\
         extendedKeyUsage=serverAuth\n",
    )?;
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    let authority = [
        "req",
        "-x509",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "30",
        "-subj",
        "/CN=Platinum test authority",
    ];
    let request = [
        "req",
        "-keyout",
        "key.pem",
        "-out",
        "leaf.csr",
        "-subj",
        "/CN=localhost",
    ];
    let sign = [
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        "cert.pem",
        "-days",
        "30",
        "-extfile",
        "leaf.ext",
    ];
    run("openssl", &[&authority[..], &key].concat(), dir)?;
    run("openssl", &[&request[..], &key].concat(), dir)?;
    run("openssl", &sign, dir)?;
    Ok(())
}
