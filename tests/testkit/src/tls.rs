//! An authority and server certificates for loopback, made by the `openssl` command: one good, one out of date, one
//! for another name, one signed by itself.
//!
//! Two certificates, because TLS clients refuse an authority that is also the server.

use std::{fs, path::Path};

use crate::run;

/// Makes `ca.pem`, `cert.pem`, `expired.pem`, `other-name.pem`, `self-signed.pem` and their `key.pem` in `dir`.
pub(crate) fn make_certificates(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(
        dir.join("leaf.ext"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n\
         basicConstraints=critical,CA:FALSE\n\
         keyUsage=critical,digitalSignature\n\
         extendedKeyUsage=serverAuth\n",
    )?;
    fs::write(
        dir.join("other.ext"),
        "subjectAltName=DNS:elsewhere.test\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n",
    )?;
    fs::write(
        dir.join("ca.cnf"),
        "[ca]\ndefault_ca=one\n[one]\nnew_certs_dir=.\ndatabase=index.txt\nserial=serial\ndefault_md=sha256\npolicy=any\n\
         private_key=ca.key\ncertificate=ca.pem\n[any]\ncommonName=supplied\n",
    )?;
    fs::write(dir.join("index.txt"), "")?;
    fs::write(dir.join("serial"), "01\n")?;
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
    let other_name = sign.map(|word| match word {
        "cert.pem" => "other-name.pem",
        "leaf.ext" => "other.ext",
        word => word,
    });
    run("openssl", &other_name, dir)?;
    run("openssl", &EXPIRED, dir)?;
    run("openssl", &SELF_SIGNED, dir)?;
    Ok(())
}

const EXPIRED: [&str; 17] = [
    "ca",
    "-batch",
    "-notext",
    "-config",
    "ca.cnf",
    "-in",
    "leaf.csr",
    "-out",
    "expired.pem",
    "-startdate",
    "20200101000000Z",
    "-enddate",
    "20200201000000Z",
    "-extfile",
    "leaf.ext",
    "-rand_serial",
    "-preserveDN",
];

/// As `openssl req -x509` makes one for whoever asks: an authority that is also the server.
const SELF_SIGNED: [&str; 12] = [
    "req",
    "-x509",
    "-key",
    "key.pem",
    "-out",
    "self-signed.pem",
    "-days",
    "30",
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
];
