//! The secrets that this machine holds, gathered so that none of them leaves it by accident.
//!
//! Lives here: where they are looked for, and when to look again ([`Secrets`]).
//! Lives elsewhere: how they are found in a text is `secrets`' (the crate); holding a file back is
//! `verify::gate`'s.
//! Invariants: a value is hashed as soon as it is read, and kept nowhere; a file that cannot be
//! read is logged and passed over: what is in it is still found by its shape; a link is followed,
//! since what counts is what the file says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use platinum_capabilities::zones::SecretSource;
use platinum_llm::KeySource;
use platinum_secrets::{AllowError, Allowances, KnownSecrets, Scanner};
use rand::RngCore as _;

use crate::Config;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Larger files hold no passwords.
const MAX_FILE: u64 = 1024 * 1024;
/// Files in the vault's own folder that are never synced and may hold secrets.
const VAULT_FILES: [&str; 7] = [
    ".env",
    ".env.local",
    ".env.production",
    "credentials.json",
    "token.json",
    "secrets.json",
    ".credentials",
];
/// The private keys of the state folder.
const STATE_KEYS: [&str; 3] = ["signing_key", "id_ed25519", "deploy_key"];

/// The files that were read, so that a change of one is noticed.
type Stamps = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// What this machine holds, and the scanner that knows it.
pub struct Secrets {
    scanner: Arc<Scanner>,
    sources: Sources,
    stamps: Mutex<Stamps>,
}

/// Where secrets are.
#[derive(Debug, Clone, Default)]
struct Sources {
    /// Files of `name = value`.
    settings: Vec<PathBuf>,
    /// Files whose whole text is the secret.
    whole: Vec<PathBuf>,
    /// Files of private keys.
    keys: Vec<PathBuf>,
    /// Git's stores of addresses with passwords.
    stores: Vec<PathBuf>,
    /// TOML files of a zone's server, which name more.
    servers: Vec<PathBuf>,
    /// Environment variables.
    variables: Vec<String>,
}

impl Secrets {
    /// Gathers what the configuration and the usual places name.
    ///
    /// # Errors
    /// If `[secrets] allow` lists what cannot be allowed.
    pub fn gather(config: &Config) -> Result<Self, AllowError> {
        let allowances = Allowances::parse(&config.secrets.allow)?;
        let sources = Sources::of(
            config,
            std::env::var_os("HOME").map(PathBuf::from).as_deref(),
        );
        let mut stamps = Stamps::new();
        let known = sources.read(&mut stamps);
        tracing::debug!(
            known = known.len(),
            "What this machine holds is known to the gate."
        );
        Ok(Self {
            scanner: Arc::new(Scanner::new(known, allowances)),
            sources,
            stamps: Mutex::new(stamps),
        })
    }

    /// The scanner that knows them.
    pub fn scanner(&self) -> Arc<Scanner> {
        Arc::clone(&self.scanner)
    }

    /// Looks every few seconds whether a file changed, for as long as the answer is held.
    pub fn keep_fresh(self) -> Arc<Self> {
        let secrets = Arc::new(self);
        let weak = Arc::downgrade(&secrets);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let Some(secrets) = weak.upgrade() else {
                    return;
                };
                // A few looks at files: short, but the disk's.
                let looked = tokio::task::spawn_blocking(move || secrets.refresh()).await;
                if looked.unwrap_or(false) {
                    tracing::info!(
                        "A file of secrets changed; what it holds now is known to the gate."
                    );
                }
            }
        });
        secrets
    }

    /// Reads again if a file changed since it was read; whether it did.
    pub fn refresh(&self) -> bool {
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps.iter().all(|(path, stamp)| stamp_of(path) == *stamp) {
            return false;
        }
        let mut now = Stamps::new();
        self.scanner.know(self.sources.read(&mut now));
        *stamps = now;
        true
    }
}

impl Sources {
    fn of(config: &Config, home: Option<&Path>) -> Self {
        let mut sources = Self::default();
        let vault = &config.vault.path;
        sources
            .settings
            .extend(VAULT_FILES.iter().map(|name| vault.join(name)));
        sources
            .keys
            .extend(STATE_KEYS.iter().map(|name| config.vault.state.join(name)));
        match &config.model.key {
            Some(KeySource::File(path)) => sources.whole.push(path.clone()),
            Some(KeySource::Env(name)) => sources.variables.push(name.clone()),
            _ => {}
        }
        sources.variables.extend(config.sync.env.iter().cloned());
        for source in config
            .zones
            .configured()
            .flat_map(|(_, zone)| zone.secrets())
        {
            match source {
                SecretSource::Variable(name) => sources.variables.push(name),
                SecretSource::Settings(path) => sources.servers.push(path),
            }
        }
        if let Some(home) = home {
            sources.stores = vec![
                home.join(".git-credentials"),
                home.join(".config/git/credentials"),
            ];
        }
        sources
    }

    fn read(&self, stamps: &mut Stamps) -> KnownSecrets {
        let mut salt = [0; 32];
        rand::rng().fill_bytes(&mut salt);
        let mut known = KnownSecrets::new(salt);
        let mut variables = self.variables.clone();
        let mut whole = self.whole.clone();
        for path in &self.servers {
            if let Some(text) = text_of(path, stamps) {
                server_settings(&text, path, &mut known, &mut whole, &mut variables);
            }
        }
        for path in &self.settings {
            if let Some(text) = text_of(path, stamps) {
                settings(&text, &mut known);
            }
        }
        for path in &whole {
            if let Some(text) = text_of(path, stamps) {
                known.add(text.trim().as_bytes());
                // Tokens are kept as an object: each of its values is one.
                if text.trim_start().starts_with('{') {
                    settings(&text, &mut known);
                }
            }
        }
        for path in &self.keys {
            if let Some(text) = text_of(path, stamps) {
                key_body(&text, &mut known);
            }
        }
        for path in &self.stores {
            if let Some(text) = text_of(path, stamps) {
                text.lines().for_each(|line| address(line, &mut known));
            }
        }
        for name in variables {
            if let Ok(value) = std::env::var(&name) {
                known.add(value.trim().as_bytes());
            }
        }
        known
    }
}

fn stamp_of(path: &Path) -> Option<(SystemTime, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// The text of a file, if it is there; when it was read is noted.
fn text_of(path: &Path, stamps: &mut Stamps) -> Option<String> {
    let stamp = stamp_of(path);
    stamps.insert(path.to_owned(), stamp);
    let (_, len) = stamp.filter(|(_, len)| *len <= MAX_FILE)?;
    match fs::read(path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            tracing::warn!(
                path = %path.display(), len,
                "Its secrets are not known to the gate, since it cannot be read: {error}."
            );
            None
        }
    }
}

/// The passwords that a server's configuration has, or names by file or variable.
fn server_settings(
    text: &str,
    path: &Path,
    known: &mut KnownSecrets,
    files: &mut Vec<PathBuf>,
    variables: &mut Vec<String>,
) {
    let Ok(table) = text.parse::<toml::Table>() else {
        return;
    };
    let base = path.parent().unwrap_or(Path::new("."));
    let mut visit = |key: &str, value: &toml::Value| match value {
        toml::Value::String(text) if is_secret_name(key) => {
            known.add(text.as_bytes());
        }
        toml::Value::Table(source) if is_secret_name(key) => {
            let text = |key: &str| source.get(key).and_then(toml::Value::as_str);
            files.extend(text("file").map(|file| lead(file, base)));
            variables.extend(text("env").map(str::to_owned));
        }
        _ => {}
    };
    each_value(&table, &mut visit);
}

/// Where a file that a configuration names is.
fn lead(file: &str, base: &Path) -> PathBuf {
    match (file.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(below), Some(home)) => Path::new(&home).join(below),
        _ => base.join(file),
    }
}

/// Every key and value of a table, and of the tables in it.
fn each_value(table: &toml::Table, visit: &mut dyn FnMut(&str, &toml::Value)) {
    for (key, value) in table {
        visit(key, value);
        match value {
            toml::Value::Table(inner) => each_value(inner, visit),
            toml::Value::Array(list) => {
                for inner in list.iter().filter_map(toml::Value::as_table) {
                    each_value(inner, visit);
                }
            }
            _ => {}
        }
    }
}

/// The values of `NAME=value` lines, or of a JSON object, that are secrets by their name or look.
fn settings(text: &str, known: &mut KnownSecrets) {
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
        json(&value, "", known);
        return;
    }
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').or_else(|| line.split_once(':')) else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        if !line.starts_with('#') {
            take(name, value, known);
        }
    }
}

fn json(value: &serde_json::Value, name: &str, known: &mut KnownSecrets) {
    match value {
        serde_json::Value::String(text) if text.contains("PRIVATE KEY") => key_body(text, known),
        serde_json::Value::String(text) => take(name, text, known),
        serde_json::Value::Array(list) => list.iter().for_each(|value| json(value, name, known)),
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                json(value, name, known);
            }
        }
        _ => {}
    }
}

/// Learns a value that is one; an address is no secret, but the password in it is.
fn take(name: &str, value: &str, known: &mut KnownSecrets) {
    if value.contains("://") {
        address(value, known);
    } else if is_secret_name(name) || looks_random(value) {
        known.add(value.as_bytes());
    }
}

fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "credential",
        "auth",
        "private",
        "pin",
        "seed",
        "cookie",
        "session",
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Long, of one word, and of digits and letters: no host, no path, no sentence.
fn looks_random(value: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    value.len() >= 20
        && value.chars().all(fits)
        && !value.starts_with('/')
        && value.chars().any(|c| c.is_ascii_digit())
        && value.chars().any(|c| c.is_ascii_alphabetic())
}

/// The lines between the frame of a key, each by itself: a part that is pasted is found too. The
/// first is passed over: it starts alike in all keys.
fn key_body(text: &str, known: &mut KnownSecrets) {
    let lines = text.lines().map(str::trim);
    let body = lines.filter(|line| !line.contains("-----") && !line.contains(": "));
    for line in body.skip(1).filter(|line| line.len() >= 16) {
        known.add(line.as_bytes());
    }
}

/// The password of `scheme://user:password@host`, as it is written and as it is meant.
fn address(line: &str, known: &mut KnownSecrets) {
    let Some((_, rest)) = line.trim().split_once("://") else {
        return;
    };
    let Some((user, _)) = rest.rsplit_once('@') else {
        return;
    };
    let password = user.split_once(':').map_or(user, |(_, password)| password);
    known.add(password.as_bytes());
    known.add(&unescaped(password));
}

/// A text without its `%40`s.
fn unescaped(text: &str) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        plain.extend_from_slice(before.as_bytes());
        let byte = after
            .get(..2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        plain.push(byte.unwrap_or(b'%'));
        rest = byte.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    plain.extend_from_slice(rest.as_bytes());
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(folder: &Path) -> Sources {
        Sources {
            settings: vec![folder.join(".env"), folder.join("credentials.json")],
            whole: vec![folder.join("key")],
            keys: vec![folder.join("signing_key")],
            stores: vec![folder.join(".git-credentials")],
            servers: vec![folder.join("mail.toml")],
            variables: Vec::new(),
        }
    }

    fn scanner(folder: &Path) -> Scanner {
        let known = sources(folder).read(&mut Stamps::new());
        Scanner::new(known, Allowances::default())
    }

    #[test]
    fn secrets_in_the_files_of_this_machine_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let body: String = ('!'..='~')
            .filter(char::is_ascii_alphanumeric)
            .rev()
            .collect();
        write(
            ".env",
            "# a comment\nexport SMTP_PASS=\"rosebud in snow\"\nHOST=mail.example.test\nMODE=production-like\n",
        );
        write(
            "credentials.json",
            "{\"installed\":{\"client_secret\":\"plain-words-only\",\"redirect\":\"http://localhost\"}}",
        );
        write("key", "the model key here\n");
        write(
            "signing_key",
            &format!("-----BEGIN X-----\n{body}\n{body}\n{body}\n-----END X-----\n"),
        );
        write(
            ".git-credentials",
            "https://me:open%40sesame@git.example.test\n",
        );
        write(
            "mail.toml",
            "[account.a]\npassword = { file = \"mail-password\" }\n[account.a.smtp]\npassword = { file = \"smtp-password\" }\n\
             [account.a.oauth]\ntoken = { file = \"a.token\" }\n",
        );
        write(
            "a.token",
            "{\"access_token\":\"an open window\",\"refresh_token\":\"a closed door\"}",
        );
        write("mail-password", "correct horse\n");
        write("smtp-password", "battery staple\n");
        let scanner = scanner(folder.path());
        for held in [
            "rosebud in snow",
            "plain-words-only",
            "the model key here",
            &body,
            "open%40sesame",
            "open@sesame",
            "correct horse",
            "battery staple",
            "an open window",
            "a closed door",
        ] {
            let found = scanner.content(format!("a note: {held}, and more").as_bytes());
            let kind = found.map(|found| found.kind);
            assert_eq!(kind, Some(platinum_secrets::Kind::Known), "{held}");
        }
        for free in ["mail.example.test", "production-like", "http://localhost"] {
            assert_eq!(scanner.content(free.as_bytes()), None, "{free}");
        }
    }

    #[test]
    fn refresh_reads_changed_files_again() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets {
            scanner: Arc::default(),
            sources: sources(folder.path()),
            stamps: Mutex::default(),
        };
        *secrets.stamps.lock().unwrap() = {
            let mut stamps = Stamps::new();
            secrets.scanner.know(secrets.sources.read(&mut stamps));
            stamps
        };
        assert!(!secrets.refresh());
        fs::write(folder.path().join("key"), "the model key here\n").unwrap();
        assert_eq!(secrets.scanner.content(b"the model key here"), None);
        assert!(secrets.refresh());
        assert!(secrets.scanner.content(b"the model key here").is_some());
        assert!(!secrets.refresh());
    }
}
