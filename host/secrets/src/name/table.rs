//! The names themselves.
//!
//! Three sorts, so that ordinary notes keep theirs: whole names that only programs give; ends that
//! only key files have; and words (`token`, `secret`), which count only in a name as programs
//! write them, or alone as the whole name of a note.

const KEYS: &str = "private keys";
const LOGINS: &str = "passwords and tokens";
const SESSIONS: &str = "the sessions of programs";
const BANK: &str = "bank statements";

/// Folders of secrets, at any depth.
const FOLDERS: [(&str, &str); 17] = [
    (".ssh", KEYS),
    (".gnupg", KEYS),
    (".aws", LOGINS),
    (".azure", LOGINS),
    (".kube", LOGINS),
    (".docker", LOGINS),
    (".gcloud", LOGINS),
    (".password-store", LOGINS),
    (".secrets", LOGINS),
    (".vault-token", LOGINS),
    (".keychain", KEYS),
    (".mozilla", SESSIONS),
    ("auth_info_baileys", SESSIONS),
    ("whatsapp-state", SESSIONS),
    ("keychains", KEYS),
    ("banking", BANK),
    ("secrets", LOGINS),
];

/// Whole names, with or without an end (`cookies` is `cookies` and `cookies.txt`).
const FILES: [(&str, &str); 64] = [
    ("id_rsa", KEYS),
    ("id_dsa", KEYS),
    ("id_ecdsa", KEYS),
    ("id_ecdsa_sk", KEYS),
    ("id_ed25519", KEYS),
    ("id_ed25519_sk", KEYS),
    ("id_xmss", KEYS),
    ("ssh_host_rsa_key", KEYS),
    ("ssh_host_dsa_key", KEYS),
    ("ssh_host_ecdsa_key", KEYS),
    ("ssh_host_ed25519_key", KEYS),
    ("signing_key", KEYS),
    ("secring", KEYS),
    ("wallet.dat", KEYS),
    ("master.key", KEYS),
    ("key3.db", LOGINS),
    ("key4.db", LOGINS),
    ("logins.json", LOGINS),
    ("login data", LOGINS),
    ("netrc", LOGINS),
    ("_netrc", LOGINS),
    (".netrc", LOGINS),
    (".npmrc", LOGINS),
    (".yarnrc", LOGINS),
    (".pypirc", LOGINS),
    (".pgpass", LOGINS),
    ("pgpass.conf", LOGINS),
    (".my.cnf", LOGINS),
    (".htpasswd", LOGINS),
    ("htpasswd", LOGINS),
    (".git-credentials", LOGINS),
    (".dockercfg", LOGINS),
    (".dockerconfigjson", LOGINS),
    (".s3cfg", LOGINS),
    (".boto", LOGINS),
    (".terraformrc", LOGINS),
    ("terraform.tfstate", LOGINS),
    ("terraform.tfvars", LOGINS),
    ("rclone.conf", LOGINS),
    ("kubeconfig", LOGINS),
    (".vault-token", LOGINS),
    (".fetchmailrc", LOGINS),
    (".msmtprc", LOGINS),
    (".mbsyncrc", LOGINS),
    (".esmtprc", LOGINS),
    (".cargo-credentials", LOGINS),
    ("application_default_credentials", LOGINS),
    ("shadow", LOGINS),
    (".bash_history", LOGINS),
    (".zsh_history", LOGINS),
    (".python_history", LOGINS),
    (".psql_history", LOGINS),
    (".mysql_history", LOGINS),
    (".sqlite_history", LOGINS),
    (".node_repl_history", LOGINS),
    ("cookies.txt", SESSIONS),
    ("cookies.sqlite", SESSIONS),
    ("cookies.json", SESSIONS),
    ("cookies.csv", SESSIONS),
    ("cookiejar", SESSIONS),
    ("cookie-jar", SESSIONS),
    (".session", SESSIONS),
    ("whatsapp.db", SESSIONS),
    ("whatsapp.sqlite", SESSIONS),
];

/// Notes of this very name, whatever their end, are made to write secrets down.
const WHOLE_NOTES: [&str; 30] = [
    "credential",
    "credentials",
    "creds",
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passphrases",
    "passwort",
    "passwörter",
    "passwoerter",
    "kennwort",
    "kennwörter",
    "kennwoerter",
    "zugangsdaten",
    "zugänge",
    "api_key",
    "api_keys",
    "api-key",
    "api-keys",
    "api key",
    "api keys",
    "apikey",
    "apikeys",
    "seed phrase",
    "recovery codes",
    "backup codes",
    "wallet seed",
];

/// Ends that only key files and stores of passwords have, wherever in the name they stand.
const KEY_ENDS: [&str; 24] = [
    "pem",
    "p12",
    "pfx",
    "p8",
    "ppk",
    "jks",
    "jceks",
    "bcfks",
    "keystore",
    "kdbx",
    "kdb",
    "psafe3",
    "ovpn",
    "agekey",
    "kwallet",
    "keychain",
    "keychain-db",
    "opvault",
    "agilekeychain",
    "1pif",
    "1pux",
    "keytab",
    "wallet",
    "gnucash",
];

/// Words that make a name of a program's own one of a file of secrets.
const WORDS: [&str; 26] = [
    "credential",
    "credentials",
    "creds",
    "secret",
    "secrets",
    "token",
    "tokens",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "apikey",
    "apikeys",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "bottoken",
    "privatekey",
    "clientsecret",
    "accesskeys",
    "rootkey",
    "htpasswd",
    "passwort",
    "cookies",
    "kennwort",
    "zugangsdaten",
];

/// Two words of which the same holds.
const PAIRS: [(&str, &str); 17] = [
    ("api", "key"),
    ("api", "keys"),
    ("private", "key"),
    ("private", "keys"),
    ("access", "key"),
    ("access", "keys"),
    ("secret", "key"),
    ("ssh", "key"),
    ("deploy", "key"),
    ("service", "account"),
    ("recovery", "codes"),
    ("backup", "codes"),
    ("recovery", "code"),
    ("seed", "phrase"),
    ("wallet", "seed"),
    ("recovery", "phrase"),
    ("recovery", "key"),
];

/// Two words at the end of a name, or before `for`, that are no talk about secrets in any file.
const CODES: [(&str, &str); 12] = [
    ("recovery", "code"),
    ("recovery", "codes"),
    ("recovery", "key"),
    ("recovery", "keys"),
    ("recovery", "phrase"),
    ("backup", "code"),
    ("backup", "codes"),
    ("emergency", "codes"),
    ("scratch", "codes"),
    ("seed", "phrase"),
    ("wallet", "seed"),
    ("mnemonic", "phrase"),
];
/// The same in one word.
const CODE_WORDS: [&str; 4] = [
    "wiederherstellungscode",
    "wiederherstellungscodes",
    "sicherungscodes",
    "notfallcodes",
];

/// Many of them: in a name of few words, a list.
const PLURALS: [&str; 6] = [
    "passwords",
    "passwörter",
    "passwoerter",
    "kennwörter",
    "kennwoerter",
    "zugangsdaten",
];
/// Programs that keep passwords, and what they call what they give out.
const KEEPERS: [&str; 7] = [
    "bitwarden",
    "lastpass",
    "1password",
    "keepass",
    "keepassxc",
    "dashlane",
    "nordpass",
];
const EXPORTS: [&str; 4] = ["export", "exported", "vault", "backup"];

/// Ends of files that programs write and read; in these a word counts.
const MACHINE_ENDS: [&str; 22] = [
    "",
    "json",
    "yaml",
    "yml",
    "toml",
    "ini",
    "cfg",
    "conf",
    "config",
    "txt",
    "csv",
    "xml",
    "env",
    "properties",
    "db",
    "sqlite",
    "sqlite3",
    "pickle",
    "pkl",
    "plist",
    "log",
    "dat",
];

/// What a folder of this name holds. A file may have the name of some only with an end.
pub(super) fn folder(name: &str) -> Option<&'static str> {
    // As a file without an end no note has such a name either.
    let found = FOLDERS.iter().find(|(folder, _)| *folder == name);
    found.map(|(_, what)| *what)
}

/// What a file (or folder) of this name holds.
pub(super) fn file(name: &str) -> Option<&'static str> {
    if is_public_key(name) {
        return None;
    }
    is_environment(name)
        .or_else(|| listed(name))
        .or_else(|| by_end(name))
        .or_else(|| by_words(name))
}

fn is_public_key(name: &str) -> bool {
    name.starts_with("id_") && (name.ends_with(".pub") || name.ends_with(".pub.txt"))
}

/// `.env`, `.env.local`, `.envrc`, `production.env`, `prod.env.txt`
fn is_environment(name: &str) -> Option<&'static str> {
    let inner = || name.split('.').skip(1).any(|part| part == "env");
    (name.starts_with(".env") || inner()).then_some(LOGINS)
}

fn listed(name: &str) -> Option<&'static str> {
    let (stem, _) = split(name);
    let named = FILES.iter().find(|(file, _)| {
        let rest = name.strip_prefix(file);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    let whole = (WHOLE_NOTES.contains(&stem) || is_whole_note(name)).then_some(LOGINS);
    let browser = (name == "cookies").then_some(SESSIONS);
    named.map(|(_, what)| *what).or(whole).or(browser)
}

/// `credentials.json.md`: the name of such a note, and ends.
fn is_whole_note(name: &str) -> bool {
    let mut parts = name.split('.');
    let first = parts.next().unwrap_or_default();
    WHOLE_NOTES.contains(&first)
        && parts
            .all(|end| MACHINE_ENDS.contains(&end) || matches!(end, "md" | "pdf" | "eml" | "svg"))
}

fn by_end(name: &str) -> Option<&'static str> {
    let mut parts = name.split('.');
    parts.next();
    let ends: Vec<&str> = parts.collect();
    if ends.iter().any(|end| KEY_ENDS.contains(end)) {
        return Some(KEYS);
    }
    // `.key` is also the end of a word: it counts at the very end, or before `.txt`.
    if matches!(ends.as_slice(), [.., "key"] | [.., "key", "txt"]) {
        return Some(KEYS);
    }
    let is_session = |end: &str| {
        end.strip_prefix("session")
            .is_some_and(|rest| rest.is_empty() || rest == "s" || rest.starts_with(['-', '_']))
    };
    ends.into_iter().any(is_session).then_some(SESSIONS)
}

/// Names as people write them: `Chrome Passwords.csv`, `GitHub recovery codes.md`.
fn spoken(stem: &str, end: &str) -> bool {
    let mut words: Vec<&str> = stem
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    // A year, or the number of a copy.
    while words.len() > 1
        && let Some(last) = words.last()
        && last.bytes().all(|b| b.is_ascii_digit())
    {
        words.pop();
    }
    let pair = |two: &[&str]| CODES.iter().any(|(a, b)| two == [*a, *b]);
    let few = words.len() <= 4;
    let codes = words.windows(2).last().is_some_and(pair)
        || words.last().is_some_and(|word| CODE_WORDS.contains(word));
    let whose = matches!(words.as_slice(), [a, b, "for" | "für" | "fuer", ..] if pair(&[a, b]));
    if few && codes || whose {
        return true;
    }
    let machine = MACHINE_ENDS.contains(&end);
    let some_codes =
        words.windows(2).any(pair) || words.iter().any(|word| CODE_WORDS.contains(word));
    if machine && few && some_codes {
        return true;
    }
    let text = matches!(end, "" | "txt" | "log");
    let plural = |word: &&str| PLURALS.contains(word);
    let list = match text {
        true => words.len() <= 3 && words.last().is_some_and(plural),
        false => few && words.iter().any(plural),
    };
    let export = words.iter().any(|word| KEEPERS.contains(word))
        && words.iter().any(|word| EXPORTS.contains(word))
        || words.iter().any(|word| word.starts_with("1passwordexport"));
    machine && (list || export)
}

fn by_words(name: &str) -> Option<&'static str> {
    let (stem, end) = split(name);
    if spoken(stem, end) {
        return Some(LOGINS);
    }
    if name.contains(' ') || !MACHINE_ENDS.contains(&end) {
        // `client_secret.md`: written as programs write, and ending in the word.
        let own = !name.contains([' ', '-']) && name.contains('_');
        let last = stem.rsplit('_').next().unwrap_or_default();
        return (own && end == "md" && is_strong(last)).then_some(LOGINS);
    }
    let words: Vec<&str> = stem
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let single = words.iter().any(|word| WORDS.contains(word));
    let double = words.windows(2).any(|two| {
        PAIRS
            .iter()
            .any(|(first, second)| two.first() == Some(first) && two.get(1) == Some(second))
    });
    (single || double).then_some(LOGINS)
}

fn is_strong(word: &str) -> bool {
    matches!(
        word,
        "secret"
            | "secrets"
            | "credentials"
            | "creds"
            | "token"
            | "password"
            | "passwords"
            | "apikey"
    )
}

/// A name as a system that knows only short ones shows it: `CREDEN~1.JSO`.
pub(super) fn shortened(name: &str) -> Option<&'static str> {
    let (stem, _) = split(name);
    let (start, number) = stem.split_once('~')?;
    let counted = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if !counted || start.is_empty() || stem.chars().count() > 8 {
        return None;
    }
    let short = |long: &str| -> bool {
        let letters = long.chars().filter(|c| !matches!(c, '.' | ' '));
        let letters: String = letters.take(6).collect();
        letters == start
    };
    let shortenable = |long: &str| long.starts_with('.') || long.len() > 8;
    FOLDERS
        .iter()
        .chain(&FILES)
        .map(|(name, what)| (*name, *what))
        .chain(WHOLE_NOTES.iter().map(|name| (*name, LOGINS)))
        .chain([(".env", LOGINS), (".envrc", LOGINS), ("banking", BANK)])
        .find(|(name, _)| (shortenable(name) || *name == "banking") && short(name))
        .map(|(_, what)| what)
}

/// The name before its last dot, and what comes after it. A dot at the start begins no end.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => (&name[..dot], &name[dot + 1..]),
        _ => (name, ""),
    }
}
