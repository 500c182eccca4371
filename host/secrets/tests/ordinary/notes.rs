//! One ordinary note from a seed.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::words::{ABOUT, ENGLISH, GERMAN};

/// A note and its place.
pub(crate) struct Note {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The note of a seed.
pub(crate) fn note(seed: u64) -> Note {
    let mut rng = Rng::new(seed);
    let mut text = String::new();
    if rng.one_in(3) {
        let ulid = rng.of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26);
        let _ = writeln!(
            text,
            "---\nid: task_{ulid}\ncreated: {}\ntags: [mail, {}]\nclaim: claim_{ulid}\nbase: {}\n---\n",
            rng.date_time(),
            rng.pick(ENGLISH),
            rng.hex(40)
        );
    }
    let _ = writeln!(text, "# {}\n", rng.sentence(5));
    for _ in 0..rng.below(8) + 2 {
        let block = match rng.below(32) {
            0..=4 => rng.prose(ENGLISH),
            5..=8 => rng.prose(GERMAN),
            9..=11 => (*rng.pick(ABOUT)).to_owned(),
            12 => rng.mail_head(),
            13 => rng.invoice(),
            14 => rng.bill(),
            15 => rng.ids(),
            16 => rng.links(),
            17 => rng.code(),
            18 => rng.picture(),
            19 => rng.public_key(),
            20 => rng.numbers(),
            21 => rng.list(),
            22 => rng.quoted_printable(),
            23..=30 => crate::mails::block(&mut rng),
            _ => rng.web_page(),
        };
        text.push_str(&block);
        text.push_str("\n\n");
    }
    let path = rng.path();
    Note { path, text }
}

/// Numbers that are the same for the same seed.
pub(crate) struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap_or(0)
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    pub(crate) fn of(&mut self, letters: &str, len: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        (0..len).map(|_| *self.pick(&letters)).collect()
    }

    pub(crate) fn hex(&mut self, len: usize) -> String {
        self.of("0123456789abcdef", len)
    }

    pub(crate) fn digits(&mut self, len: usize) -> String {
        self.of("0123456789", len)
    }

    pub(crate) fn alnum(&mut self, len: usize) -> String {
        self.of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            len,
        )
    }

    pub(crate) fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|n| self.hex(n)).join("-")
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    pub(crate) fn date(&mut self) -> String {
        let (y, m, d) = (2020 + self.below(8), 1 + self.below(12), 1 + self.below(28));
        match self.below(3) {
            0 => format!("{y}-{m:02}-{d:02}"),
            1 => format!("{d:02}.{m:02}.{y}"),
            _ => format!("{m}/{d}/{y}"),
        }
    }

    fn date_time(&mut self) -> String {
        let (h, m, s) = (self.below(24), self.below(60), self.below(60));
        format!("2026-11-{:02}T{h:02}:{m:02}:{s:02}Z", 1 + self.below(28))
    }

    pub(crate) fn amount(&mut self) -> String {
        let (whole, cents) = (self.below(20_000), self.below(100));
        match self.below(3) {
            0 => format!("{whole},{cents:02} EUR"),
            1 => format!("${whole}.{cents:02}"),
            _ => format!("{}.{:03},{cents:02} €", whole / 1000, whole % 1000),
        }
    }

    fn phone(&mut self) -> String {
        match self.below(4) {
            0 => format!("+49 {} {}", self.digits(3), self.digits(8)),
            1 => format!(
                "+49 (0) 89 {} {} {}",
                self.digits(3),
                self.digits(2),
                self.digits(3)
            ),
            2 => format!("({}) {}-{}", self.digits(3), self.digits(3), self.digits(4)),
            _ => format!("0{}/{}-{}", self.digits(3), self.digits(6), self.digits(2)),
        }
    }

    pub(crate) fn sentence(&mut self, words: usize) -> String {
        let list = if self.one_in(2) { ENGLISH } else { GERMAN };
        let words: Vec<_> = (0..words).map(|_| *self.pick(list)).collect();
        words.join(" ")
    }

    fn prose(&mut self, list: &[&str]) -> String {
        let mut text = String::new();
        for _ in 0..self.below(6) + 1 {
            let words: Vec<_> = (0..self.below(14) + 4).map(|_| *self.pick(list)).collect();
            text.push_str(&words.join(" "));
            match self.below(8) {
                0 => {
                    let _ = write!(text, ": {}", self.pick(list));
                }
                1 => {
                    let _ = write!(text, " = {}", self.below(2000));
                }
                2 => {
                    let _ = write!(text, " ({})", self.date());
                }
                3 => {
                    let _ = write!(text, ": {}", self.amount());
                }
                _ => {}
            }
            text.push_str(if self.one_in(5) { "?\n" } else { ". " });
        }
        text
    }

    fn mail_head(&mut self) -> String {
        let wrapped = |text: String| -> String {
            let chars: Vec<char> = text.chars().collect();
            let lines: Vec<String> = chars.chunks(70).map(|c| c.iter().collect()).collect();
            lines.join("\n\t ")
        };
        let signature = wrapped(STANDARD.encode(self.bytes(256)));
        let body_hash = STANDARD.encode(self.bytes(32));
        format!(
            "Received: from mx{}.example.test ([192.0.2.{}]) by mail.example.test with ESMTPS id {};\n\tFri, 20 Nov 2026 10:{}:07 +0100\n\
             DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=k1; t=17{}; bh={body_hash};\n\tb={signature}\n\
             Message-ID: <{}.{}@mail.example.test>\nX-Mailer-Token: {}\nX-Campaign: {}\n\
             List-Unsubscribe: <https://news.example.test/u/{}?token={}>, <mailto:u+{}@example.test>\n\
             From: \"{}\" <noreply@example.test>\nSubject: {}\n",
            self.below(9),
            self.below(255),
            self.alnum(16),
            10 + self.below(49),
            self.digits(8),
            self.alnum(22),
            self.digits(10),
            self.hex(12),
            self.uuid(),
            self.alnum(24),
            self.alnum(40),
            self.hex(24),
            self.sentence(2),
            self.sentence(6)
        )
    }

    fn invoice(&mut self) -> String {
        format!(
            "Invoice no. {}\nOrder no. {}\nCustomer no. {}\nTracking: {}\nDate: {}\nTotal: {} (VAT {})\nVAT ID: DE{}\nBIC: {}\nPhone: {}\n",
            self.digits(10),
            self.digits(16),
            self.digits(8),
            self.alnum(18).to_uppercase(),
            self.date(),
            self.amount(),
            self.amount(),
            self.digits(9),
            self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 8),
            self.phone()
        )
    }

    fn bill(&mut self) -> String {
        let four = [4, 4, 4, 4].map(|n| self.digits(n)).join(" ");
        let label = *self.pick(&[
            "Bestellnummer:",
            "Sendungsnummer",
            "Rechnungsnummer",
            "Kundennummer:",
            "Vertragskonto",
            "Zählernummer",
            "Mitgliedsnummer",
            "Vorgang",
            "Auftragsnummer",
            "Buchungsreferenz",
        ]);
        format!(
            "{label} {four}\n{label} {}\nEAN {}\nISBN 978-{}-{}-{}-{}\nIMEI {}\nBetrag: {}\nFällig am {}\nTel. {}\nVerwendungszweck: {} {}\n",
            self.digits(16),
            self.digits(13),
            self.digits(1),
            self.digits(5),
            self.digits(3),
            self.digits(1),
            self.digits(15),
            self.amount(),
            self.date(),
            self.phone(),
            self.digits(12),
            self.sentence(2)
        )
    }

    fn ids(&mut self) -> String {
        format!(
            "commit {}\nsha256:{}\nid: {}\ntrace {} span {}\ntask_{}\nsha512-{}\nmd5 {}\nETag: \"{}\"\nbuild {}-{}\nnode_{}\ncontainer {}\nrequest-id={}\nAccount SID AC{}\n",
            self.hex(40),
            self.hex(64),
            self.uuid(),
            self.hex(32),
            self.hex(16),
            self.of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26),
            STANDARD.encode(self.bytes(64)),
            self.hex(32),
            self.hex(32),
            self.digits(8),
            self.hex(7),
            self.alnum(12),
            self.hex(12),
            self.uuid(),
            self.hex(32)
        )
    }

    fn links(&mut self) -> String {
        format!(
            "https://shop.example.test/o/{}?utm_source=mail&utm_id={}\n<https://click.example.test/ls/click?upn={}-2B{}>\n\
             https://video.example.test/watch?v={}&t=42s\nhttps://docs.example.test/d/1{}/edit#gid={}\n\
             https://b.s3.eu-central-1.amazonaws.com/f.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA{}%2F20261120%2Feu%2Fs3%2Faws4_request&X-Amz-Signature={}\n\
             https://portal.example.test/confirm?token={}&user={}\nhttps://meet.example.test/j/{}?pwd={}\n[[{}#^{}]]\n",
            self.digits(12),
            self.alnum(12),
            self.alnum(60),
            self.alnum(40),
            self.alnum(11),
            self.alnum(43),
            self.digits(9),
            self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            self.hex(64),
            self.alnum(32),
            self.digits(6),
            self.digits(11),
            self.sentence(2).len(),
            self.sentence(2),
            self.hex(6)
        )
    }

    fn code(&mut self) -> String {
        (*self.pick(&[
            "```python\ndef login(user, password):\n    token = make_token(user.id, ttl=3600)\n    session['token'] = token\n    return redirect(url_for('index'))\n```",
            "```rust\nlet password = Secret::new(read_line()?);\nlet key = Key::from_slice(&hash[..32]);\nassert_eq!(token.len(), 40);\n```",
            "```js\nconst { apiKey, secretKey } = config;\nheaders: { Authorization: `Bearer ${accessToken}` },\npassword: form.elements['password2'].value,\n```",
            "```yaml\nservices:\n  db:\n    image: postgres:16.4\n    environment:\n      POSTGRES_PASSWORD_FILE: /run/secrets/db\n      POSTGRES_USER: app\n```",
            "```sh\nPASSWORD=\"$(pass show mail/owner)\"\ngpg --export-secret-keys > /dev/null\nopenssl rand -hex 32\nssh -i ~/.ssh/id_ed25519 owner@host1.example.test\n```",
            "```css\n.task-list-item-checkbox { margin: 0 0.2em 0.25em -1.4em; }\n.sk-fading-circle-container-element-2 { width: 40px; }\n```",
            "```toml\n[mail]\npassword = { file = \"mail-password\" }\nkey = { env = \"MODEL_KEY\" }\ntoken-env = \"TOKEN_V2\"\n```",
            "```sql\nSELECT id, password_hash FROM users WHERE token = $1 AND created > '2026-01-01';\n```",
            "```regex\n(?i)(password|secret|token)\\s*[:=]\\s*['\\\"]?([A-Za-z0-9_\\-]{16,})\n```",
            "```json\n{\"name\":\"app\",\"private\":true,\"version\":\"1.4.2\",\"keywords\":[\"token\",\"auth\"]}\n```",
        ]))
        .to_owned()
    }

    fn picture(&mut self) -> String {
        let mut bytes = vec![0x89, b'P', b'N', b'G', 13, 10, 26, 10];
        let len = 300 + self.below(6000);
        bytes.extend(self.bytes(len));
        let text = STANDARD.encode(bytes);
        if self.one_in(2) {
            return format!("![x](data:image/png;base64,{text})");
        }
        let chars: Vec<char> = text.chars().collect();
        let lines: Vec<String> = chars.chunks(76).map(|c| c.iter().collect()).collect();
        format!(
            "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n{}\n",
            lines.join("\r\n")
        )
    }

    fn public_key(&mut self) -> String {
        match self.below(3) {
            0 => format!(
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} owner@example.test",
                STANDARD.encode(self.bytes(32)).trim_end_matches('=')
            ),
            1 => format!(
                "-----BEGIN CERTIFICATE-----\nMIID{}\n{}\n{}\n-----END CERTIFICATE-----",
                self.alnum(60),
                self.alnum(64),
                self.alnum(64)
            ),
            _ => format!(
                "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME{}\n{}\n=aB3d\n-----END PGP PUBLIC KEY BLOCK-----",
                self.alnum(60),
                self.alnum(64)
            ),
        }
    }

    fn numbers(&mut self) -> String {
        let mut text = "date,meter,reading,temperature\n".to_owned();
        for _ in 0..self.below(20) + 3 {
            let _ = writeln!(
                text,
                "{},{},{}.{},{}.{}",
                self.date(),
                self.digits(8),
                self.digits(6),
                self.digits(3),
                self.below(40),
                self.below(10)
            );
        }
        let _ = write!(
            text,
            "row {} has value {} and {}\nepoch {} ms\nlat 48.{}, lon 11.{}\n3.1415926535897932 2.7182818284590452\n",
            self.digits(16),
            self.digits(19),
            self.digits(15),
            self.digits(13),
            self.digits(6),
            self.digits(6)
        );
        text
    }

    fn list(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.below(8) + 2 {
            let words = self.below(6) + 2;
            let _ = writeln!(
                text,
                "- [{}] {} 📅 {} #{} ^{}",
                if self.one_in(2) { "x" } else { " " },
                self.sentence(words),
                self.date(),
                self.pick(ENGLISH),
                self.hex(6)
            );
        }
        text
    }

    fn quoted_printable(&mut self) -> String {
        format!(
            "Content-Transfer-Encoding: quoted-printable\n\nSehr geehrte Frau M=C3=BCller,\n\nanbei die Rechnung Nr. {} =C3=BCber {}. Ihr Passwort =\n=C3=A4ndern Sie unter https://portal.example.test/?id=3D{}&token=3D{}=\n{}\n\nMit freundlichen Gr=C3=BC=C3=9Fen\n",
            self.digits(8),
            self.amount(),
            self.digits(6),
            self.alnum(20),
            self.alnum(12)
        )
    }

    fn web_page(&mut self) -> String {
        format!(
            "<p>Hello&nbsp;{}, your code is <b>{}</b>.</p>\n<a href=\"https://example.test/r?c={}&amp;h={}\">Reset password</a>\n<img src=\"https://t.example.test/o.gif?u={}\" width=\"1\">\n<svg viewBox=\"0 0 24 24\"><path d=\"M12.{} 2.{}c5.{}-1.{}z\"/></svg>\n",
            self.pick(ENGLISH),
            self.digits(6),
            self.alnum(30),
            self.hex(32),
            self.uuid(),
            self.digits(6),
            self.digits(5),
            self.digits(4),
            self.digits(4)
        )
    }

    fn path(&mut self) -> String {
        let folder = *self.pick(&[
            "Inbox",
            "Inbox/2026/Projects",
            "Needs_Action/email",
            "Plans",
            "Done/2026/11",
            "Updates/cloud",
            "Inbox/Token economy",
            "Inbox/Online Banking",
            "Inbox/Secret garden",
        ]);
        let words = self.below(5) + 1;
        let sentence = self.sentence(words);
        let name = match self.below(6) {
            0 => sentence.replace(' ', "-"),
            1 => format!("{} {sentence}", self.date().replace('/', "-")),
            2 => format!("task_{}", self.of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26)),
            3 => format!("{sentence} ({})", 1 + self.below(3)),
            4 => {
                let hex = self.hex(8);
                format!("{sentence}.conflict-local-17637{}-{hex}", self.digits(8))
            }
            _ => sentence,
        };
        // A note of this name alone is one for writing secrets down: it is held, and rightly.
        let alone = [
            "password",
            "secret",
            "credentials",
            "Passwort",
            "Kennwort",
            "Zugangsdaten",
        ];
        let name = if alone.iter().any(|word| name.starts_with(word)) {
            format!("On {name} in general")
        } else {
            name
        };
        if self.one_in(12) {
            let name = *self.pick(&[
                "Token prices 2026.csv",
                "Password policy.txt",
                "Secret Santa 2026.csv",
                "Cookies for Christmas.txt",
                "How we store recovery codes.md",
                "Backup codes explained.md",
                "1Password for teams.md",
                "Bitwarden invoice.csv",
                "Why passkeys replace passwords.txt",
                "Key results export.csv",
                "Wallet and keys.txt",
                "On seed phrases.md",
            ]);
            return format!("{folder}/{name}");
        }
        let end = *self.pick(&["md", "md", "md", "md", "md", "pdf", "png", "eml"]);
        format!("{folder}/{name}.{end}")
    }
}
