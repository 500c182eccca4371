//! Lines as people write them in their notes, after the words that lead to passwords.

use super::{kind, write_out};

/// What stands after `Password:` in ordinary notes and is none.
#[test]
fn ordinary_lines_after_password_words_pass() {
    let mut held = Vec::new();
    for (number, line) in [
        "Password: [[Netflix 2026]]",
        "Password: [[Logins#Netflix|see there]]",
        "Password: ![[Secret-Note_2]]",
        "Password: #todo/Security-2026",
        "Password: ^a1b2c3d4",
        "Password: ^block-2026a",
        "Password: see ^note1a2b",
        "Password: %DB_PASS1%",
        "PASSWORD=%APP_SECRET_2%",
        "Password: ${DB_PASSWORD_2}",
        "password: {{vault_db_pass2}}",
        "password: <your-Password1>",
        "Password: C:\\Users\\Ann\\Keys2\\vault.kdbx",
        "Passwort: D:\\Daten\\Tresor2024.kdbx",
        "Password: \\\\server\\share\\Pass1.txt",
        "Password: ~/Keys2/Vault.kdbx",
        "Password hash: Argon2id",
        "Password: Argon2id",
        "Passwords: bcrypt/Argon2id",
        "Password: PBKDF2-SHA256",
        "Password: scrypt/SHA-512",
        "Password: OAuth2.0",
        "Password: OAuth2/OIDC",
        "Passwords: 2FA/TOTP",
        "Password: 2FA+TOTP",
        "Password: FIDO2/WebAuthn",
        "Password: ^(?=.*[A-Z])(?=.*\\d).{8,}$",
        "Password: /^[A-Za-z0-9]{8,}$/",
        "Password: [A-Z]{2}\\d{6}",
        "password: \\w{8,}\\d+",
        "Password: KeePassXC2.7",
        "Password: 1Password/Family",
        "Password: Bitwarden-2026",
        "Password: v2.13.4-beta1",
        "Password: RFC8018",
        "Password: ISO27001-A.9.4.3",
        "Password: NIST-SP-800-63B",
        "Password: AES-256/GCM",
        "Password: TLS1.3+PSK",
        "Password: Q3-2026/Review",
        "Password: 2026-11-30T10:00Z",
        "Password: min. 12 Zeichen",
        "Password: *********1",
        "Password: xxxxxxxx1X",
        "Password: docs/Passwords-v2.md",
        "Password: [Vault2](vault.md)",
        "Password: `process.env.DB_PASS1`",
        "Password: os.environ['DB_PASS1']",
        "Password: System.getenv(\"DB_PASS1\")",
        "Password: op://Private/DB2/password",
        "Password: env:DB_PASS1",
        "Password: $DB_PASS1",
        "Password: $(pass show db/Prod1)",
        "Password: WPA2-Enterprise",
        "WLAN-Passwort: WPA3/SAE",
        "WLAN: FritzBox7590AX",
        "WLAN: Gast_2.4GHz",
        "WiFi: Cafe-Nord-5G",
        "Zugang: siehe Confluence/Space-2026",
        "Zugang: Hof2, Tor B-17",
        "Login: https://portal.example.test/Login2?id=7",
        "Login: ann@example.test",
        "Credentials: see Vault-Entry#42",
        "Login: with SSO/OIDC2",
        "Clave: A-17",
        "Parola: 2 volte/Anno",
        "Token: [[API-Token 2026-11-30 Overview]]",
    ]
    .into_iter()
    .enumerate()
    {
        let note = format!("# Notes\n\n- {line}\n");
        write_out("ordinary-lines", number, &note);
        if kind(&note).is_some() {
            held.push(line);
        }
    }
    assert!(held.is_empty(), "{held:#?}");
}

/// Lines below such a word are no password because of where they stand.
#[test]
fn ordinary_lines_below_password_words_pass() {
    let mut held = Vec::new();
    for note in [
        "## Password\n\nIt is with Ann.\n",
        "## Password\n\n[[Logins 2026]]\n",
        "Password\nHow-To_2026.md\n",
        "Passwort\n\n2026-11-30T10:00Z\n",
        "please reset your\npassword\n\n- Ticket#4411\n",
        "We talked about the new policy, and who needs a\npassword\nMeetingRoom4b was booked.\n",
        "## Zugang\n\nHof 2, Tor B-17\n",
        "## Login\n\n![[Login-Screen_2x.png]]\n",
        "Login\nhttps://portal.example.test/A1b2/Login\n",
        "## Credentials\n\n- ask Ann (Room B2.17)\n- [ ] rotate by 2026-12-01\n",
        "Password\n\n| Rule | Value |\n|---|---|\n| Length | 12 |\n",
        "123456-234567-345678-456789-567890-678901-789012\n",
        "123456-234567-345678-456789-567890-678901-789012-890123-456789\n",
    ] {
        if kind(note).is_some() {
            held.push(note);
        }
    }
    assert!(held.is_empty(), "{held:#?}");
}

/// What stands after such words and is one, in the forms that people have.
#[test]
fn passwords_of_peoples_notes_are_found() {
    let mut passed = Vec::new();
    let w = "Tr0ub4dor&3x";
    for (number, note) in [
        format!("[wifi]\npsk={w}\n"),
        format!("[wifi-security]\nkey-mgmt=wpa-psk\npsk={w}\n"),
        format!("network={{\n  ssid=\"home\"\n  psk=\"{w}\"\n}}\n"),
        format!("Zugangsdaten: ann / {w}\n"),
        format!("Zugangsdaten:\nann\n{w}\n"),
        format!("Zugang: ann / {w}\n"),
        format!("Credentials: ann / {w}\n"),
        format!("Credentials:\n- user: ann\n- {w}\n"),
        format!("Login: ann / {w}\n"),
        format!("Login data: ann@example.com / {w}\n"),
        format!("Anmeldedaten: ann / {w}\n"),
        format!("Password\n{w}\n"),
        format!("Passwort\n\n{w}\n"),
        format!("## Password\n\n{w}\n"),
        format!("## Password\n```\n{w}\n```\n"),
        format!("**Password**\n{w}\n"),
        format!("Password:\n{w}\n"),
        format!("Password:\n  - {w}\n"),
        format!("Password:\n> {w}\n"),
        format!("Passwort:\n`{w}`\n"),
        "BitLocker recovery key: 123456-234567-345678-456789-567890-678901-789012-890123\n".to_owned(),
        "Wiederherstellungsschl\u{fc}ssel\n123456-234567-345678-456789-567890-678901-789012-890123\n".to_owned(),
        "Recovery Key:\n\n    123456-234567-345678-456789-567890-678901-789012-890123\n".to_owned(),
        "123456-234567-345678-456789-567890-678901-789012-890123\n".to_owned(),
        "123456-234567-345678-456789-\n567890-678901-789012-890123\n".to_owned(),
        format!("PIN/Passwort: {w}\n"),
        format!("WLAN: {w}\n"),
        format!("WLAN-Schl\u{fc}ssel: {w}\n"),
        format!("WiFi key: {w}\n"),
        format!("WPA2: {w}\n"),
        format!("user: ann\npass: {w}\n"),
        format!("Clave: {w}\n"),
        format!("Has\u{142}o: {w}\n"),
        format!("Senha: {w}\n"),
        format!("Adgangskode: {w}\n"),
        format!("L\u{f6}senord: {w}\n"),
        format!("\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}: {w}\n"),
        format!("\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9}\u{ff1a}{w}\n"),
        format!("\u{5bc6}\u{7801}\u{ff1a}{w}\n"),
        format!("Mot de passe\u{a0}: {w}\n"),
        "FileVault recovery key: W7J4-8PQM-2XND-K5TB-9RCG-H3VZ\n".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        write_out("secret-lines", number, &note);
        if kind(&note).is_none() {
            passed.push(note);
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
}
