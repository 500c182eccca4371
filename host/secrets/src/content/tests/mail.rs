//! What ordinary mail carries: links that let in, meetings, names that look like tokens; and what
//! is a secret beside them all the same.

use super::{ALNUM, body, jwt, kind};
use crate::Kind;

fn web_token() -> String {
    jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"1","exp":1}"#)
}

#[test]
fn link_with_an_access_token_is_ordinary() {
    let code = body(ALNUM, 30, 21);
    let token = web_token();
    for text in [
        format!("https://us02web.zoom.us/j/83912345678?pwd={code}.1"),
        format!("Join: <https://us02web.zoom.us/j/83912345678?pwd={code}>"),
        format!("us02web.zoom.us/j/83912345678?pwd={code}"),
        format!("zoommtg://zoom.us/join?action=join&confno=83912345678&pwd={code}"),
        format!("<a href=\"https://zoom.us/w/9?tk=x&amp;pwd={code}&amp;uuid=a\">Join</a>"),
        format!("https://x.example.test/w?uuid=1&passcode={code}"),
        format!("LOCATION:https://zoom.us/j/8391?\r\n pwd={code}"),
        format!(
            "a =3D b\nhttps://us02web.zoom.us/j/8391?pwd=3D{}=\n{}",
            &code[..9],
            &code[9..]
        ),
        format!(
            "https://app.example.test/users/password/edit?reset_password_token={}",
            &code[..20]
        ),
        format!("https://app.example.test/?email=me%40example.test&password_reset_code={code}"),
        format!("https://app.example.test/login?jwt_token={token}"),
        format!("https://app.example.test/magic#access_token={token}&type=magiclink"),
        format!("https://app.example.test/verify/{token}"),
        format!("[Sign in](https://app.example.test/verify?token={token})"),
        format!("Sign in: https://app.example.test/verify?jwt_token=\n{token}\n"),
        format!(
            "https://app.example.test/verify?jwt_token={}\n{}",
            &token[..30],
            &token[30..]
        ),
    ] {
        assert_eq!(kind(&text), None, "{text}");
    }
}

#[test]
fn link_with_a_password_is_found() {
    for text in [
        "https://cam.example.test/view?usr=admin&pwd=Abend77Rot",
        "https://cam.example.test/view?pwd=Abend77Rot&user=admin",
        "https://app.example.test/login?user=me&password=Abend77Rot",
        "https://app.example.test/login?password=Abend77Rot",
        "postgres://db.example.test/app?password=Abend77Rot",
        "https://app.example.test/;password=Abend77Rot",
        "See https://app.example.test/ password=Abend77Rot",
        "a;https://app.example.test/x;me;password=Abend77Rot",
        "Server=db;User Id=app;Password=Abend77Rot;",
    ] {
        assert_eq!(kind(text), Some(Kind::Password), "{text}");
    }
    let token = web_token();
    for text in [
        format!("https://app.example.test/\n{token}"),
        format!("See https://app.example.test/docs and then {token}"),
        format!("{{\"url\":\"https://app.example.test/x\",\"jwt\":\"{token}\"}}"),
        format!("https://{token}@app.example.test/x"),
    ] {
        assert_eq!(kind(&text), Some(Kind::Jwt), "{text}");
    }
}

#[test]
fn meeting_passcode_beside_its_number_is_ordinary() {
    for text in [
        "Join the meeting now\nMeeting ID: 312 445 667 21\nPasscode: xY9Gk2TB\n",
        "Besprechungs-ID: 312 445 667 21\r\nPasscode: xY9Gk2TB\r\n",
        "> Meeting ID: 839 1234 5678\n> Password: xY9Gk2TB\n",
        "Passcode: xY9Gk2TB\nMeeting ID: 312 445 667 21\n",
        "Meeting number (access code): 2345 678 9012\nMeeting password: xY9Gk2TBq3\n",
        "Meeting-Kennnummer (Zugriffscode): 2345 678 9012\nMeeting-Passwort: xY9Gk2TBq3\n",
        "<p>Meeting ID: 312 445 667 21</p><p>Passcode: xY9Gk2TB</p>",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
    for text in [
        "Passcode: xY9Gk2TB",
        "Meeting ID: to follow\nPasscode: xY9Gk2TB",
        "Meeting ID: 312 445 667 21\nPasscode: xY9Gk2TB\nMy mail password: Abend#Rot77\n",
        "Meeting ID: 312 445 667 21\nHost: me\nPassword: Abend#Rot77\n",
    ] {
        assert_eq!(kind(text), Some(Kind::Password), "{text}");
    }
}

#[test]
fn names_of_files_and_password_managers_are_ordinary() {
    for text in [
        "re_2026-11-20_angebot_website_relaunch_v2.md",
        "see [[re_2026-11-20_angebot_website_relaunch_v2]]",
        "tfp_2026_notes_on_the_quarterly_planning_of_the_team_3",
        "PW: 1Password",
        "Passwort: 1Password-Eintrag",
        "Password: 1Password/Private/Router2",
        "Kennwort: KeePass2Android",
        "Boarding pass: LH2042-14A",
        "Boarding pass: LH2042-14a",
        "Low-pass: 2kHz/12dB",
        "High-pass: 80Hz/24dB",
        "Ski pass: 2026/27-B12x",
        "Eurail Pass: EU7H2K9Q4",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
    for text in [
        format!("re_{}", body(ALNUM, 32, 22)),
        format!("re_{}_{}", body(ALNUM, 8, 23), body(ALNUM, 24, 24)),
    ] {
        assert_eq!(kind(&text), Some(Kind::Token("Resend")), "{text}");
    }
    for text in [
        "mail pass: Abend77rot",
        "smtp-pass: ABEND77ROT",
        "pass: Abend77rot",
        "Netflix pass: Abend77rot",
        "PW: 1passwordIsNotEnough!",
    ] {
        let expected = (!text.contains("1password")).then_some(Kind::Password);
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn wrapped_token_is_found() {
    let token = web_token();
    let wrapped = |text: &str, width: usize, end: &str| -> String {
        let pieces: Vec<_> = text
            .as_bytes()
            .chunks(width)
            .map(|piece| String::from_utf8_lossy(piece).into_owned())
            .collect();
        pieces.join(end)
    };
    let github = format!("ghp_{}", body(ALNUM, 36, 25));
    let openai = format!("sk-proj-{}", body(ALNUM, 120, 26));
    for (text, expected) in [
        (wrapped(&token, 60, "\n"), Kind::Jwt),
        (wrapped(&token, 76, "\r\n"), Kind::Jwt),
        (format!("> {}", wrapped(&token, 40, "\n> ")), Kind::Jwt),
        (token.replacen('.', ".\n", 2), Kind::Jwt),
        (token.replacen('.', "\n.", 1), Kind::Jwt),
        (wrapped(&github, 22, "\n"), Kind::Token("GitHub")),
        (
            format!("The key is {} and so on", wrapped(&github, 30, "\r\n")),
            Kind::Token("GitHub"),
        ),
        (
            format!("> {}", wrapped(&github, 20, "\n> ")),
            Kind::Token("GitHub"),
        ),
        (wrapped(&openai, 28, "\n"), Kind::Token("OpenAI")),
    ] {
        assert_eq!(kind(&text), Some(expected), "{text}");
    }
    for text in [
        "Keys start with ghp_\nand are thirty-six letters and digits long, 36 of them.",
        "npm_config_registry\nnpm_lifecycle_event_2026\n",
        "The prefix is ghp_abcdefgh\nabcdefgh\nabcdefgh\nabcdefgh\nabcdefgh\n",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
}
