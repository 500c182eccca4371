//! The cases that are one file: its name gives it away, or what is in it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::leaks::{fixture::HELD, values};

/// One way to sneak a secret out.
pub(crate) struct Case {
    /// In words.
    pub(crate) how: String,
    /// The file's name, below the folder of the case.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) bytes: Vec<u8>,
    /// What of it must not be found anywhere; empty if any file of the name is refused.
    pub(crate) needle: Vec<u8>,
}

pub(crate) fn case(
    how: impl Into<String>,
    name: &str,
    bytes: impl Into<Vec<u8>>,
    needle: impl Into<Vec<u8>>,
) -> Case {
    Case {
        how: how.into(),
        name: name.to_owned(),
        bytes: bytes.into(),
        needle: needle.into(),
    }
}

/// Files whose name is enough. What is in them is harmless.
pub(crate) fn names() -> Vec<Case> {
    let names = [
        ".env",
        ".ENV",
        ".env.local",
        ".env.md",
        ".env.txt",
        ".envrc",
        "production.env.txt",
        "prod.env.md",
        "\u{FF0E}\u{FF45}\u{FF4E}\u{FF56}.md",
        ".env~",
        ".env.swp",
        "#.env#.md",
        "._.env.txt",
        "ENV~1.TXT",
        "credentials.md",
        "Credentials.MD",
        "CREDENTIALS.md",
        "credentials.json.md",
        "credentials.txt",
        "credentials.csv",
        "credentials (1).csv",
        "credentials copy.txt",
        "Copy of credentials.txt",
        "Kopie von credentials.csv",
        "aws_credentials.csv",
        "credentials.bak.txt",
        "old_credentials.txt",
        "credentials-old.csv",
        "cred\u{200B}entials.txt",
        "cred\u{0435}ntials.txt",
        "\u{0441}redentials.txt",
        "\u{FF23}redentials.txt",
        "CREDEN~1.TXT",
        "credentials.conflict-local-20261120T184303123Z-0123abcd.csv",
        "credentials.sync-conflict-20261120-184303-ABCDEFG.txt",
        "Secrets.md",
        "secrets.txt",
        "client_secret.md",
        "client_secret_123.apps.googleusercontent.com.json.txt",
        "client-secret.txt",
        "passwords.md",
        "Passwords.txt",
        "PASSWORDS.csv",
        "Passw\u{F6}rter.md",
        "Passwo\u{308}rter.md",
        "Kennw\u{F6}rter.txt",
        "Zugangsdaten.md",
        "api_keys.md",
        "api-keys.txt",
        "API Keys.md",
        "apikey.txt",
        "github_token.txt",
        "github_token.md",
        "access-token.csv",
        "refresh_token.txt",
        "token.txt",
        "TOKENS.csv",
        "bot-token.txt",
        "id_rsa.txt",
        "ID_RSA.md",
        "id_ed25519.md",
        "id_ed25519.bak.txt",
        "id_ecdsa.txt",
        "ssh_host_ed25519_key.txt",
        "server.pem.txt",
        "server.PEM.md",
        "server.key.txt",
        "cert.p12.md",
        "cert.pfx.txt",
        "vault.kdbx.md",
        "work.ovpn.txt",
        "release.jks.txt",
        "login.keystore.md",
        "whatsapp.session.md",
        "telegram.session-journal.txt",
        "whatsapp.sqlite.txt",
        "whatsapp.db.md",
        "whatsapp-state/chats.md",
        "x/WhatsApp-State/y/chats.txt",
        "auth_info_baileys/creds.txt",
        "me.session.csv",
        "cookies.txt",
        "Cookies.csv",
        "wallet.dat.txt",
        "service-account.txt",
        "service_account_prod.csv",
        "recovery-codes.txt",
        "Recovery Codes.md",
        "seed_phrase.txt",
        "Chrome Passwords.csv",
        "My Passwords 2026.csv",
        "Meine Passw\u{F6}rter.csv",
        "Wifi passwords.txt",
        "bitwarden_export_20261120.csv",
        "GitHub recovery codes.md",
        "github-recovery-codes.md",
        "Google backup codes.pdf",
        "Wiederherstellungscodes GitHub.txt",
        "Recovery codes for GitHub.md",
        "Ledger seed phrase.md",
        "BitLocker recovery key.txt",
        "netrc.txt",
        "_netrc.txt",
        "htpasswd.txt",
        "kubeconfig.txt",
        "terraform.tfstate.txt",
        "rclone.conf.txt",
        "master.key.txt",
        "banking/statement.pdf",
        "Banking/2026/statement.csv",
        "BANKING/x.md",
        "b\u{FF41}nking/x.md",
        "BANKIN~1/x.md",
        "a/b/c/banking/x.md",
        ".ssh/config.md",
        "x/.ssh/known_hosts.txt",
        ".gnupg/notes.md",
        ".aws/config.txt",
        ".password-store/mail.md",
        "secrets/mail.md",
    ];
    names
        .iter()
        .map(|name| case(format!("the name {name:?}"), name, "harmless", ""))
        .collect()
}

/// A token of every service, as it is pasted.
pub(crate) fn tokens() -> Vec<Case> {
    let around: [(&str, &str, &str); 5] = [
        ("note.md", "Please use this one: ", "\nThanks!\n"),
        ("note.md", "```\nexport KEY=\"", "\"\n```\n"),
        ("list.csv", "service;value\nx;", "\n"),
        ("mail.eml", "Subject: access\r\n\r\n> ", "\r\n"),
        ("todo.md", "- [ ] rotate `", "` soon\n"),
    ];
    values::tokens()
        .into_iter()
        .enumerate()
        .map(|(n, (service, token))| {
            let (name, before, after) = around[n % around.len()];
            case(
                format!("a token of {service}"),
                name,
                format!("{before}{token}{after}"),
                token,
            )
        })
        .collect()
}

/// Private keys in every frame; passwords, addresses, cards and accounts.
pub(crate) fn keys_and_numbers() -> Vec<Case> {
    let key = values::private_key;
    let body = values::key_letters;
    let mut list = Vec::new();
    for (n, what) in ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "]
        .into_iter()
        .enumerate()
    {
        let text = key(what, 1000 + 10 * n as u64);
        let line = text.lines().nth(1).unwrap().to_owned();
        list.push(case(
            format!("a key: {what}"),
            "key.md",
            format!("My key:\n\n{text}"),
            line,
        ));
    }
    let pem = key("", 1100);
    let line = pem.lines().nth(1).unwrap().to_owned();
    let quoted: String = pem.lines().map(|line| format!("> {line}\n")).collect();
    let indented: String = pem.lines().map(|line| format!("    {line}\n")).collect();
    for (how, text) in [
        ("quoted", quoted),
        ("indented", indented),
        ("with the line ends of Windows", pem.replace('\n', "\r\n")),
        (
            "in one line of JSON",
            format!("{{\"private_key\":\"{}\"}}", pem.replace('\n', "\\n")),
        ),
        ("with long dashes", pem.replace("-----", "\u{2014}\u{2014}")),
        (
            "without its end",
            pem.lines().take(5).collect::<Vec<_>>().join("\n"),
        ),
    ] {
        list.push(case(format!("a key {how}"), "key.txt", text, line.clone()));
    }
    for (how, text, needle) in [
        (
            "a key of PGP",
            format!(
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\nComment: mine\n\n{}\n",
                body(400, 1200)
            ),
            body(400, 1200),
        ),
        (
            "a key of PuTTY",
            format!(
                "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 1\n{}\n",
                body(64, 1201)
            ),
            body(64, 1201),
        ),
        (
            "a key of age",
            format!("AGE-SECRET-KEY-1{}", values::capitals(58, 1202)),
            values::capitals(58, 1202),
        ),
        (
            "a key of OpenSSH without its frame",
            format!("b3BlbnNzaC1rZXktdjE{}", body(200, 1203)),
            body(200, 1203),
        ),
        (
            "a web key",
            format!("{{\"kty\":\"OKP\",\"d\":\"{}\"}}", body(43, 1204)),
            body(43, 1204),
        ),
        (
            "a key in base64",
            STANDARD.encode(key("", 1205)),
            STANDARD.encode(key("", 1205)),
        ),
        (
            "a key of WireGuard",
            format!("[Interface]\nPrivateKey = {}8=\n", body(42, 1206)),
            body(42, 1206),
        ),
    ] {
        list.push(case(how, "note.md", text, needle));
    }
    for (n, (before, value, after)) in [
        ("password = ", "Tr0ub4dor&3x", "\n"),
        ("Passwort: ", "Sommer!2026x", "\n"),
        ("**Kennwort:** `", "Abend#Rot771", "`\n"),
        ("| Passwort | ", "Abend#Rot772", " |\n"),
        ("Das Passwort lautet ", "Abend#Rot773", ".\n"),
        ("the password is ", "Abend#Rot774", ", as ever\n"),
        ("Passwort:\n", "Abend#Rot775", "\n"),
        ("{\"smtp_password\": \"", "q8Zr!mmP2x", "\"}\n"),
        ("<password>", "q8Zr!mmP3x", "</password>\n"),
        ("mysql --password ", "q8Zr!mmP4x", "\n"),
        ("SMTP_PASS=", "q8Zrmm5Pxy", "\n"),
        (
            "machine m.example.test login me password ",
            "open6sesame",
            "\n",
        ),
        ("App-Passwort: ", "bcdf ghjk lmnp qrst", "\n"),
        (
            "$2b$10$",
            "N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "\n",
        ),
        ("Authorization: Basic ", "bWU6cThacm1tUDJ4IQ==", "\n"),
        ("postgres://app:", "q8Zrmm7P", "@db.example.test/app\n"),
        ("redis://:", "q8Zrmm8P", "@cache:6379\n"),
        ("https://me:", "q8Zrmm9P", "@git.example.test/x.git\n"),
        ("Server=db;User Id=app;Password=", "q8Zr!mm0P", ";\n"),
        ("spring.datasource.password=", "q8Zr!mm1P", "\n"),
    ]
    .into_iter()
    .enumerate()
    {
        list.push(case(
            format!("a password {n}: {before:?}"),
            "note.md",
            format!("{before}{value}{after}"),
            value,
        ));
    }
    for (n, text) in [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "Karte 4556737586899855",
        "4556737586899855 CVC 123",
        "5555 5555 5555 4444",
        "3782 822463 10005",
        "Visa: 4012888888881881",
        "\n4556737586899855\n",
    ]
    .into_iter()
    .enumerate()
    {
        list.push(case(format!("a card {n}"), "note.md", text, text.trim()));
    }
    for (n, text) in [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "IBAN: GB29 NWBK 6016 1331 9268 19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NL91ABNA0417164300",
        "at61 1904 3002 3457 3201",
        "CH93 0076 2011 6238 5295 7",
    ]
    .into_iter()
    .enumerate()
    {
        list.push(case(format!("an account {n}"), "note.md", text, text));
    }
    list
}

/// What this machine holds, in every type of file and every way to write it.
pub(crate) fn known() -> Vec<Case> {
    let mut list = Vec::new();
    for (n, secret) in HELD.into_iter().enumerate() {
        let twice = |text: &str| format!("Some text.\n\n{text}\n\nMore text.\n");
        let utf16 = |little: bool| -> Vec<u8> {
            format!("\u{FEFF}{}", twice(secret))
                .encode_utf16()
                .flat_map(|unit| {
                    if little {
                        unit.to_le_bytes()
                    } else {
                        unit.to_be_bytes()
                    }
                })
                .collect()
        };
        let bare: Vec<u8> = utf16(true).into_iter().skip(2).collect();
        let packed: String = secret.split_whitespace().collect();
        let hex: String = packed.bytes().map(|b| format!("{b:02x}")).collect();
        let entities: String = secret
            .chars()
            .map(|c| format!("&#{};", u32::from(c)))
            .collect();
        let escapes: String = secret.bytes().map(|b| format!("\\u00{b:02x}")).collect();
        let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
        let hidden: String = secret.chars().flat_map(|c| [c, '\u{200B}']).collect();
        let wide: String = secret
            .chars()
            .map(|c| match c {
                '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
                other => other,
            })
            .collect();
        let (front, back) = packed.split_at(9);
        let wrapped = format!("{front}\r\n{back}");
        let quoted =
            format!("Content-Transfer-Encoding: quoted-printable\n\na=3Db {front}=\n{back}\n");
        let picture = [
            b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR".as_slice(),
            packed.as_bytes(),
            b"\0\0\0\0IEND",
        ]
        .concat();
        let pdf = format!("%PDF-1.7\n1 0 obj\n<< /Title ({packed}) >>\nendobj\n");
        let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><text>{packed}</text></svg>");
        let ways: Vec<(&str, &str, Vec<u8>)> = vec![
            ("as it is", "note.md", twice(secret).into()),
            ("without its spaces", "note.md", twice(&packed).into()),
            ("in a word", "note.md", format!("x{packed}y").into()),
            (
                "in the front",
                "note.md",
                format!("---\nkey: {secret}\n---\nText.\n").into(),
            ),
            (
                "in a comment",
                "note.md",
                format!("%%{secret}%%\n<!-- x -->\n").into(),
            ),
            (
                "in a link",
                "note.md",
                format!("[x](https://example.test/?q={percent})").into(),
            ),
            ("in UTF-16", "note.txt", utf16(true)),
            ("in UTF-16 of the other order", "note.txt", utf16(false)),
            ("in UTF-16 without a mark", "note.csv", bare),
            (
                "in base64",
                "note.md",
                twice(&STANDARD.encode(secret)).into(),
            ),
            (
                "in base64, shifted by one",
                "mail.eml",
                twice(&STANDARD.encode(format!("x{packed}"))).into(),
            ),
            (
                "in base64, shifted by two",
                "mail.eml",
                twice(&STANDARD.encode(format!("xy{packed}."))).into(),
            ),
            (
                "in base64 twice",
                "note.md",
                twice(&STANDARD.encode(STANDARD.encode(twice(secret)))).into(),
            ),
            ("in hexadecimal", "note.md", twice(&hex).into()),
            (
                "in capital hexadecimal",
                "note.md",
                twice(&hex.to_uppercase()).into(),
            ),
            ("in entities", "note.md", twice(&entities).into()),
            ("in escapes", "note.md", twice(&escapes).into()),
            ("with invisible letters", "note.md", twice(&hidden).into()),
            ("in wide letters", "note.md", twice(&wide).into()),
            ("over two lines", "note.md", twice(&wrapped).into()),
            ("in quoted-printable", "mail.eml", quoted.into()),
            ("in a picture", "picture.png", picture.clone()),
            ("in a photograph", "photo.JPG", picture),
            ("in a document", "paper.pdf", pdf.into()),
            ("in a drawing", "drawing.svg", svg.into()),
            (
                "in a table",
                "table.csv",
                format!("a;b\n1;{secret}\n").into(),
            ),
            (
                "with the line ends of old",
                "note.txt",
                format!("a\r{secret}\rb").into(),
            ),
            (
                "after a great deal",
                "long.md",
                format!("{}{secret}", "Words and words. ".repeat(60_000)).into(),
            ),
        ];
        for (how, name, bytes) in ways {
            let needle = match how {
                "after a great deal" | "as it is" => secret.as_bytes().to_vec(),
                _ => Vec::new(),
            };
            list.push(case(format!("secret {n} {how}"), name, bytes, needle));
        }
        list.push(case(
            format!("secret {n} in a name"),
            &format!("{packed}.md"),
            "harmless",
            packed.clone(),
        ));
        list.push(case(
            format!("secret {n} in the name of a folder"),
            &format!("a {packed} b/note.md"),
            "harmless",
            packed,
        ));
    }
    list
}

/// One token in every disguise.
pub(crate) fn disguises() -> Vec<Case> {
    let token = |n: u64| format!("ghp_{}", values::key_letters(36, 2000 + n));
    let mut list = Vec::new();
    let mut add = |how: &str, name: &str, text: Vec<u8>| {
        list.push(case(format!("a token {how}"), name, text, ""));
    };
    let t = token(1);
    add(
        "escaped for Markdown",
        "note.md",
        t.replace('_', "\\_").into(),
    );
    add(
        "with an entity",
        "note.md",
        t.replace('_', "&lowbar;").into(),
    );
    add(
        "with a number's entity",
        "note.md",
        t.replace('_', "&#x5f;").into(),
    );
    add(
        "with a soft hyphen",
        "note.md",
        t.replace('_', "_\u{AD}").into(),
    );
    add(
        "with a byte order mark inside",
        "note.md",
        t.replace('_', "_\u{FEFF}").into(),
    );
    add(
        "with a joiner",
        "note.md",
        t.replace('_', "\u{200D}_").into(),
    );
    add(
        "with tags of language",
        "note.md",
        t.replace('_', "_\u{E0001}\u{E0067}").into(),
    );
    add("with a zero", "note.txt", t.replace('_', "_\0").into());
    add(
        "in mathematical letters",
        "note.md",
        t.chars()
            .map(|c| match c {
                'a'..='z' => char::from_u32(0x1D41A + u32::from(c) - 97).unwrap_or(c),
                'A'..='Z' => char::from_u32(0x1D400 + u32::from(c) - 65).unwrap_or(c),
                '0'..='9' => char::from_u32(0x1D7CE + u32::from(c) - 48).unwrap_or(c),
                other => other,
            })
            .collect::<String>()
            .into(),
    );
    add(
        "between bytes of no encoding",
        "note.txt",
        [b"\xFF\xFE\x80".as_slice(), b"\xFF", t.as_bytes()].concat()[3..].to_vec(),
    );
    add("in an attachment of a mail", "mail.eml", {
        let text = STANDARD.encode(format!("Hello,\nhere is the key: {t}\nBye\n"));
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(40)
            .map(|c| String::from_utf8_lossy(c).into_owned())
            .collect();
        format!(
            "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        )
        .into()
    });
    add(
        "in a data link",
        "note.md",
        format!("[x](data:text/plain;base64,{})", STANDARD.encode(&t)).into(),
    );
    add(
        "in base64 for links",
        "note.md",
        STANDARD
            .encode(format!("??>>{t}"))
            .replace('+', "-")
            .replace('/', "_")
            .into(),
    );
    add(
        "in hexadecimal",
        "note.md",
        t.bytes()
            .map(|b| format!("{b:02X}"))
            .collect::<String>()
            .into(),
    );
    add(
        "in escapes of a shell",
        "note.md",
        t.bytes()
            .map(|b| format!("\\x{b:02x}"))
            .collect::<String>()
            .into(),
    );
    add(
        "with a line continued",
        "note.md",
        format!("{}\\\n{}", &t[..12], &t[12..]).into(),
    );
    add(
        "in a message of git",
        "note.md",
        format!("commit 1\nAuthor: x\n\n    Use {t}\n").into(),
    );
    add(
        "in a link of git",
        "note.md",
        format!("https://{t}@github.example.test/a/b.git").into(),
    );
    add(
        "in a header",
        "note.md",
        format!("Authorization: token {t}").into(),
    );
    add(
        "in a picture's text",
        "picture.webp",
        [b"RIFF\0\0\0\0WEBP".as_slice(), t.as_bytes(), b"\0\0"].concat(),
    );
    list
}
