//! What `platinum doctor` tries of mail: the account is described, its server starts, it offers
//! what is needed, and it gets into the mailbox. Nothing is written and nothing is sent.

use platinum_core::Role;
use platinum_daemon::{Config, mail_server};
use platinum_mcp::{CallError, Session};

use super::{Check, plain};

/// A Message-ID that no mail has: looking for it needs the login and finds nothing.
const NO_MAIL: &str = "platinum-doctor@nowhere.invalid";

pub(super) async fn look(config: &Config) -> Check {
    let Some(spec) = mail_server(config, Role::Local) else {
        return Check::warn("mail", "none: `mail.account` and `mail.config` name one");
    };
    if let Some(name) = config
        .mail
        .env
        .iter()
        .find(|name| std::env::var_os(name).is_none())
    {
        return Check::error(
            "mail",
            format!("the environment variable {name}, which `mail.env` names, is not set here"),
        );
    }
    let described = describe(config);
    if let Err(why) = &described {
        return Check::error("mail", why.clone());
    }
    let session = match Session::spawn(spec).await {
        Ok(session) => session,
        Err(error) => return Check::error("mail", error.to_string()),
    };
    let found = match try_out(&session, &config.mail.env).await {
        Ok(can_send) => verdict(config, can_send, described == Ok(Sends::No)),
        Err(why) => Check::error("mail", plain(&why, 500)),
    };
    session.close().await;
    found
}

fn verdict(config: &Config, can_send: bool, no_way_out: bool) -> Check {
    let opened = format!("the mailbox of `{}` opens", plain(&config.mail.account, 64));
    if !can_send {
        Check::warn(
            "mail",
            format!(
                "{opened}; this mail server cannot send, so approved drafts stay where they are"
            ),
        )
    } else if no_way_out {
        Check::warn(
            "mail",
            format!(
                "{opened}; there is no [account.{}.smtp] in {}, so approved drafts cannot be sent",
                plain(&config.mail.account, 64),
                config.mail.config.display()
            ),
        )
    } else {
        Check::ok(
            "mail",
            format!("{opened}; whether sending works, the first mail shows"),
        )
    }
}

/// Whether the account has a way to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sends {
    Yes,
    No,
}

/// Whether the account stands in the mail servers' file. All else in it is the server's to check.
fn describe(config: &Config) -> Result<Sends, String> {
    let path = config.mail.config.display();
    let text = std::fs::read_to_string(&config.mail.config)
        .map_err(|error| format!("`mail.config` {path} cannot be read: {error}"))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error| format!("`mail.config` {path}: {error}"))?;
    let none = toml::Table::new();
    let accounts = table
        .get("account")
        .and_then(toml::Value::as_table)
        .unwrap_or(&none);
    let Some(account) = accounts.get(&config.mail.account) else {
        let names: Vec<&str> = accounts.keys().map(String::as_str).collect();
        return Err(format!(
            "`mail.account` is `{}`, and {path} has {}",
            config.mail.account,
            match names.as_slice() {
                [] => "no [account.NAME]".to_owned(),
                names => names.join(", "),
            }
        ));
    };
    let is_imap = account.get("backend").and_then(toml::Value::as_str) == Some("imap");
    Ok(match is_imap && account.get("smtp").is_none() {
        true => Sends::No,
        false => Sends::Yes,
    })
}

/// Gets into the mailbox; answers whether the server can send.
async fn try_out(session: &Session, visible: &[String]) -> Result<bool, String> {
    let tools = session.tools().await.map_err(|error| error.to_string())?;
    let search = serde_json::json!({ "message_id": NO_MAIL, "folder": "INBOX", "limit": 1 });
    match session.call("search_emails", search).await {
        Ok(_) => Ok(tools.iter().any(|tool| tool.name == "send_email")),
        Err(CallError::Tool(text)) => {
            // The server sees only what it is given; a variable of this shell is not enough.
            let unnamed = text
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .filter(|_| text.contains("environment variable"))
                .find(|word| {
                    std::env::var_os(word).is_some() && !visible.iter().any(|name| name == word)
                });
            Err(match unnamed {
                Some(name) => format!("{text}; name it in `mail.env`: env = [\"{name}\"]"),
                None => text,
            })
        }
        Err(error) => Err(error.to_string()),
    }
}
