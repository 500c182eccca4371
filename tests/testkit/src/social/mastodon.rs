//! [`FediverseServer`]: what tests do at a server with Mastodon's API, whichever it is.

use std::path::Path;

use serde_json::{Value, json};

use super::{SocialRefusal, call, encoded, text, write_secret};

/// An account of a server with Mastodon's API.
#[derive(Debug, Clone)]
pub struct MastodonAccount {
    /// Its name there.
    pub name: String,
    /// Its number there.
    pub id: String,
    /// What a program shows to act for it.
    pub token: String,
}

/// A server with Mastodon's API on loopback.
pub trait FediverseServer {
    /// The port it answers at.
    fn port(&self) -> u16;

    /// Makes an account, with a token that can act for it.
    ///
    /// # Errors
    /// If there is one of this name.
    fn create_account(&self, name: &str) -> anyhow::Result<MastodonAccount>;

    /// Where it answers, without a slash at the end.
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Calls its API with a token.
    ///
    /// # Errors
    /// What the server refuses.
    fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, SocialRefusal> {
        let headers = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        call(self.port(), method, path, &headers, body)
    }

    /// The account that a token acts for.
    ///
    /// # Errors
    /// If the server does not know the token.
    fn account_of(&self, name: &str, token: String) -> anyhow::Result<MastodonAccount> {
        let path = "/api/v1/accounts/verify_credentials";
        let answer = self.call("GET", path, Some(&token), None)?;
        Ok(MastodonAccount {
            name: name.to_owned(),
            id: text(&answer, "id")?,
            token,
        })
    }

    /// The posts of an account, newest first, at most forty.
    ///
    /// # Errors
    /// What the server refuses.
    fn posts(&self, account: &MastodonAccount) -> Result<Vec<Value>, SocialRefusal> {
        let path = format!(
            "/api/v1/accounts/{}/statuses?limit=40",
            encoded(&account.id)
        );
        match self.call("GET", &path, Some(&account.token), None)? {
            Value::Array(posts) => Ok(posts),
            _ => Ok(Vec::new()),
        }
    }

    /// Publishes a post as the owner of an account; the server's object of it.
    ///
    /// # Errors
    /// What the server refuses.
    fn publish(
        &self,
        account: &MastodonAccount,
        text_of_it: &str,
        answers: Option<&str>,
    ) -> Result<Value, SocialRefusal> {
        let mut wanted = json!({"status": text_of_it, "visibility": "public"});
        if let Some(id) = answers {
            wanted["in_reply_to_id"] = json!(id);
        }
        let path = "/api/v1/statuses";
        self.call("POST", path, Some(&account.token), Some(&wanted))
    }

    /// Deletes a post as the owner of an account. snac has no such call.
    ///
    /// # Errors
    /// What the server refuses.
    fn delete(&self, account: &MastodonAccount, id: &str) -> Result<(), SocialRefusal> {
        let path = format!("/api/v1/statuses/{}", encoded(id));
        self.call("DELETE", &path, Some(&account.token), None)
            .map(drop)
    }
}

impl MastodonAccount {
    /// Its section of `social.toml` under a name, for a program that finds the server at `url`; with a token that is
    /// written to a file in `folder`, which the section names.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn section(
        &self,
        name: &str,
        url: &str,
        folder: &Path,
        token: Option<&str>,
    ) -> anyhow::Result<String> {
        let mut section = format!(
            "[accounts.{name}]\nnetwork = 'mastodon'\nserver = '{url}'\nhandle = '{}'\n",
            self.name
        );
        if let Some(token) = token {
            let file = format!("{name}.token");
            write_secret(&folder.join(&file), token)?;
            section.push_str(&format!("token = {{ file = '{file}' }}\n"));
        }
        Ok(section)
    }
}
