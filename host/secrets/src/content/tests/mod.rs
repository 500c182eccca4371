//! What is found in bytes and what is not: every rule, every way to read a text.
//!
//! The secrets are put together here from their parts, so that no file of the repository looks as
//! if it held one.

mod archive;
mod lines;
mod mail;
mod places;
mod tables;
mod wallets;

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use crate::{Allowances, Kind, KnownSecrets, Place, Scanner};

const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Letters that look random, the same for the same seed.
fn body(letters: &str, len: usize, seed: u64) -> String {
    let letters: Vec<char> = letters.chars().collect();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            letters[(state >> 33) as usize % letters.len()]
        })
        .collect()
}

/// Made once: most of a short test would be the making.
static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::default);

fn kind(text: &str) -> Option<Kind> {
    SCANNER.content(text.as_bytes()).map(|f| f.kind)
}

/// Writes a note for other scanners to read, into the folder `PLATINUM_NOTES_DIR` if there is one.
fn write_out(corpus: &str, number: usize, text: &str) {
    let Some(folder) = std::env::var_os("PLATINUM_NOTES_DIR") else {
        return;
    };
    let folder = std::path::PathBuf::from(folder).join(corpus);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{number}.md")), text).unwrap();
}

fn pem(what: &str) -> String {
    let lines: Vec<_> = (0..6).map(|n| body(ALNUM, 64, n)).collect();
    format!(
        "-----BEGIN {what}PRIVATE KEY-----\n{}\n-----END {what}PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

fn jwt(header: &str, claims: &str) -> String {
    let part = |text: &str| {
        let text = STANDARD.encode(text);
        text.trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_")
    };
    format!("{}.{}.{}", part(header), part(claims), body(ALNUM, 43, 9))
}

#[test]
fn service_tokens_are_found() {
    let a = |n: usize| body(ALNUM, n, 1);
    let h = |n: usize| body(HEX, n, 2);
    let u = |n: usize| body(UPPER, n, 3);
    let bot = STANDARD
        .encode("112233445566778899")
        .trim_end_matches('=')
        .to_owned();
    for (service, token) in [
        ("GitHub", format!("ghp_{}", a(36))),
        ("GitHub", format!("github_pat_{}_{}", a(22), a(59))),
        ("GitLab", format!("glpat-{}", a(20))),
        ("AWS", format!("AKIA{}", u(16))),
        ("AWS", format!("ASIA{}", u(16))),
        ("Google", format!("AIza{}", a(35))),
        ("Google", format!("GOCSPX-{}", a(28))),
        ("Google", format!("ya29.a0{}", a(80))),
        ("Azure", format!("AccountKey={}==", a(86))),
        ("Azure", format!("{}8Q~{}", a(3), a(34))),
        ("Slack", format!("xoxb-1234567890-{}", a(24))),
        (
            "Slack",
            format!(
                "https://hooks.slack.com/services/T{}/B{}/{}",
                u(8),
                u(8),
                a(24)
            ),
        ),
        ("Stripe", format!("sk_live_{}", a(24))),
        ("OpenAI", format!("sk-proj-{}", a(48))),
        ("OpenAI", format!("sk-{}", a(48))),
        ("Anthropic", format!("sk-ant-api03-{}", a(90))),
        ("Telegram", format!("123456789:AA{}", a(33))),
        ("Discord", format!("{bot}.{}.{}", a(6), a(30))),
        (
            "Discord",
            format!(
                "https://discord.com/api/webhooks/112233445566778899/{}",
                a(68)
            ),
        ),
        ("SendGrid", format!("SG.{}.{}", a(22), a(43))),
        ("Twilio", format!("SK{}", h(32))),
        ("Mailgun", format!("key-{}", h(32))),
        ("Mailchimp", format!("{}-us12", h(32))),
        ("npm", format!("npm_{}", a(36))),
        ("PyPI", format!("pypi-AgEIcHlwaS5vcmc{}", a(70))),
        ("Hugging Face", format!("hf_{}", a(34))),
        ("DigitalOcean", format!("dop_v1_{}", h(64))),
        ("Shopify", format!("shpat_{}", h(32))),
        ("Square", format!("sq0csp-{}", a(43))),
        ("Heroku", format!("HRKU-AA{}", a(58))),
        ("Cloudflare", format!("v1.0-{}-{}", h(24), h(146))),
        ("Dropbox", format!("sl.{}", a(130))),
        ("Notion", format!("ntn_{}", a(46))),
        ("Linear", format!("lin_api_{}", a(40))),
        ("Meta", format!("EAAG{}", a(120))),
        ("Vault", format!("hvs.{}", a(90))),
        ("Databricks", format!("dapi{}", h(32))),
        (
            "1Password",
            format!(
                "A3-{}-{}-{}-{}-{}",
                u(6),
                &u(12)[6..],
                &u(17)[12..],
                &u(22)[17..],
                &u(27)[22..]
            ),
        ),
        (
            "one-time passwords",
            format!("otpauth://totp/a?secret={}", u(32)),
        ),
    ] {
        for text in [
            token.clone(),
            format!("A note.\n\nThe key is `{token}` and nothing else.\n"),
            format!("x=\"{token}\""),
            STANDARD.encode(format!("the key: {token}\n")),
        ] {
            assert_eq!(kind(&text), Some(Kind::Token(service)), "{text}");
        }
    }
}

#[test]
fn private_keys_are_found_in_every_armour() {
    let b = |n: usize| body(ALNUM, n, 4);
    let keys = [
        pem("RSA "),
        pem("OPENSSH "),
        pem("ENCRYPTED "),
        pem("").replace('\n', "\r\n"),
        pem("").replace('\n', "\\n"),
        pem("EC ")
            .lines()
            .map(|line| format!("> {line}\n"))
            .collect(),
        format!(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{}\n=abcd\n",
            b(200)
        ),
        format!("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{}\n", b(64)),
        format!(
            "PuTTY-User-Key-File-3: ssh-ed25519\nPublic-Lines: 1\n{}\nPrivate-Lines: 1\n{}\n",
            b(64),
            b(48)
        ),
        format!("AGE-SECRET-KEY-1{}", body(UPPER, 58, 5)),
        format!("b3BlbnNzaC1rZXktdjE{}", b(100)),
        format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"{}\"}}", b(43)),
        STANDARD.encode(pem("")),
        STANDARD.encode(STANDARD.encode(pem("RSA "))),
        pem("").replace("-----", "\u{2014}\u{2014}\u{2014}"),
    ];
    for key in keys {
        assert_eq!(kind(&key), Some(Kind::PrivateKey), "{key}");
    }
    // PKCS#8 in bytes: a version, an algorithm, an octet string.
    let mut der = vec![
        0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    der.extend(0..32_u8);
    assert_eq!(SCANNER.content(&der).unwrap().kind, Kind::PrivateKey);
}

#[test]
fn jwt_is_decoded_before_it_counts() {
    let good = jwt(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"sub":"1234567890","name":"x"}"#,
    );
    assert_eq!(kind(&good), Some(Kind::Jwt));
    assert_eq!(kind(&format!("Bearer {good}")), Some(Kind::Jwt));
    assert_eq!(kind(&jwt(r#"{"alg":"none"}"#, r#"{"sub":"1"}"#)), None);
    assert_eq!(kind(&jwt(r#"{"typ":"JWT"}"#, r#"{"sub":"1"}"#)), None);
    assert_eq!(kind("eyJhbGciOi.x.y"), None);
}

#[test]
fn password_beside_its_word_is_found() {
    for text in [
        "password = Tr0ub4dor&3x",
        "Password: hunter2hunter",
        "DB_PASSWORD='s3cr3tValue!'",
        "Passwort: Sommer!2026",
        "**Kennwort:** `Abend#Rot77`",
        "| Passwort | Abend#Rot77 |",
        "Das Passwort lautet Abend#Rot77.",
        "the password is Abend#Rot77, as ever",
        "Passwort:\nAbend#Rot77",
        "{\"smtp_password\": \"q8Zr!mmP2x\"}",
        "<password>q8Zr!mmP2x</password>",
        "mysql --password q8Zr!mmP2x",
        "SMTP_PASS=q8Zrmm2P",
        "app password: abcd efgh jklm nopq",
        "machine mail.example.test login me password open5esame",
        "Authorization: Basic bWU6cThacm1tUDJ4IQ==",
        "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
    ] {
        assert_eq!(kind(text), Some(Kind::Password), "{text}");
    }
    for text in [
        format!("api_key = {}", body(ALNUM, 32, 7)),
        format!("client_secret: \"{}\"", body(ALNUM, 40, 8)),
        format!("aws_secret_access_key = {}", body(ALNUM, 40, 9)),
        format!("TWILIO_AUTH_TOKEN={}", body(HEX, 32, 10)),
        format!("Authorization: Bearer {}", body(ALNUM, 40, 11)),
        format!(
            "//registry.example.test/:_authToken={}",
            body(ALNUM, 36, 12)
        ),
        format!(
            "HEROKU_API_KEY=\"{}-{}-{}-{}-{}\"",
            body(HEX, 8, 1),
            body(HEX, 4, 2),
            body(HEX, 4, 3),
            body(HEX, 4, 4),
            body(HEX, 12, 5)
        ),
    ] {
        assert_eq!(kind(&text), Some(Kind::Password), "{text}");
    }
}

#[test]
fn prose_about_passwords_is_ordinary() {
    for text in [
        "Your password: please choose one with 12 characters.",
        "Password policy: at least 12 letters, see section-4.2.",
        "Passwort: siehe 1Password-Eintrag",
        "Reset your password: https://example.test/reset?token=4f3a2b1c9d8e7f6a5b4c3d2e1f0a9b8c",
        "password = getpass(prompt)",
        "password = os.environ[\"DB_PASSWORD1\"]",
        "password: ${DB_PASSWORD2}",
        "PASSWORD=$DB_PASSWORD2",
        "password: <your password 1>",
        "password: ********",
        "Passwort: wie gestern am 20.11.2026 besprochen",
        "api_key = YOUR_API_KEY_HERE_1234567890",
        "api_key: xxxxxxxxxxxxxxxx1234",
        "The token economy: a book in 3 parts.",
        "Token: 12345",
        "token = parse_next_token_v2(stream)",
        "secret = compute_shared_secret2(a, b)",
        "Our secret: butter, flour and 200g of sugar.",
        "Secretary: Maria Musterfrau1984",
        "https://news.example.test/unsubscribe?u=42&token=4f3a2b1c9d8e7f6a5b4c3d2e1f0a9b8c",
        "https://b.s3.amazonaws.com/x?X-Amz-Credential=ASIAQ3EGRIPXZ4TVMRUF%2F20261120",
        "postgres://user:password@localhost/db",
        "postgres://user:${PASSWORD}@localhost/db",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-loading-spinner-container-element-wrapper",
        "commit 4f3a2b1c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a",
        "id: 550e8400-e29b-41d4-a716-446655440000",
        "-----BEGIN PRIVATE KEY----- is how such a file starts; never mail one.",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ3EGRIPXZ4TVMRUFabcdefghijklmnopqrstuvwx\n-----END CERTIFICATE-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@example.test",
        "Meeting login: 14:30 in Room5B.",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
}

#[test]
fn url_with_a_password_is_found() {
    for text in [
        "postgres://app:q8Zrmm2P@db.example.test/app",
        "redis://:q8Zrmm2P@cache:6379",
        "https://me:q8Zrmm2P@git.example.test/x.git",
        "amqps://u:p%40ssw0rd9@mq/",
    ] {
        assert_eq!(kind(text), Some(Kind::Connection), "{text}");
    }
    assert_eq!(kind("https://example.test:8080/a@b"), None);
    assert_eq!(kind("see mailto:a@example.test"), None);
}

#[test]
fn card_numbers_are_distinct_from_other_numbers() {
    // Numbers that payment services give for trying out.
    let visa = ["4242", "4242", "4242", "4242"];
    let other = ["4556", "7375", "8689", "9855"];
    for text in [
        visa.join(" "),
        visa.join("-"),
        format!("Card number: {}", other.join("")),
        format!("Kreditkarte {} gültig bis 11/29", other.join("")),
        format!("{} CVC 123", other.join("")),
        format!("\n{}\n", other.join("")),
        "3782 822463 10005".to_owned(),
        "5555 5555 5555 4444".replace("5555 5555", "5105 1051"),
    ] {
        let expected = if text.starts_with("5105") {
            None
        } else {
            Some(Kind::Card)
        };
        assert_eq!(kind(&text), expected, "{text}");
    }
    for text in [
        format!("Bestellnummer {}", other.join(" ")),
        format!("Order no. {}", other.join("")),
        format!("https://example.test/t/{}", other.join("")),
        format!("x{}", other.join("")),
        format!("The id {} of a row", other.join("")),
        "4556 7375 8689 9856".to_owned(),
        "0000 0000 0000 0000".to_owned(),
    ] {
        assert_eq!(kind(&text), None, "{text}");
    }
}

#[test]
fn iban_is_found_by_its_check_digits() {
    for text in [
        "DE89370400440532013000",
        "IBAN: DE89 3704 0044 0532 0130 00.",
        "GB29 NWBK 6016 1331 9268 19",
        "iban de89 3704 0044 0532 0130 00 bic x",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NL91ABNA0417164300",
    ] {
        assert_eq!(kind(text), Some(Kind::Iban), "{text}");
    }
    for text in [
        "DE88 3704 0044 0532 0130 00",
        "DE89 3704 0044 0532 0130",
        "XDE89370400440532013000",
        "DE89 XXXX XXXX XXXX XX30 00",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
    let allowed = Allowances::parse(&["DE89370400440532013000"]).unwrap();
    let scanner = Scanner::new(KnownSecrets::default(), allowed);
    let text = "DE89 3704 0044 0532 0130 00";
    assert_eq!(scanner.content(text.as_bytes()), None);
    let both = format!("{text}\nGB29 NWBK 6016 1331 9268 19");
    let found = scanner.content(both.as_bytes()).unwrap();
    assert_eq!((found.kind, found.place), (Kind::Iban, Place::Line(2)));
}

#[test]
fn encoded_secret_is_found_in_every_encoding() {
    let token = format!("ghp_{}", body(ALNUM, 36, 1));
    let utf16 = |big: bool, mark: bool| -> Vec<u8> {
        let text = format!("A note with a key: {token}\n");
        let mark = if mark { "\u{FEFF}" } else { "" };
        format!("{mark}{text}")
            .encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let hidden: String = token.chars().flat_map(|c| [c, '\u{200B}']).collect();
    let wide: String = token
        .chars()
        .map(|c| char::from_u32(u32::from(c) - 0x20 + 0xFF00).unwrap_or(c))
        .collect();
    let entities: String = token
        .chars()
        .map(|c| format!("&#{};", u32::from(c)))
        .collect();
    let escaped: String = token.bytes().map(|b| format!("\\u00{b:02x}")).collect();
    let percent: String = token.bytes().map(|b| format!("%{b:02X}")).collect();
    let quoted = format!("Content: =3D\n{}=\n{}\n", &token[..20], &token[20..]);
    let hex: String = token.bytes().map(|b| format!("{b:02x}")).collect();
    for text in [
        utf16(false, true),
        utf16(true, true),
        utf16(false, false),
        utf16(true, false),
        hidden.into_bytes(),
        wide.into_bytes(),
        entities.into_bytes(),
        escaped.into_bytes(),
        percent.into_bytes(),
        quoted.into_bytes(),
        hex.into_bytes(),
        token.replace('_', "\\_").into_bytes(),
        token.replace('_', "&lowbar;").into_bytes(),
        token.replace('_', "\0_").into_bytes(),
        [b"\xFF\x00\x80", token.as_bytes(), b"\xFF"].concat(),
        STANDARD.encode(format!("xx{token}")).into_bytes(),
        format!("data{}", STANDARD.encode(format!("xx{token}"))).into_bytes(),
    ] {
        let found = SCANNER.content(&text);
        assert_eq!(
            found.map(|f| f.kind),
            Some(Kind::Token("GitHub")),
            "{}",
            String::from_utf8_lossy(&text)
        );
    }
}

#[test]
fn finding_has_the_line_of_the_secret() {
    let token = format!("ghp_{}", body(ALNUM, 36, 1));
    let encoded = STANDARD.encode(&token);
    for text in [
        format!("one\ntwo\n{token}\nfour\n"),
        format!("one\r\ntwö\r\n{}\r\n", token.replace('_', "\\_")),
        format!("one\ntwo\n{encoded}\n"),
        format!("=3D one\ntw=\n{token}\n"),
    ] {
        let found = SCANNER.content(text.as_bytes()).unwrap();
        assert_eq!(found.place, Place::Line(3), "{text}");
    }
}

/// A file that is UTF-16 by its mark or its zeros, and has a secret as plain bytes behind them.
#[test]
fn known_secret_in_what_looks_like_utf16_is_found() {
    let mut known = KnownSecrets::new([1; 32]);
    known.add(b"rosebud-in-the-snow");
    let scanner = Scanner::new(known, Allowances::default());
    for start in [
        b"\xFF\xFE".to_vec(),
        b"\xFE\xFF".to_vec(),
        b"a\0".repeat(40),
        b"\0a".repeat(40),
    ] {
        let file = [start.as_slice(), b"\nrosebud-in-the-snow\n"].concat();
        let finding = scanner.content(&file).unwrap();
        assert_eq!(finding.kind, Kind::Known, "{start:?}");
    }
}

#[test]
fn known_secret_is_found_before_other_rules() {
    let mut known = KnownSecrets::new([1; 32]);
    known.add(b"rosebud-in-the-snow");
    let scanner = Scanner::new(known, Allowances::default());
    for text in [
        "it was rosebud-in-the-snow",
        "rosebud-in-\n the-snow",
        "rosebud&#45;in-the-snow",
    ] {
        assert_eq!(
            scanner.content(text.as_bytes()).unwrap().kind,
            Kind::Known,
            "{text}"
        );
    }
    assert_eq!(
        scanner.name("Inbox/rosebud-in-the-snow.md").unwrap().place,
        Place::Name
    );
    assert_eq!(
        scanner.message("Sync rosebud-in-the-snow").unwrap().place,
        Place::Message
    );
    scanner.know(KnownSecrets::default());
    assert_eq!(scanner.content(b"rosebud-in-the-snow"), None);
}

#[test]
fn scan_of_the_largest_file_is_fast() {
    let prose = "The token of the password is in the card: 4711, see https://example.test/?a=b. ";
    let picture = STANDARD.encode(body(ALNUM, 3000, 3));
    let most = 32 * 1024 * 1024;
    let mut units = vec![(prose, most), (picture.as_str(), most)];
    for unit in [
        "ghp_",
        "-----BEGIN PRIVATE KEY",
        "a",
        "4",
        "eyJ",
        "://",
        "password: ",
        "%41",
        "&#",
        "=\n",
        "\u{200B}",
        "DE89 ",
        "4242 ",
        "pat",
        "A3-",
        ".",
        "token is ",
        "password,",
        "password,a\n",
        "user,password\n,\n,\n",
        "| password | x |\n",
        "password for x: ",
        "passphrase: able-acid-also-apex-",
        "Recovery code 12345678 ",
        "recovery code\n1234 5678\n",
        "abandon ability able about ",
        "zoo\nabandon\n",
        "ghp_abcdefgh1\n",
        "eyJhbGciOiJIUzI1NiJ9.a.",
        "eyJhbGciOiJIUzI1NiJ9\n",
        "https://a.example/?password_x=Abend77Rot&",
        "Meeting ID: 123456 passcode: xY9Gk2TB ",
    ] {
        units.push((unit, most / 8));
    }
    for (unit, len) in units {
        let text = unit.repeat(len / unit.len());
        let began = std::time::Instant::now();
        let _ = SCANNER.content(text.as_bytes());
        let took = began.elapsed();
        // Far above what it takes: what grows with the square of the length takes hours.
        assert!(took.as_secs() < 60, "{unit:.20}: {took:?}");
        println!("{} MiB of {unit:.20}: {took:?}", len >> 20);
    }
}

proptest! {
    #[test]
    fn scan_never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = SCANNER.content(&bytes);
    }

    #[test]
    fn scan_never_panics_on_text_of_rule_words(
        parts in prop::collection::vec(prop::sample::select(vec![
            "password", "=", ":", " ", "\n", "ghp_", "-----BEGIN", "PRIVATE KEY", "-----", "eyJ",
            ".", "://", "@", "4242 4242 4242 4242", "DE89", "3704", "%4", "&#", ";", "\\", "\\u00",
            "=\n", "\u{200B}", "AKIA", "Q~", "A3-", "otpauth://", "secret=", "\"kty\"", "\"d\"", "$2b$",
        ]), 0..60)
    ) {
        let _ = SCANNER.content(parts.concat().as_bytes());
    }

    #[test]
    fn finding_never_repeats_the_secret(
        token in "ghp_[A-Za-z0-9]{36}", before in "[ -~\n]{0,60}", after in "[ -~\n]{0,60}"
    ) {
        let text = format!("{before} {token} {after}");
        let scanner = &*SCANNER;
        for finding in [scanner.content(text.as_bytes()), scanner.message(&text), scanner.name(&text)] {
            let message = finding.map(|f| format!("{f} {f:?}")).unwrap_or_default();
            let mut eights = token.as_bytes().windows(8);
            prop_assert!(!eights.any(|w| message.contains(std::str::from_utf8(w).unwrap_or("?"))));
        }
    }

    #[test]
    fn token_is_found_at_every_place(
        token in "ghp_[A-Za-z0-9]{36}", before in any::<String>(), after in any::<String>()
    ) {
        prop_assume!(super::char_class::is_random(&token.as_bytes()[4..]));
        let text = format!("{before}\n{token} {after}");
        prop_assert!(SCANNER.content(text.as_bytes()).is_some());
    }
}
