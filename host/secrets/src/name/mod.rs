//! Names that files of secrets have, in whatever way they are written.
//!
//! Lives here: [`denied`]. `canonical` makes the many ways to write a name one; `table` has the
//! names.
//! Invariants: every component of a path is judged by itself; what one system takes for a name
//! (in other letters, with a dot or a stream at its end, shortened) is judged as that name.

mod canonical;
mod table;

use canonical::{Component, components};

/// What files of this name hold, if it is a name for secrets; and whether that is the file's own name,
/// and not that of a folder it is in.
pub(crate) fn denied(path: &str) -> Option<(&'static str, bool)> {
    components(path)
        .into_iter()
        .find_map(|c| Some((judge(&c)?, c.is_last)))
}

fn judge(component: &Component) -> Option<&'static str> {
    component.forms.iter().find_map(|form| {
        table::folder(form)
            .or_else(|| table::file(form))
            .or_else(|| table::shortened(form))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secret_file_names_are_denied_in_every_spelling() {
        for name in [
            ".env",
            ".env.production",
            ".ENV.local",
            "a/b/.env/c.md",
            ".envrc",
            "production.env",
            "prod.env.txt",
            ".Env.",
            ".env ",
            ".env::$DATA",
            "note.md:.env",
            ".e\u{200B}nv",
            "\u{FF0E}\u{FF45}\u{FF4E}\u{FF56}",
            "._.env",
            ".env~",
            ".env.swp",
            "#.env#",
            ".env (1)",
            "Copy of credentials.json",
            "ENV~1",
            "CREDEN~1.JSO",
            "cr\u{0435}dentials.json",
            "credentials",
            "Credentials.md",
            "aws_credentials.csv",
            "credentials.conflict-local-20261120T184303123Z-0123abcd.csv",
            "client_secret_123.apps.googleusercontent.com.json",
            "secrets.yaml",
            "secrets.md",
            "passwords.txt",
            "Passw\u{F6}rter.md",
            "github_token.txt",
            "token",
            "Token.json",
            "access-token.txt",
            "apiKeys.csv",
            "id_rsa",
            "id_ed25519.txt",
            "id_ed25519.pub.bak",
            "ID_RSA.md",
            "server.key",
            "server.pem",
            "server.PEM.txt",
            "backup.p12.md",
            "vault.kdbx",
            "work.ovpn",
            "whatsapp.session",
            "whatsapp.session-journal.txt",
            "whatsapp.sqlite",
            "WhatsApp.SQLite.txt",
            "whatsapp.db.txt",
            "Inbox/whatsapp-state/anything.md",
            "Inbox/auth_info_baileys/app-state.txt",
            "me.session.csv",
            "banking/statement.pdf",
            "Inbox/Banking/2026/x.md",
            "BANKIN~1/x.md",
            ".ssh/config",
            "x/.gnupg/pubring.kbx",
            ".aws/config",
            ".netrc",
            "_netrc",
            ".npmrc",
            ".pypirc",
            ".git-credentials",
            "cookies.txt",
            "Cookies",
            "wallet.dat",
            "logins.json",
            "key4.db",
            "service-account.json",
            "service-account-prod-1a2b.json.txt",
            "recovery_codes.txt",
            "github-recovery-codes.txt",
            "seed_phrase.txt",
            "a\\.env",
        ] {
            assert!(denied(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn ordinary_file_names_are_allowed() {
        for name in [
            "Dashboard.md",
            "Inbox/Token economy.md",
            "Inbox/Tokens.md",
            "Inbox/token-economy.md",
            "Inbox/The secret garden.md",
            "Inbox/Secret Santa 2026.md",
            "Inbox/Trade secrets - lecture notes.md",
            "Inbox/Environment.md",
            "Inbox/env variables.md",
            "Inbox/Session 3.md",
            "Inbox/Notes.session 2.md",
            "Inbox/Cookies for Christmas.md",
            "Inbox/cookies.md",
            "Inbox/Banking licence.md",
            "Inbox/Online-Banking.md",
            "Inbox/banking.md",
            "Inbox/Key results.md",
            "Inbox/piano.key.md",
            "Inbox/Passwort-Richtlinie.md",
            "Inbox/Password policy.md",
            "Inbox/How we rotate credentials.md",
            "Inbox/Wallet.md",
            "Inbox/id_ed25519.pub.txt",
            "Inbox/Report~1.md",
            "Inbox/Ein Schl\u{FC}ssel.md",
            "Needs_Action/email/task_01KAF3W5ZZQ8XJ5N6G3B2T1C0D.md",
            "Done/2026/11/task_01KAF3W5ZZQ8XJ5N6G3B2T1C0D.conflict-local-20261120T184303123Z-0123abcd.md",
            "Inbox/invoice-2026-114.pdf",
            ".gitignore",
        ] {
            assert_eq!(denied(name), None, "{name:?}");
        }
    }

    #[test]
    fn export_names_with_spaces_are_denied() {
        for name in [
            "Inbox/Chrome Passwords.csv",
            "Inbox/Chrome Passwords (1).csv",
            "Inbox/My Passwords 2026.csv",
            "Inbox/Firefox passwords export.csv",
            "Inbox/Meine Passwörter.csv",
            "Inbox/Meine Passwo\u{308}rter.txt",
            "Inbox/Bitwarden export.csv",
            "Inbox/bitwarden_export_20261120101500.csv",
            "Inbox/lastpass_vault_export.csv",
            "Inbox/1PasswordExport-ABC-20261120.csv",
            "Inbox/Wifi passwords.txt",
            "Inbox/GitHub recovery codes.md",
            "Inbox/github-recovery-codes.md",
            "Inbox/Google backup codes 2026.md",
            "Inbox/Recovery codes for GitHub.md",
            "Inbox/GitHub Wiederherstellungscodes.md",
            "Inbox/Wiederherstellungscodes.txt",
            "Inbox/Wiederherstellungscodes GitHub.txt",
            "Inbox/Recovery codes GitHub.txt",
            "Inbox/Ledger seed phrase.md",
            "Inbox/BitLocker recovery key.txt",
            "Inbox/My wallet seed.pdf",
        ] {
            assert!(denied(name).is_some(), "{name}");
        }
        for name in [
            "Inbox/Password policy.csv",
            "Inbox/Token prices 2026.csv",
            "Inbox/Secret Santa 2026.csv",
            "Inbox/Cookies for Christmas.txt",
            "Inbox/How users choose their passwords.txt",
            "Inbox/How we store recovery codes.md",
            "Inbox/Backup codes explained.md",
            "Inbox/Why passkeys replace passwords.md",
            "Inbox/1Password for teams.md",
            "Inbox/Bitwarden setup.md",
            "Inbox/Bitwarden invoice 2026.csv",
            "Inbox/Seed phrases and how they work.md",
        ] {
            assert_eq!(denied(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn name_check_never_panics_on_any_text(text in any::<String>()) {
            let _ = denied(&text);
        }

        #[test]
        fn name_check_ignores_case_and_trailing_dots(
            upper in prop::collection::vec(any::<bool>(), 16),
            hidden in prop::collection::vec(prop::sample::select(vec!["", "\u{200B}", "\u{200D}", "\u{FE0F}", "\u{AD}"]), 16),
            end in "[. ]{0,3}",
            folder in "[a-z]{1,5}/",
        ) {
            let name: String = "credentials.json"
                .chars()
                .zip(upper)
                .zip(hidden)
                .map(|((c, upper), hidden)| {
                    let c = if upper { c.to_ascii_uppercase() } else { c };
                    format!("{c}{hidden}")
                })
                .collect();
            let path = format!("{folder}{name}{end}");
            prop_assert!(denied(&path).is_some());
        }
    }
}
