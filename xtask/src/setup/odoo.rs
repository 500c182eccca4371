//! A real Odoo for the tests, in the target folder: Debian's package, its Python packages, a database.
//!
//! Nothing of it is installed on the machine but PostgreSQL; the package is unpacked, not installed. Lives elsewhere:
//! what starts it for a test is `platinum_testkit::odoo`, which reads what is made here.
//! Invariants: what cannot be had in bounded time is no failure of the test command: the reason is left in
//! `unavailable`, and the tests that need Odoo are skipped with it. What is ready is not made again.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::Context;
use sha2::{Digest as _, Sha256};

use super::fetched::{self, DebianPackage, run, shell};
use crate::setup;

/// What is installed into the database besides our addon: the modules whose ways to act are tested.
const MODULES: &str = "account,sale,sms,snailmail_account,account_payment,account_edi_ubl_cii";
/// What of the package no test needs: three quarters of it. Every manifest stays, since Odoo reads all of them.
const LEFT_OUT: [&str; 7] = [
    "*/i18n",
    "*/addons/*/tests",
    "*/addons/*/static/tests",
    "*/addons/l10n_*/data",
    "*/addons/website*/static",
    "*/addons/point_of_sale/static",
    "*/addons/pos_*/static",
];
/// What Odoo 19 imports. Where a version is named, its wheels fit Python 3.10 to 3.13 and each other.
const PYTHON_PACKAGES: [&str; 40] = [
    "asn1crypto",
    "Babel",
    "cbor2",
    "chardet<6",
    "cryptography==42.0.8",
    "pyopenssl==24.1.0",
    "python-dateutil",
    "docutils==0.20.1",
    "freezegun",
    "geoip2",
    "gevent==24.2.1",
    "greenlet==3.0.3",
    "idna",
    "Jinja2",
    "libsass",
    "lxml==5.2.1",
    "lxml-html-clean",
    "MarkupSafe",
    "num2words",
    "ofxparse",
    "openpyxl",
    "passlib",
    "Pillow<12",
    "polib",
    "psutil",
    "psycopg2-binary",
    "pypdf<6",
    "python-magic",
    "python-stdnum",
    "pytz",
    "qrcode",
    "reportlab==4.1.0",
    "requests",
    "rjsmin",
    "setuptools<81",
    "urllib3",
    "vobject",
    "Werkzeug==3.0.1",
    "XlsxWriter",
    "zeep",
];
const TEMPLATE: &str = include_str!("odoo-template.sh");
const USERS: &str = include_str!("odoo-users.py");

/// Gets what is missing. If that cannot be had, says why and leaves the reason for the tests.
///
/// # Errors
/// If the target folder cannot be written.
pub(crate) fn set_up(root: &Path) -> anyhow::Result<()> {
    let cache = setup::target(root).join("odoo");
    fetched::provide(&cache, "Odoo", || make(root, &cache))
}

fn make(root: &Path, cache: &Path) -> anyhow::Result<()> {
    const WHY: &str = "tests on a real Odoo";
    let addons = root.join("deploy/odoo/addons");
    let drafter = root.join("deploy/odoo/make-drafter.py");
    let ready = cache.join("ready");
    let digest = digest(&addons, &drafter)?;
    if fs::read_to_string(&ready).is_ok_and(|text| text == digest) {
        return Ok(());
    }
    fs::remove_file(&ready).ok();
    if !Path::new("/usr/lib/postgresql").is_dir() {
        setup::packages(WHY, &["postgresql"])?;
    }
    fetched::keyring(WHY)?;
    std::thread::scope(|scope| {
        let package = scope.spawn(|| unpack(cache));
        python(cache)?;
        setup::joined(package)
    })?;
    let users = cache.join("odoo-users.py");
    fs::write(&users, USERS)?;
    let mut script = shell(TEMPLATE, 1200);
    script
        .env("CACHE", cache)
        .env("ADDONS", &addons)
        .env("MODULES", format!("{MODULES},platinum_draft_only"))
        .env("PORT", free_port()?.to_string())
        .env(
            "SCRIPTS",
            format!("{} {}", drafter.display(), users.display()),
        );
    run("Odoo: a database with accounting", &mut script)?;
    Ok(fs::write(ready, digest)?)
}

/// Debian's package, without its dependencies: those are of another release.
fn unpack(cache: &Path) -> anyhow::Result<()> {
    let package = DebianPackage {
        name: "odoo-19",
        suite: "sid",
        left_out: &LEFT_OUT,
        step: "Odoo: Debian's package odoo-19 (from sid, 120 MB, unpacked into the target folder)",
    };
    package.unpack(cache, "odoo")
}

/// Its Python packages, in a folder of their own.
fn python(cache: &Path) -> anyhow::Result<()> {
    let version = (
        "(3, 10) <= sys.version_info < (3, 14)",
        "Odoo 19 needs Python 3.10 to 3.13",
    );
    let step = "Odoo: 40 Python packages from PyPI (into the target folder)";
    fetched::python_packages(step, cache, &PYTHON_PACKAGES, version)
}

/// What the database is made of: if that changes, it is made anew.
fn digest(addons: &Path, drafter: &Path) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for text in [TEMPLATE, USERS, MODULES].iter().chain(&LEFT_OUT) {
        hash.update(text);
    }
    hash.update(fs::read(drafter)?);
    // Python files are read at each start; what they leave in the folder is not theirs.
    for path in data_files(addons)? {
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        hash.update(&text);
    }
    Ok(hex::encode(hash.finalize()))
}

/// The files of the addons that are loaded into a database.
fn data_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let is_data = path
            .extension()
            .is_some_and(|end| end == "xml" || end == "csv")
            || path.ends_with("__manifest__.py");
        if path.is_dir() {
            found.extend(data_files(&path)?);
        } else if is_data {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Below those that the system hands out by itself.
fn free_port() -> anyhow::Result<u16> {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000)?;
    (first..32_000)
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .context("no free port on loopback")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_of_what_is_loaded_into_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let drafter = folder.path().join("make-drafter.py");
        let addon = folder.path().join("addons/one");
        fs::create_dir_all(addon.join("models")).unwrap();
        for file in ["__manifest__.py", "groups.xml", "models/code.py"] {
            fs::write(addon.join(file), "first").unwrap();
        }
        fs::write(&drafter, "first").unwrap();
        let now = || digest(&folder.path().join("addons"), &drafter).unwrap();
        let first = now();
        fs::write(addon.join("models/code.py"), "second").unwrap();
        assert_eq!(now(), first);
        fs::write(addon.join("groups.xml"), "second").unwrap();
        let second = now();
        assert_ne!(second, first);
        fs::write(&drafter, "second").unwrap();
        assert_ne!(now(), second);
    }
}
