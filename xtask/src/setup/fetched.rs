//! What is fetched into the target folder and installed nowhere: in bounded time, and with the reason where it cannot
//! be had.
//!
//! Lives elsewhere: what is fetched is in [`odoo`](super::odoo) and [`social`](super::social); what starts it for a
//! test is in `platinum_testkit`, which reads `ready` and `unavailable`.
//! Invariants: what cannot be had is no failure of the test command: the tests that need it are skipped with the
//! reason. Every script ends with all that it started.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use sha2::{Digest as _, Sha256};

use crate::{setup, steps::Step};

/// The keys of Debian's archive.
pub(super) const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// How `timeout` ends when it had to end what it ran.
const TOO_LATE: i32 = 124;

/// Runs `make`, which leaves what `what` names ready in a folder. If it cannot, says why and leaves the reason for the
/// tests.
///
/// # Errors
/// If the folder cannot be written.
pub(super) fn provide(
    folder: &Path,
    what: &str,
    make: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let reason = folder.join("unavailable");
    match make() {
        Ok(()) => match fs::remove_file(reason) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        },
        Err(error) => {
            eprintln!("The tests that need {what} are skipped: {error:#}");
            Ok(fs::write(reason, format!("no {what} here: {error:#}"))?)
        }
    }
}

/// Makes what is not ready, or was made of other parts.
///
/// # Errors
/// Those of `make`, and if it cannot be recorded.
pub(super) fn ready(
    folder: &Path,
    parts: &[&str],
    make: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mark = folder.join("ready");
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let digest = hex::encode(hash.finalize());
    if fs::read_to_string(&mark).is_ok_and(|text| text == digest) {
        return Ok(());
    }
    fs::remove_file(&mark).ok();
    make()?;
    Ok(fs::write(mark, digest)?)
}

/// A package of Debian, without its dependencies.
pub(super) struct DebianPackage<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The release it is of, which need not be this machine's.
    pub(super) suite: &'a str,
    /// Patterns of what is not unpacked.
    pub(super) left_out: &'a [&'a str],
    /// What the step is called.
    pub(super) step: &'a str,
}

impl DebianPackage<'_> {
    /// Unpacks it into `folder/<name>`, unless that is there, with its version in the file `version`.
    ///
    /// # Errors
    /// If it cannot be had in ten minutes.
    pub(super) fn unpack(&self, folder: &Path, name: &str) -> anyhow::Result<()> {
        const SCRIPT: &str = r#"
set -euo pipefail
mirror=$(sed -n 's/^URIs: *//p;s/^deb  *\(\[[^]]*\] *\)\?\(http[^ ]*\).*/\2/p' /etc/apt/sources.list \
    /etc/apt/sources.list.d/debian.sources 2>/dev/null | grep '/debian/\?$' | head -n 1 || true)
apt=$FOLDER/apt
rm -rf "$apt" "$FOLDER/$NAME.part"
mkdir -p "$apt"/lists/partial "$apt"/cache/archives/partial "$FOLDER/$NAME.part"
echo "deb [signed-by=$KEYRING] ${mirror:-http://deb.debian.org/debian} $SUITE main" >"$apt/sources.list"
cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Architecture "$(dpkg --print-architecture)";
APT::Sandbox::User "root";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Languages "none";
CONF
export APT_CONFIG=$apt/apt.conf
cd "$apt"
timeout 120 apt-get -q update -o APT::Update::Error-Mode=any
timeout 300 apt-get -q download "$PACKAGE"
dpkg-deb --fsys-tarfile "$PACKAGE"_*.deb | tar -x -C "$FOLDER/$NAME.part" --no-same-owner $LEFT_OUT
dpkg-deb -f "$PACKAGE"_*.deb Version >"$FOLDER/$NAME.part/version"
rm -rf "$FOLDER/$NAME"
mv "$FOLDER/$NAME.part" "$FOLDER/$NAME"
rm -rf "$apt"
"#;
        if folder.join(name).join("version").is_file() {
            return Ok(());
        }
        let left_out = self
            .left_out
            .iter()
            .map(|pattern| format!("--exclude={pattern}"));
        let mut script = shell(SCRIPT, 600);
        script
            .env("FOLDER", folder)
            .env("NAME", name)
            .env("PACKAGE", self.name)
            .env("SUITE", self.suite)
            .env("KEYRING", KEYRING)
            .env("LEFT_OUT", left_out.collect::<Vec<_>>().join(" "));
        run(self.step, &mut script)
    }
}

/// Installs the keys of Debian's archive, if this system has none.
///
/// # Errors
/// If they cannot be installed.
pub(super) fn keyring(why: &str) -> anyhow::Result<()> {
    match Path::new(KEYRING).is_file() {
        true => Ok(()),
        false => setup::packages(why, &["debian-archive-keyring"]),
    }
}

/// Installs packages of PyPI into `folder/venv`, unless they are there. `python` is what they need of Python: a Python
/// expression over `sys.version_info`, and its words.
///
/// # Errors
/// If they cannot be had in ten minutes.
pub(super) fn python_packages(
    step: &str,
    folder: &Path,
    packages: &[&str],
    (condition, words): (&str, &str),
) -> anyhow::Result<()> {
    const SCRIPT: &str = r#"
set -euo pipefail
rm -rf "$FOLDER/venv"
python3 -c "import sys, ensurepip; assert $CONDITION, '$WORDS'"
python3 -m venv "$FOLDER/venv"
"$FOLDER/venv/bin/pip" install -q --disable-pip-version-check --no-compile --prefer-binary --retries 1 "$@"
touch "$FOLDER/venv/ready"
"#;
    if folder.join("venv/ready").is_file() {
        return Ok(());
    }
    let mut script = shell(SCRIPT, 600);
    script
        .args(packages)
        .env("FOLDER", folder)
        .env("CONDITION", condition)
        .env("WORDS", words);
    run(step, &mut script)
}

/// A script that is killed, with all that it started, after so many seconds.
pub(super) fn shell(script: &str, seconds: u32) -> Command {
    let mut command = Command::new("timeout");
    command
        .args([
            "-k",
            "10",
            &seconds.to_string(),
            "bash",
            "-c",
            script,
            "bash",
        ])
        .stdin(Stdio::null());
    command
}

/// Runs a script as a step; if it fails, its last words are the error.
pub(super) fn run(name: &str, script: &mut Command) -> anyhow::Result<()> {
    let step = Step::start(name);
    let output = script.output().with_context(|| name.to_owned())?;
    if output.status.success() {
        step.done();
        return Ok(());
    }
    step.failed();
    if output.status.code() == Some(TOO_LATE) {
        bail!("{name}: not done in time");
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().rev().find(|line| !line.trim().is_empty());
    bail!(
        "{name}: {} ({})",
        last.unwrap_or("no word of the error").trim(),
        output.status
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_says_the_last_words_of_a_failure_or_that_it_was_late() {
        let error = |script: &str, seconds| {
            run("a step", &mut shell(script, seconds))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error("echo first >&2; echo last >&2; exit 3", 60),
            "a step: last (exit status: 3)"
        );
        assert_eq!(error("sleep 60", 1), "a step: not done in time");
    }

    #[test]
    fn provide_leaves_the_reason_until_it_can_be_had() {
        let folder = tempfile::tempdir().unwrap();
        let reason = || fs::read_to_string(folder.path().join("unavailable")).ok();
        provide(folder.path(), "Odoo", || bail!("no network")).unwrap();
        assert_eq!(reason().as_deref(), Some("no Odoo here: no network"));
        provide(folder.path(), "Odoo", || Ok(())).unwrap();
        assert_eq!(reason(), None);
    }

    #[test]
    fn ready_makes_once_until_a_part_changes() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = 0;
        let mut after = |parts: &[&str]| {
            ready(folder.path(), parts, || {
                made += 1;
                Ok(())
            })
            .unwrap();
            made
        };
        assert_eq!(after(&["ab", "c"]), 1);
        assert_eq!(after(&["ab", "c"]), 1);
        assert_eq!(after(&["a", "bc"]), 2);
        let failed = ready(folder.path(), &["d"], || anyhow::bail!("no network"));
        assert_eq!(failed.unwrap_err().to_string(), "no network");
        assert_eq!(after(&["a", "bc"]), 3);
    }
}
