//! Real servers of social networks for the tests, in the target folder: Bluesky's PDS with its directory of
//! accounts, snac (a small server of the Fediverse) and mastodon-mock (which has what snac lacks, and faults).
//!
//! Nothing is installed on the machine and nothing is compiled. Lives elsewhere: what starts them for a test is
//! `platinum_testkit::social`; what of better-sqlite3 the PDS needs is in `sqlite-shim.js`, how it is started in
//! `pds.mjs`. Each of the three is had or not had by itself; the rest as in [`fetched`].

use std::{fs, path::Path};

use super::fetched::{self, DebianPackage, ready, run, shell};
use crate::setup;

/// What the PDS runs on: it needs a newer node than many distributions have.
const NODE: &str = "node@22";
const PDS_PACKAGES: [&str; 2] = ["@atproto/pds@0.5", "@did-plc/server@0.0.1"];
const SHIM: &str = include_str!("sqlite-shim.js");
const SHIM_PACKAGE: &str = r#"{"name":"better-sqlite3","version":"12.99.0","main":"index.js"}"#;
const PDS_PACKAGE: &str = r#"{"private":true,"type":"module","overrides":{"better-sqlite3":"file:./shim"},"dependencies":{"better-sqlite3":"file:./shim"}}"#;
const PDS_START: &str = include_str!("pds.mjs");
const MOCK: &str = "mastodon-mock==0.6.1";

/// Gets what is missing of all three, at the same time.
///
/// # Errors
/// If the target folder cannot be written.
pub(crate) fn set_up(root: &Path) -> anyhow::Result<()> {
    let cache = setup::target(root).join("social");
    let (pds, snac, mock) = (cache.join("pds"), cache.join("snac"), cache.join("mock"));
    std::thread::scope(|scope| {
        let snac = scope
            .spawn(|| fetched::provide(&snac, "snac", || ready(&snac, &[], || make_snac(&snac))));
        let mock = scope.spawn(|| {
            fetched::provide(&mock, "mastodon-mock", || {
                ready(&mock, &[MOCK], || make_mock(&mock))
            })
        });
        let parts = [
            NODE,
            PDS_PACKAGES[0],
            PDS_PACKAGES[1],
            SHIM,
            PDS_PACKAGE,
            PDS_START,
        ];
        let pds = fetched::provide(&pds, "PDS", || ready(&pds, &parts, || make_pds(&pds)));
        setup::joined(snac)?;
        setup::joined(mock)?;
        pds
    })
}

fn make_snac(folder: &Path) -> anyhow::Result<()> {
    // Without arguments it says what it is and ends with an error; where a library of its release is missing, the
    // loader says which.
    const SCRIPT: &str = r#"
words=$("$FOLDER/snac/usr/bin/snac" 2>&1 || true)
case $words in snac*) ;; *) echo "$words" | head -n 1 >&2; exit 1 ;; esac
"#;
    fetched::keyring("tests on a server of the Fediverse")?;
    let package = DebianPackage {
        name: "snac2",
        suite: "trixie",
        left_out: &[],
        step: "snac: Debian's package snac2 (from trixie, unpacked into the target folder)",
    };
    package.unpack(folder, "snac")?;
    let mut script = shell(SCRIPT, 10);
    script.env("FOLDER", folder);
    run("snac: does it start here", &mut script)
}

fn make_mock(folder: &Path) -> anyhow::Result<()> {
    fs::remove_file(folder.join("venv/ready")).ok();
    let version = (
        "sys.version_info >= (3, 10)",
        "mastodon-mock needs Python 3.10",
    );
    let step = "mastodon-mock: from PyPI (into the target folder)";
    fetched::python_packages(step, folder, &[MOCK], version)
}

/// The PDS without what would be compiled: its SQLite is node's own.
fn make_pds(folder: &Path) -> anyhow::Result<()> {
    const SCRIPT: &str = r#"
set -euo pipefail
cd "$FOLDER"
install() { npm install --no-audit --no-fund --no-update-notifier --fetch-retries=1 --loglevel=error "$@" >&2; }
if [ ! -x node/node_modules/.bin/node ]; then
    rm -rf node; mkdir node
    echo '{"private":true}' >node/package.json
    (cd node && install "$NODE")
fi
export PATH=$FOLDER/node/node_modules/.bin:$PATH
rm -rf node_modules package-lock.json
install --ignore-scripts "$@"
node -e 'import("@atproto/pds").then(() => process.exit(0))'
"#;
    fs::create_dir_all(folder.join("shim"))?;
    for (name, text) in [
        ("shim/package.json", SHIM_PACKAGE),
        ("shim/index.js", SHIM),
        ("package.json", PDS_PACKAGE),
        ("pds.mjs", PDS_START),
    ] {
        fs::write(folder.join(name), text)?;
    }
    let mut script = shell(SCRIPT, 600);
    script
        .args(PDS_PACKAGES)
        .env("FOLDER", folder)
        .env("NODE", NODE);
    run(
        "Bluesky's PDS and its node: 500 packages from npm (into the target folder)",
        &mut script,
    )
}
