//! What mails and office work bring that looks like secrets: invitations, links for one use,
//! tables about passwords, codes of flights, names of files.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    notes::Rng,
    words::{ENGLISH, GERMAN},
};

/// One piece of a note.
pub(crate) fn block(rng: &mut Rng) -> String {
    match rng.below(9) {
        0 => invitation(rng),
        1 => one_use(rng),
        2 => table(rng),
        3 => export(rng),
        4 => names(rng),
        5 => passes(rng),
        6 => kept(rng),
        7 => codes(rng),
        _ => words(rng),
    }
}

fn meeting(rng: &mut Rng) -> String {
    let groups = [3, 3, 3, 2].map(|n| rng.digits(n));
    groups.join(" ")
}

fn invitation(rng: &mut Rng) -> String {
    let id = meeting(rng);
    match rng.below(6) {
        0 => format!(
            "Join Zoom Meeting\nhttps://us0{}web.zoom.us/j/{}?pwd={}.1\n\nMeeting ID: {id}\nPasscode: {}\n\nOne tap mobile\n+49{},,{}#,,,,*{}#\n",
            1 + rng.below(8),
            rng.digits(11),
            rng.alnum(30),
            rng.alnum(8),
            rng.digits(10),
            rng.digits(11),
            rng.digits(6)
        ),
        1 => format!(
            "Microsoft Teams-Besprechung\nJetzt an der Besprechung teilnehmen<https://teams.microsoft.com/l/meetup-join/19%3ameeting_{}%40thread.v2/0?context=%7b%22Tid%22%3a%22{}%22%7d>\nBesprechungs-ID: {id}\nPasscode: {}\n",
            rng.alnum(47),
            rng.uuid(),
            rng.alnum(8)
        ),
        2 => format!(
            "________________\nMicrosoft Teams Need help?\nMeeting ID: {id}\r\nPasscode: {}\r\n________________\n",
            rng.alnum(8)
        ),
        3 => format!(
            "Webex\nMeeting number (access code): {} {} {}\nMeeting password: {} ({} when dialing from a phone)\n",
            rng.digits(4),
            rng.digits(3),
            rng.digits(4),
            rng.alnum(11),
            rng.digits(8)
        ),
        4 => format!(
            "<a href=\"https://zoom.us/w/{}?tk={}&amp;pwd={}&amp;uuid={}\">Join</a>\n",
            rng.digits(11),
            rng.alnum(40),
            rng.alnum(32),
            rng.alnum(16)
        ),
        _ => format!(
            "LOCATION:https://us02web.zoom.us/j/{}?pwd={}\r\n {}\r\nX-ZOOM:zoommtg://zoom.us/join?action=join&confno={}&pwd={}\r\n",
            rng.digits(11),
            rng.alnum(24),
            rng.alnum(8),
            rng.digits(11),
            rng.alnum(32)
        ),
    }
}

fn web_token(rng: &mut Rng) -> String {
    let claims = format!(
        "{{\"sub\":\"{}\",\"iat\":17{},\"aud\":\"magic\"}}",
        rng.uuid(),
        rng.digits(8)
    );
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"),
        URL_SAFE_NO_PAD.encode(claims),
        URL_SAFE_NO_PAD.encode(rng.bytes(32))
    )
}

fn one_use(rng: &mut Rng) -> String {
    let token = web_token(rng);
    match rng.below(8) {
        0 => format!(
            "https://app.example.test/users/password/edit?reset_password_token={}",
            rng.alnum(20)
        ),
        1 => format!(
            "https://app.example.test/password/reset/{}?email=owner%40example.test",
            rng.hex(64)
        ),
        2 => format!("<https://app.example.test/login?jwt_token={token}>"),
        3 => format!("[Sign in](https://id.example.test/magic/{token})"),
        4 => format!(
            "Sign in here: https://app.example.test/verify#access_token={token}&expires_in=3600&type=magiclink"
        ),
        5 => format!(
            "<a href=3D\"https://app.example.test/v?password_token=3D{}&amp;t=3D{}\">Reset=\n password</a>",
            rng.alnum(24),
            rng.alnum(12)
        ),
        6 => format!(
            "https://app.example.test/set-password?passwordResetCode={}&user={}",
            rng.alnum(32),
            rng.digits(6)
        ),
        _ => format!("Anmelden: https://app.example.test/anmelden?token=\n{token}\n"),
    }
}

fn table(rng: &mut Rng) -> String {
    let site = |rng: &mut Rng| (*rng.pick(ENGLISH)).to_owned();
    let mut text = (*rng.pick(&[
        "| Site | User | Password |\n|---|---|---|\n",
        "| Dienst | Benutzer | Passwort |\n|:--|:--|--:|\n",
        "| Feature | Password | Passkey |\n|---|---|---|\n",
        "| System | Kennwort | Stand |\n|---|---|---|\n",
    ]))
    .to_owned();
    for _ in 0..rng.below(6) + 1 {
        let second = if text.contains("Feature") {
            (*rng.pick(&["yes", "no", "weak", "strong", "-"])).to_owned()
        } else {
            (*rng.pick(&[
                "see 1Password",
                "in KeePass",
                "siehe Tresor",
                "********",
                "-",
                "",
                "\u{2014}",
                "n/a",
                "ask Maria",
                "SSO",
                "1Password",
                "passkey",
                "Bitwarden",
                "<redacted>",
                "geändert am 20.11.2026",
                "in the safe",
                "\u{2022}\u{2022}\u{2022}\u{2022}",
                "x",
            ]))
            .to_owned()
        };
        let (first, third) = (site(rng), rng.date());
        if text.contains("Kennwort") || text.contains("Feature") {
            text.push_str(&format!("| {first} | {second} | {third} |\n"));
        } else {
            text.push_str(&format!("| {first} | me@example.test | {second} |\n"));
        }
    }
    text
}

fn export(rng: &mut Rng) -> String {
    let mut text = (*rng.pick(&[
        "name,url,username,last login\n",
        "url,username,password,note\n",
        "Dienst;Benutzer;Passwort;Notiz\n",
        "account\ttoken economy\tsecret santa\tcity\n",
        "field,type,required,default\n",
    ]))
    .to_owned();
    let sign = if text.contains(';') {
        ";"
    } else if text.contains('\t') {
        "\t"
    } else {
        ","
    };
    for _ in 0..rng.below(12) + 1 {
        let third = if text.contains("ass") {
            String::new()
        } else {
            (*rng.pick(GERMAN)).to_owned()
        };
        let row = [
            (*rng.pick(ENGLISH)).to_owned(),
            format!("https://{}.example.test/", rng.hex(6)),
            third,
            rng.date(),
        ];
        text.push_str(&row.join(sign));
        text.push('\n');
    }
    text
}

fn names(rng: &mut Rng) -> String {
    let words: Vec<&str> = (0..rng.below(5) + 3).map(|_| *rng.pick(ENGLISH)).collect();
    let date = format!("2026-{:02}-{:02}", 1 + rng.below(12), 1 + rng.below(28));
    let start = *rng.pick(&[
        "re_",
        "sl.",
        "hf_",
        "tfp_",
        "fo1_",
        "v1.0-",
        "secret_",
        "hvs.",
        "mfa.",
        "sgp_",
        "sk-",
        "password-",
        "token_",
        "pat-",
        "AIza",
        "key-",
    ]);
    format!(
        "[[{start}{date}_{}_v{}]] and {start}{}.md, {start}{}",
        words.join("_"),
        rng.below(20),
        words.join("-"),
        words.join("_")
    )
}

fn passes(rng: &mut Rng) -> String {
    let line = rng.of("ABCDEFGHKLMNPRSTVWXZ", 2);
    format!(
        "Boarding pass: {line}{}-{}{}\nSki pass: {}\nLow-pass: {}kHz/{}dB\nHigh-pass: {}Hz/{}dB\nEurail Pass: {line}{}\nPass: ok\n",
        rng.digits(4),
        1 + rng.below(40),
        rng.of("ABCDEF", 1),
        rng.digits(12),
        rng.below(20),
        rng.below(48),
        rng.below(200),
        rng.below(48),
        rng.digits(7)
    )
}

fn kept(rng: &mut Rng) -> String {
    const FOR: [&str; 8] = [
        "Netflix",
        "the portal",
        "Anna",
        "router",
        "review",
        "office",
        "team",
        "piano",
    ];
    let (one, two, three) = (*rng.pick(&FOR), *rng.pick(GERMAN), *rng.pick(ENGLISH));
    format!(
        "PW: 1Password\nPasswort: 1Password-Eintrag {two}{}\nPassword for {one}: ask {three}\nPasswort ({two}): siehe Tresor\n\
         Password - {one} {two}\nPasswort {two}: {two} {three}\nPassword reset for {one}: Ticket#{}\nPassword policy {one}: see Section{}.{}\n\
         Passphrase for {one}: in the safe of {three}\nKennwort zum {two}: hängt im Flur, Raum B{}.0{}\npassword: {one} {three}\n",
        rng.digits(2),
        rng.digits(6),
        rng.below(9),
        rng.below(9),
        rng.below(9),
        rng.below(9)
    )
}

fn codes(rng: &mut Rng) -> String {
    let mut text = (*rng.pick(&[
        "Print your recovery codes and keep them in the safe.\n\n",
        "Your one-time code is 123456. It is valid for 10 minutes.\n\n",
        "Order numbers of the quarter:\n\n",
        "The backup code ran on these days:\n\n",
        "Wiederherstellungscodes liegen im Tresor.\n\n",
    ]))
    .to_owned();
    for _ in 0..rng.below(8) + 2 {
        let line = match rng.below(5) {
            0 => format!("- {} {}\n", rng.date(), rng.sentence(3)),
            1 => format!("{} {}\n", rng.hex(7), rng.sentence(4)),
            2 => format!("Order {}-{}\n", rng.digits(5), rng.digits(5)),
            3 => format!("- {}: {}\n", rng.sentence(1), rng.amount()),
            _ => format!("Invoice {}\n", rng.digits(10)),
        };
        text.push_str(&line);
    }
    text
}

fn words(rng: &mut Rng) -> String {
    let list = if rng.one_in(2) { ENGLISH } else { GERMAN };
    let (before, after) = *rng.pick(&[
        ("- ", "\n"),
        ("", "\n"),
        ("", ", "),
        ("* ", "\n"),
        ("", " "),
    ]);
    let mut text = String::new();
    for n in 0..rng.below(30) + 4 {
        let number = if before.is_empty() && after == "\n" {
            format!("{}. ", n + 1)
        } else {
            String::new()
        };
        text.push_str(&format!("{before}{number}{}{after}", rng.pick(list)));
    }
    text
}
