//! Passwords apart from their word: in a column below it, behind what they are for, and of words.

use super::kind;
use crate::Kind;

#[test]
fn password_export_is_found_by_its_header() {
    for text in [
        "name,url,username,password,note\nNetflix,https://netflix.example.test/,me,sommer,\n",
        "\u{FEFF}name,url,username,password\r\nNetflix,https://n.example.test/,me,sommer\r\n",
        "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n,,login,Netflix,,,0,https://n.example.test,me,abendrot,\n",
        "url,username,password,totp,extra,name,grouping,fav\nhttps://n.example.test,me,abendrot,,,Netflix,,0\n",
        "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nNetflix,https://n.example.test,me,abendrot,,false,false,,\n",
        "\"Account\",\"Login Name\",\"Password\",\"Web Site\",\"Comments\"\n\"Netflix\",\"me, myself\",\"abendrot\",\"n.example.test\",\"\"\n",
        "\"Group\",\"Title\",\"Username\",\"Password\",\"URL\"\n\"Root\",\"Netflix\",\"me\",\"\",\"\"\n\"Root\",\"Router\",\"me\",\"abendrot\",\"\"\n",
        "sep=;\nDienst;Benutzername;Passwort\nNetflix;me;abendrot\n",
        "Dienst\tBenutzer\tKennwort\nNetflix\tme\tabendrot\n",
        "Dienst\tBenutzer\tKennwort\n\tme\tabendrot\n",
        "SSID,Password\nHome,123456789\n",
    ] {
        assert_eq!(kind(text), Some(Kind::Password), "{text}");
    }
}

#[test]
fn table_with_a_password_column_is_found() {
    for text in [
        "| Site | User | Password |\n|---|---|---|\n| Netflix | me | Abend#Rot77 |\n",
        "| Dienst | Passwort |\n| --- | --- |\n| Netflix | siehe 1Password |\n| Router | abendrot |\n",
        "Dienst | **Passwort**\n:--|--:\nNetflix | `abendrot`\n",
        "| Password | Since |\n|---|---|\n| Abend#Rot77 | 2024 |\n",
        "> | Site | Password |\n> |---|---|\n> | Netflix | abendrot |\n",
        "| WLAN | Passwort |\n|---|---|\n| Gäste | correct horse battery staple |\n",
    ] {
        assert_eq!(kind(text), Some(Kind::Password), "{text}");
    }
}

#[test]
fn table_about_passwords_is_ordinary() {
    for text in [
        "| Feature | Password | Passkey |\n|---|---|---|\n| Phishing | yes | no |\n",
        "| Site | Password |\n|---|---|\n| Netflix | see 1Password |\n| Router | in KeePass |\n| Mail | - |\n| Bank | ******** |\n",
        "| Dienst | Passwort |\n|---|---|\n| Netflix | siehe Tresor |\n| Mail | geändert am 20.11.2026 |\n",
        "| field | type |\n|---|---|\n| password | varchar(255) |\n| token | uuid |\n",
        "name,url,username,password\nNetflix,https://n.example.test,me,\nMail,https://m.example.test,me,\n",
        "The form has a name, password, and code.\nThen a table, Chair7x, and lamp.\n",
        "We need username, password, email\n\nThanks, see you, Anna\n",
        "Site,Username,Password strength,Last change\nNetflix,me,strong77Abc,2026-11-20\n",
        "Angemeldet als Gast, Passwort, Code\n",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
}

#[test]
fn password_with_its_purpose_between_is_found() {
    for text in [
        "Password for Netflix: Abend#Rot77",
        "Passwort für den Router: Abend#Rot77",
        "Passwort vom Gast-WLAN: Abend#Rot77",
        "WLAN-Passwort Gäste: Abend#Rot77",
        "Password (router): Abend#Rot77",
        "**Password (router):** `Abend#Rot77`",
        "Passwort - Abend#Rot77",
        "Passwort \u{2013} Abend#Rot77",
        "Kennwort zum Portal = Willkommen2026",
    ] {
        assert_eq!(kind(text), Some(Kind::Password), "{text}");
    }
    for text in [
        "Password policy: see Section4.2b!",
        "Password reset for Anna: Ticket#INC0012345",
        "Passwort Änderung: Ticket2026X",
        "Password manager: 1Password7",
        "Password for the portal: please ask Anna2 about it",
        "Passwort für Gäste: hängt im Flur, Raum B2.07",
        "Passwort - siehe unten",
        "Passwort - Kapitel4 und Kapitel5",
        "Password of the week: Ticket#4411",
        "Boarding pass for Anna: LH2042-14a",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
}

#[test]
fn passphrase_is_found() {
    for text in [
        "password: correct-horse-battery-staple",
        "Passphrase: Correct-Horse-Battery-Staple-7",
        "passphrase: correct horse battery staple",
        "passphrase: \"correct horse battery staple\" (router)",
        "Passwort: amsel-wolke-kiesel-tanne-fluss",
        "WLAN-Passwort Gäste: amsel-wolke-kiesel-tanne",
        "PASSPHRASE=correct-horse-battery-staple",
    ] {
        assert_eq!(kind(text), Some(Kind::Password), "{text}");
    }
    for text in [
        "Passphrase: correct horse battery staple (the comic, not ours)",
        "password: see-the-vault-entry-there",
        "password: your-password-goes-here",
        "pw: hier steht absichtlich nichts",
        "password: please ask your manager",
        "password: stored inside company vault",
        "Passwort: hat Jonas, bitte anrufen",
        "password: choose four random words.",
        "password: three-words-only",
        "# password delivery design piano chapter",
        "---\n\n# password delivery design piano chapter",
    ] {
        assert_eq!(kind(text), None, "{text}");
    }
}
