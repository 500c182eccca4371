//! One-time codes: a mail that is there to bring one, and texts without them.
//!
//! A code lets in whoever reads it. The note of a mail goes to every machine that shares the vault, and
//! into its history; an answer goes to whoever is answered. So a mail that brings a code becomes a note
//! without it, and an answer repeats none, whoever wrote it.
//! Limits: a heuristic, with names in ten languages.
//! Invariants: pure; linear in the text but for its few codes; what stands in place of a code says so.

use alloc::{format, string::String, vec::Vec};

use crate::{bounded, quotes::own_text};

/// What stands in place of a code.
const HIDDEN: &str = "[code]";
/// A mail that brings a code is short: how much of its text is looked at, in bytes.
const LOOKED_AT: usize = 4 * 1024;
/// How far from its name a code stands, in bytes.
const NEAR: usize = 160;
/// The same of a name that other things have, too.
const CLOSE: usize = 48;
/// The same, in a text that is not there to bring one.
const BESIDE: usize = 24;
/// Room for a name, and for a word before it, in bytes.
const MAX_NAME: usize = 60;

/// Names that only a one-time code has.
const STRONG: &[&str] = &[
    "verification code",
    "security code",
    "login code",
    "log-in code",
    "sign-in code",
    "signin code",
    "authentication code",
    "one-time code",
    "one-time password",
    "one-time passcode",
    "one-time pin",
    "one time code",
    "one time password",
    "one time passcode",
    "one time pin",
    "otp",
    "sign in code",
    "reset code",
    "one-time security code",
    "temporary password",
    "temporary passcode",
    "two-factor",
    "two-step verification",
    "2-step verification",
    "2fa code",
    "bestätigungscode",
    "sicherheitscode",
    "verifizierungscode",
    "anmeldecode",
    "einmalcode",
    "einmalpasswort",
    "einmal-passwort",
    "einmal-code",
    "anmelde-code",
    "zwei-faktor",
    "zweifaktor",
    "mtan",
    "freigabecode",
    "freischaltcode",
    "code d'authentification",
    "code d’authentification",
    "code de validation",
    "code temporaire",
    "code de vérification",
    "code de sécurité",
    "code de connexion",
    "code à usage unique",
    "código de verificación",
    "código de seguridad",
    "código de un solo uso",
    "código de autenticación",
    "código de inicio de sesión",
    "codice di verifica",
    "codice otp",
    "codice monouso",
    "codice temporaneo",
    "codice di autenticazione",
    "codice di sicurezza",
    "verificatiecode",
    "beveiligingscode",
    "inlogcode",
    "eenmalige code",
    "authenticatiecode",
    "código de verificação",
    "código de segurança",
    "código de uso único",
    "código de autenticação",
    "kod weryfikacyjny",
    "kod jednorazowy",
    "ověřovací kód",
    "код подтверждения",
    "одноразовый код",
    "одноразовый пароль",
    "doğrulama kodu",
    "doğrulama kodunuz",
    "verifieringskod",
    "engångskod",
    "engangskode",
    "vahvistuskoodi",
    "인증번호",
    "인증 코드",
    "認証番号",
    "ログインコード",
    "セキュリティコード",
    "認証コード",
    "確認コード",
    "ワンタイムパス",
    "ワンタイムコード",
    "验证码",
    "驗證碼",
    "动态码",
    "动态密码",
    "動態密碼",
    "校验码",
    "校驗碼",
];
/// Names that other things have, too: they count from a sender that is no person.
const WEAK: &[&str] = &[
    "code",
    "passcode",
    "zugangscode",
    "pin",
    "tan",
    "código",
    "codice",
    "kod",
    "kode",
    "код",
    "コード",
];
/// What follows a code that is handed over, before such a name: `482-915 is your Acme code`.
const HANDED_OVER: &[&str] = &[
    " is your ",
    " ist ihr ",
    " ist dein ",
    " est votre ",
    " es tu ",
    " es su ",
    " è il tuo ",
    " is je ",
    " is uw ",
    " é o seu ",
];
/// Whose such a code is, in a mail that says little else: `Your Acme passcode: 482915`.
const YOURS: &[&str] = &[
    "your",
    "ihr",
    "ihre",
    "dein",
    "deine",
    "votre",
    "ton code",
    "tu código",
    "su código",
    "il tuo",
    "je code",
    "uw code",
    "seu código",
    "twój kod",
    "din kod",
    "din kode",
];
/// So much text it has at most, in bytes, and so much one that only names a code.
const MAX_SHORT: usize = 200;
const MAX_LABEL: usize = 60;
/// What such a mail is for.
const SIGN_IN: &[&str] = &[
    "to sign in",
    "to log in",
    "to login",
    "signing in",
    "logging in",
    "verify your",
    "confirm your email",
    "confirm your e-mail",
    "confirm your account",
    "reset your password",
    "do not share",
    "don't share",
    "never share",
    "expires in",
    "valid for",
    "niemandem",
    "ist gültig",
    "zum anmelden",
    "um sich anzumelden",
    "ne partagez",
    "ne communiquez",
    "ne le communiquez",
    "pour vous connecter",
    "no compartas",
    "no comparta",
    "no lo compartas",
    "para iniciar sesión",
    "non condividere",
    "per accedere",
    "deel deze code",
    "om in te loggen",
    "não compartilhe",
    "para entrar",
];
/// What stands before or after such a name where it means no code to log in with.
const OTHER: &[&str] = &[
    "zip",
    "post",
    "postal",
    "postale",
    "fiscale",
    "error",
    "errore",
    "d'erreur",
    "de error",
    "di errore",
    "status",
    "promo",
    "discount",
    "coupon",
    "voucher",
    "gift",
    "descuento",
    "de descuento",
    "sconto",
    "country",
    "area",
    "dialing",
    "booking",
    "product",
    "item",
    "article",
    "customer",
    "project",
    "tracking",
    "reference",
    "order",
    "dress",
    "source",
    "bar",
    "qr",
    "sort",
    "エラー",
    "商品",
    "郵便",
    "クーポン",
];
/// What stands beside the code that lets in to a call.
const CALLS: &[&str] = &[
    "meeting id",
    "meeting-id",
    "besprechungs-id",
    "id de réunion",
    "id de la reunión",
];
/// Before the @ of senders that are no person.
const SYSTEMS: &[&str] = &[
    "service",
    "services",
    "security",
    "account",
    "accounts",
    "noreply",
    "no",
    "donotreply",
    "auth",
    "verify",
    "verification",
    "login",
    "id",
    "notify",
    "notification",
    "notifications",
    "alert",
    "alerts",
    "sicherheit",
    "kundenservice",
    "konto",
    "admin",
    "system",
    "mailer",
    "bank",
    "online",
    "banking",
];

/// Whether a mail is there to bring a one-time code; `local` is what stands before its sender's @,
/// `is_answer` whether it answers another mail.
#[must_use]
pub fn brings_code(subject: &str, text: &str, local: &str, is_answer: bool) -> bool {
    if is_answer {
        return false;
    }
    let first = local.split(['-', '_', '.', '+']).next().unwrap_or_default();
    let is_system = SYSTEMS.contains(&first.to_lowercase().as_str());
    let looked_at = bounded(text, LOOKED_AT);
    // A person may pass on what a system wrote.
    let own = match is_system {
        true => looked_at.into(),
        false => own_text(looked_at),
    };
    let own_length = own.trim().len();
    let text = format!("{subject}\n{own}");
    let all = lower_case(&text);
    let signs_in = SIGN_IN.iter().any(|words| all.contains(words));
    let is_call = CALLS.iter().any(|name| all.contains(name));
    let asks = all.contains('?');
    let is_yours = own_length <= MAX_SHORT
        && YOURS.iter().any(|word| {
            all.match_indices(word)
                .any(|(at, _)| is_word(&all[..at], word, &all[at + word.len()..]))
        });
    // `all` is in lower case, where a code of letters is a word; every byte is at its place there.
    codes(&text).into_iter().any(|code| {
        let follows = |words: &&str| all[code.1..].starts_with(*words);
        let is_handed_over = HANDED_OVER.iter().any(follows);
        let is_label =
            || own_length <= MAX_LABEL && all[..code.0].trim_end().ends_with([':', '：']);
        let is_handed_over = is_handed_over || is_yours || is_label();
        let has_weak = !is_call && (is_system || (!asks && (signs_in || is_handed_over)));
        is_named(&all, code, STRONG, NEAR) || (has_weak && is_named(&all, code, WEAK, CLOSE))
    })
}

/// The text without what may be a code.
#[must_use]
pub fn without_codes(text: &str) -> String {
    masked(text, &codes(text), HIDDEN)
}

/// The text without what it calls a code: a gap for the owner stands there. A number that
/// is called nothing of the kind stays.
#[must_use]
pub fn without_named_codes(text: &str) -> String {
    let all = lower_case(text);
    let mut named = codes(text);
    named.retain(|code| {
        [STRONG, WEAK]
            .iter()
            .any(|names| is_named(&all, *code, names, BESIDE))
    });
    masked(text, &named, &crate::gap("code"))
}

/// The text in lower case, every character where it was.
fn lower_case(text: &str) -> String {
    let lower = |c: char| {
        let mut lower = c.to_lowercase();
        let first = lower.next().filter(|it| it.len_utf8() == c.len_utf8());
        first.filter(|_| lower.next().is_none()).unwrap_or(c)
    };
    text.chars().map(lower).collect()
}

fn masked(text: &str, codes: &[(usize, usize)], mask: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (from, to) in codes {
        out.push_str(&text[end..*from]);
        out.push_str(mask);
        end = *to;
    }
    out.push_str(&text[end..]);
    out
}

/// Whether one of the names stands within `reach` bytes of a code.
fn is_named(all: &str, (from, to): (usize, usize), names: &[&str], reach: usize) -> bool {
    let start = all.floor_char_boundary(from.saturating_sub(reach + MAX_NAME));
    let around = bounded(&all[start..], to - start + reach + MAX_NAME);
    let (from, to) = (from - start, to - start);
    names.iter().any(|name| {
        around.match_indices(name).any(|(at, _)| {
            let (before, after) = (&around[..at], &around[at + name.len()..]);
            let gap = from
                .saturating_sub(at + name.len())
                .max(at.saturating_sub(to));
            let is_other = || WEAK.contains(name) && is_other(before, after);
            gap <= reach && is_word(before, name, after) && !is_other()
        })
    })
}

/// Whether a name stands by itself: `pin` is not in `shipping`. Some scripts have no blanks.
fn is_word(before: &str, name: &str, after: &str) -> bool {
    let is_spaced = |c: char| c.is_alphanumeric() && c < '\u{3000}';
    !name.chars().all(|c| c < '\u{3000}')
        || !(before.ends_with(is_spaced) || after.starts_with(is_spaced))
}

/// Whether the word before or after a name says that it is another number.
fn is_other(before: &str, after: &str) -> bool {
    let before = before.trim_end_matches([' ', '-', '_']);
    let after = after.trim_start_matches([' ', '-']);
    OTHER
        .iter()
        .any(|word| before.ends_with(word) || after.starts_with(word))
}

/// Where a text has what may be a code: 4 to 10 digits by themselves, also in two or three groups, or
/// with a letter and a dash before (`G-123456`); or 6 to 10 letters and digits mixed, also as two groups of
/// three or four in upper case (`X7K-9QZ`).
fn codes(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(start) = rest.find(is_part) else {
            break;
        };
        let word = &rest[start..];
        let length = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (from, to) = (at + start, at + start + length);
        at = to;
        let word = text[from..to].trim_end_matches('-');
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let letters = word.chars().filter(char::is_ascii_alphabetic).count();
        // A part of an address, a number with decimals, a date, a price.
        let before = text[..from].chars().next_back();
        let after = text[to..].chars().next();
        let is_inside = before.is_some_and(|c| "/@.,:=_€$£".contains(c) && c != ':')
            || after.is_some_and(|c| "/@=_€".contains(c));
        let is_code = !is_inside
            && digits + letters <= 12
            && ((4..=10).contains(&digits) && letters <= 1
                || (6..=10).contains(&(digits + letters))
                    && digits >= 2
                    && (!word.contains('-') || is_pair(word)));
        // `123 456`: groups of three or four.
        let is_group =
            (3..=4).contains(&digits) && letters == 0 && digits == word.len() && !is_inside;
        let joins = found
            .last()
            .is_some_and(|(_, end)| is_group && text[*end..from].chars().eq([' ']));
        match (joins, found.last_mut()) {
            (true, Some(last)) => last.1 = from + word.len(),
            _ if is_code => found.push((from, from + word.len())),
            _ if is_group && next_is_group(&text[to..]) => found.push((from, from + word.len())),
            _ => {}
        }
    }
    found
}

/// Whether it is two groups of the same length, in upper case: `X7K-9QZ`.
fn is_pair(word: &str) -> bool {
    let same = |(left, right): (&str, &str)| left.len() == right.len() && !right.contains('-');
    !word.contains(|c: char| c.is_ascii_lowercase()) && word.split_once('-').is_some_and(same)
}

/// Whether ` 456` follows.
fn next_is_group(rest: &str) -> bool {
    let digits = rest.strip_prefix(' ').unwrap_or_default();
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let after = digits[count..].chars().next();
    (3..=4).contains(&count) && !after.is_some_and(|c| c.is_alphanumeric() || c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_that_brings_a_code_is_known() {
        for (subject, text, local) in [
            (
                "Your code",
                "Your code is 482915. Did you not ask for it?",
                "service",
            ),
            ("Sign in", "Use this verification code: 482 915", "ann"),
            (
                "482915 is your login code",
                "It is valid for ten minutes.",
                "id",
            ),
            (
                "Anmeldung",
                "Ihr Bestätigungscode lautet:\n\n  4829\n",
                "konto",
            ),
            ("Ihre TAN", "Ihre TAN: 482915", "bank"),
            ("482-915 is your X code", "Enter it to continue.", "hello"),
            ("X", "482915 ist dein X-Code.", "hello"),
            (
                "X",
                "Use the code X7K-9QZ to sign in. It expires in 10 minutes.",
                "hello",
            ),
            (
                "Connexion",
                "Votre code de vérification est G-482915",
                "no-reply",
            ),
            ("ログイン", "認証コード：482915", "info"),
            ("登录", "您的验证码是482915，五分钟内有效", "service"),
            ("Code", "Your one-time password is K7XP2Q9M", "login"),
            ("Sign in", "482915 is your OTP.", "hello"),
            ("Order", "Your order verification code: 482915", "ann"),
            ("Sign in", "Your 2FA code: 482915", "team"),
            ("Zugang", "Ihr Zugangscode: 482915", "noreply"),
            (
                "Acme",
                "Your access code is 482915. It expires in 10 minutes.",
                "hello",
            ),
            (
                "Acme",
                "Please confirm your email address with this code: 482915",
                "team",
            ),
            (
                "Code",
                "Ihr Einmal-Code lautet 482915. Geben Sie ihn niemandem weiter.",
                "info",
            ),
            ("Freigabe", "Der Freigabecode lautet 482915", "info"),
            ("Code", "Votre code d’authentification : 482915", "bonjour"),
            ("Código", "Usa el código de un solo uso 482915", "hola"),
            ("Codice", "Il codice OTP è 482915", "ciao"),
            ("Code", "Je inlogcode is 482915", "hallo"),
            ("Kod", "Twój kod weryfikacyjny: 482915", "kontakt"),
            ("Код", "Код подтверждения: 482915", "info"),
            ("Kod", "Doğrulama kodunuz: 482915", "info"),
            ("인증", "인증번호는 482915 입니다", "info"),
            ("ログイン", "認証番号は 482915 です", "info"),
            ("登录", "您的动态密码：482915", "info"),
            ("Reset", "Your temporary password is K7XP2Q9M", "hello"),
            ("Acme", "Your Acme passcode: 482915", "hello"),
            ("Your confirmation code", "482 915", "hello"),
            ("Hola", "Tu código de acceso es 482915", "hola"),
            ("Ciao", "Il tuo codice di accesso è 482915", "ciao"),
            ("Hola", "Código de confirmación: 482915", "hola"),
            ("Acme", "Here is your magic code: 482915", "hello"),
            (
                "Your code",
                "Here is the code that you need to log in to X: 482915",
                "no-reply",
            ),
        ] {
            assert!(brings_code(subject, text, local, false), "{text}");
            let shown = without_codes(&format!("{subject} {text}"));
            for part in ["482915", "482", "915", "4829", "K7XP2Q9M", "X7K"] {
                assert!(!shown.contains(part), "{shown}");
            }
            assert!(shown.contains("[code]"), "{shown}");
        }
    }

    #[test]
    fn without_named_codes_masks_what_is_called_a_code() {
        for (text, shown) in [
            (
                "> The code is 482915. Is it yours?",
                "> The code is [✎ code]. Is it yours?",
            ),
            ("Ihr PIN: 4829 gilt.", "Ihr PIN: [✎ code] gilt."),
            ("482 915 is the access code", "[✎ code] is the access code"),
            ("認証コードは482915です", "認証コードは[✎ code]です"),
            (
                "Order 482915 comes on 2026-11-20.",
                "Order 482915 comes on 2026-11-20.",
            ),
            (
                "It costs 1200 euros, shipping 4000.",
                "It costs 1200 euros, shipping 4000.",
            ),
            ("The coder has 4829 lines.", "The coder has 4829 lines."),
            ("Our zip code is 94105.", "Our zip code is 94105."),
            (
                "İ: error code 5003 means that the machine is off; PIN 4829",
                "İ: error code 5003 means that the machine is off; PIN [✎ code]",
            ),
            (
                "Nuestro código postal: 28001",
                "Nuestro código postal: 28001",
            ),
        ] {
            assert_eq!(without_named_codes(text), shown);
        }
    }

    #[test]
    fn persons_mail_with_numbers_is_none() {
        for (subject, text, local, is_answer) in [
            (
                "Visit",
                "The door code is 4711. Which day suits you?",
                "ann",
                false,
            ),
            (
                "Re: Login",
                "The verification code was 482915, thanks.",
                "ann",
                true,
            ),
            (
                "Booking",
                "Your reservation 482915 is confirmed; the offer is valid for 2 weeks.",
                "ann",
                false,
            ),
            ("Besuch", "Der Zugangscode zur Tür ist 4711.", "ann", false),
            (
                "Order 4711",
                "Your order 4711 has shipped.",
                "service",
                false,
            ),
            (
                "Meeting",
                "We meet on 2026-11-20 at 10:30, phone 030 123456.",
                "info",
                false,
            ),
            ("Hello", "What is your PIN policy?", "security", false),
            ("Order", "482915 is your order code.", "ann", false),
            (
                "Visit",
                "4829 is your door code. Do you come?",
                "ann",
                false,
            ),
            ("Visit", "4829 is the code of the door.", "ann", false),
            (
                "Booking",
                "Your room is ready from 3 pm on Friday; please tell the reception your name, and that \
                 breakfast is from seven to ten. We have put the bicycles into the yard, where they are \
                 dry. The confirmation code of the booking is 482915; you need it only if you are late.",
                "ann",
                false,
            ),
            ("Offer", "Is part AB3-9QZ the code to log in?", "ann", false),
            ("Shipping", "Shipping costs 1200, in 3 days.", "info", false),
            (
                "Offer",
                "We charge a one-time fee of 1500 euros. Which day suits you?",
                "ann",
                false,
            ),
            (
                "Call",
                "Join: https://x.test/j/81234567890\nMeeting ID: 812 3456 7890\nPasscode: 482915",
                "ann",
                false,
            ),
            (
                "Call",
                "Bo invites you.\nMeeting ID: 812 3456 7890\nPasscode: 482915",
                "no-reply",
                false,
            ),
            (
                "Help",
                "Error code 5003 appears. Which version do you use?",
                "support",
                false,
            ),
            (
                "Contact",
                "Name: Bo\nZip code: 94105\nWhich day suits you?",
                "no-reply",
                false,
            ),
            (
                "Contacto",
                "Nombre: Bo\nCódigo postal: 28001\n¿Qué día?",
                "noreply",
                false,
            ),
            ("Form", "エラーコード：5003 が出ます。", "no-reply", false),
            (
                "Link",
                "See https://x.test/a2fab?b=1 of order 482915.",
                "ann",
                false,
            ),
            (
                "Fwd: Sign in",
                "Is this from you?\n\n---------- Forwarded message ---------\nYour verification code is 482915",
                "ann",
                false,
            ),
            (
                "Zugang",
                "Der Zugangscode der Besprechung ist 482915. Passt das?",
                "bo",
                false,
            ),
        ] {
            assert!(!brings_code(subject, text, local, is_answer), "{text}");
        }
    }
}
