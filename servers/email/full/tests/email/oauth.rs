//! Logins with OAuth 2 on Dovecot's own, and through it on Postfix: tokens of a provider on loopback that end, are
//! renewed by whoever needs them, and are taken back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use platinum_connect::oauth::OAuthSettings;
use platinum_connect::oauth::login::{Person, log_in};
use platinum_connect::{Credential, CredentialError};
use platinum_email::smtp::{LoginOutcome, SmtpSettings, try_login};
use platinum_mailbox::{Backend, Config, Cursor, Mailbox, MailboxError, open};
use platinum_testkit::mail::token_server::{CLIENT_ID, TokenServer};
use platinum_testkit::mail::{MailServers, MailboxLayout, OWNER};

const NONE_SEEN: fn(&str) -> bool = |_| false;
const PATIENCE: Duration = Duration::from_secs(20);

/// An account whose tokens are in a file of their own.
struct Fixture {
    tokens: TokenServer,
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self {
            tokens: TokenServer::start(OWNER).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn token_file(&self) -> PathBuf {
        self.folder.path().join("owner.token")
    }

    /// As after a login a while ago: the access token has ended.
    fn logged_in(self) -> Self {
        let refresh = self.tokens.new_refresh_token();
        let text = format!(
            "{{\"access_token\":\"access-old\",\"refresh_token\":\"{refresh}\",\"expires_at\":\"2020-01-01T00:00:00Z\"}}"
        );
        std::fs::write(self.token_file(), text).unwrap();
        std::fs::set_permissions(self.token_file(), PermissionsExt::from_mode(0o600)).unwrap();
        self
    }

    fn config(&self, servers: Option<&MailServers>, way: &str) -> Config {
        let (imap, smtp, ca) = servers.map_or((1, 1, PathBuf::from("ca.pem")), |servers| {
            (servers.imap_port(), servers.smtps_port(), servers.ca_path())
        });
        let text = format!(
            "[account.owner]\naddress = \"{OWNER}\"\nbackend = \"imap\"\nhost = \"127.0.0.1\"\nport = {imap}\n\
             user = \"{OWNER}\"\nca-file = {ca:?}\n[account.owner.oauth]\nclient-id = \"{CLIENT_ID}\"\n\
             token = {{ file = \"owner.token\" }}\ntoken-url = \"{}\"\n{way}-url = \"{}\"\nscopes = \"read-mail send-mail\"\n\
             [account.owner.smtp]\nhost = \"127.0.0.1\"\nport = {smtp}\n",
            self.tokens.url("token"),
            self.tokens.url(way)
        );
        Config::parse(&text, self.folder.path()).unwrap()
    }

    fn settings(&self, way: &str) -> OAuthSettings {
        let config = self.config(None, way);
        let Backend::Imap(imap) = &config.accounts["owner"].backend else {
            panic!()
        };
        let Credential::OAuth(settings) = &imap.credential else {
            panic!()
        };
        (**settings).clone()
    }

    fn servers(&self) -> Option<MailServers> {
        let layout = MailboxLayout {
            token_server: Some(self.tokens.port()),
            ..MailboxLayout::default()
        };
        MailServers::present()
            .unwrap()
            .then(|| MailServers::start_with(layout).unwrap())
    }
}

fn inbox(config: &Config) -> Box<dyn Mailbox> {
    open(&config.accounts["owner"]).unwrap()
}

fn has_token(text: &str) -> bool {
    text.contains("access-") || text.contains("refresh-")
}

fn mail(subject: &str) -> Vec<u8> {
    format!("Message-ID: <{subject}@x.test>\r\nFrom: a@x.test\r\nSubject: {subject}\r\n\r\nx\r\n")
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_ends_in_the_middle_of_idle_is_renewed() {
    let fixture = Fixture::new().logged_in();
    let Some(servers) = fixture.servers() else {
        return;
    };
    let config = fixture.config(Some(&servers), "device");
    let mut inbox = inbox(&config);
    let empty = inbox
        .poll_new(&Cursor::default(), 5, &NONE_SEEN)
        .await
        .unwrap();
    assert_eq!(fixture.tokens.renewals(), 1);
    assert_eq!(
        inbox.wait(Duration::from_millis(300)).await.unwrap(),
        platinum_mailbox::Wake::TimedOut
    );
    // The provider ends the token before its time, and the session with it.
    let (mut waited, ()) = tokio::join!(inbox.wait(PATIENCE), async {
        tokio::task::block_in_place(|| {
            fixture.tokens.end_access();
            servers.kick(OWNER).unwrap();
        });
    });
    let deadline = Instant::now() + PATIENCE;
    while fixture.tokens.renewals() < 2 && Instant::now() < deadline {
        if let Err(error) = &waited {
            assert!(error.is_passing(), "{error}");
        }
        waited = inbox.wait(Duration::from_millis(200)).await;
    }
    servers.deliver(OWNER, &mail("one")).unwrap();
    let new = inbox.poll_new(&empty.cursor, 5, &NONE_SEEN).await.unwrap();
    assert_eq!(new.mails.len(), 1);
    assert_eq!(fixture.tokens.renewals(), 2);
    let mode = std::fs::metadata(fixture.token_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let logs = servers.logs();
    assert!(
        !logs.contains("refresh-"),
        "a refresh token reached the mail server"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_good_for_sending_and_renewed_when_refused() {
    let fixture = Fixture::new().logged_in();
    let Some(servers) = fixture.servers() else {
        return;
    };
    let config = fixture.config(Some(&servers), "device");
    let account = &config.accounts["owner"];
    let settings =
        SmtpSettings::read(account, account.smtp.as_ref().unwrap(), &config.folder).unwrap();
    assert_eq!(try_login(&settings).await, LoginOutcome::LetIn);
    assert_eq!(fixture.tokens.renewals(), 1);
    fixture.tokens.end_access();
    assert_eq!(try_login(&settings).await, LoginOutcome::LetIn);
    assert_eq!(fixture.tokens.renewals(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_that_was_taken_back_says_what_to_run() {
    let fixture = Fixture::new().logged_in();
    let Some(servers) = fixture.servers() else {
        return;
    };
    let config = fixture.config(Some(&servers), "device");
    let mut inbox = inbox(&config);
    fixture.tokens.set_broken(true);
    let away = inbox.keys().await.unwrap_err();
    assert!(away.is_passing() && !has_token(&away.to_string()), "{away}");
    fixture.tokens.set_broken(false);
    inbox.keys().await.unwrap();
    drop(inbox);
    fixture.tokens.end_access();
    fixture.tokens.revoke();
    let ended = self::inbox(&config).keys().await.unwrap_err();
    let text = ended.to_string();
    assert!(
        matches!(ended, MailboxError::Credential(CredentialError::OAuth(_))),
        "{text}"
    );
    assert!(
        text.starts_with("127.0.0.1 ended the login of owner (invalid_grant"),
        "{text}"
    );
    assert!(text.contains("run `platinum mail login owner`"), "{text}");
    assert!(!ended.is_passing() && !has_token(&text), "{text}");
    std::fs::remove_file(fixture.token_file()).unwrap();
    let none = self::inbox(&config).keys().await.unwrap_err().to_string();
    assert!(
        none.starts_with("there is no login of owner yet: run `platinum mail login owner`"),
        "{none}"
    );
}

/// The watcher and the mail server of a cloud share a file of tokens; a refresh token is worth one renewal.
#[tokio::test(flavor = "multi_thread")]
async fn token_is_renewed_once_for_all_who_need_it() {
    let fixture = Fixture::new().logged_in();
    let renewing = (0..8).map(|_| {
        let settings = fixture.settings("device");
        tokio::spawn(async move { settings.access_token().await.unwrap().expose().to_owned() })
    });
    let renewing: Vec<_> = renewing.collect();
    let mut got = std::collections::BTreeSet::new();
    for task in renewing {
        got.insert(task.await.unwrap());
    }
    assert_eq!((got.len(), fixture.tokens.renewals()), (1, 1));
}

/// Somebody who does what is shown.
struct Owner<'a> {
    tokens: &'a TokenServer,
    shown: String,
    /// The address at which the browser ended, when it is on another machine.
    entered: Option<String>,
    is_far: bool,
}

impl Person for Owner<'_> {
    fn show_code(&mut self, url: &str, code: &str) {
        self.shown = format!("{url} {code}");
        self.tokens.grant();
    }

    fn show_address(&mut self, url: &str) {
        self.shown = url.to_owned();
        let led_to = location_of(url);
        match self.is_far {
            true => self.entered = Some(led_to),
            false => {
                std::thread::spawn(move || get(&led_to));
            }
        }
    }

    async fn entered_address(&mut self) -> Option<String> {
        match self.entered.take() {
            Some(address) => Some(address),
            None => std::future::pending().await,
        }
    }
}

/// Asks a server of this machine, as a browser would.
fn get(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn location_of(url: &str) -> String {
    let answer = get(url);
    let line = answer.lines().find(|line| line.starts_with("Location: "));
    line.unwrap().trim_start_matches("Location: ").to_owned()
}

fn stored(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.contains("access-") && text.contains("refresh-") && text.contains("expires_at")
}

#[tokio::test(flavor = "multi_thread")]
async fn login_by_code_stores_tokens() {
    let fixture = Fixture::new();
    let settings = fixture.settings("device");
    let mut owner = Owner {
        tokens: &fixture.tokens,
        shown: String::new(),
        entered: None,
        is_far: false,
    };
    log_in(&settings, OWNER, &mut owner).await.unwrap();
    assert_eq!(owner.shown, "https://provider.test/device ABCD-EFGH");
    assert!(stored(&fixture.token_file()));
    assert_eq!(fixture.tokens.scopes(), ["read-mail", "send-mail"]);
    settings.access_token().await.unwrap();
    assert_eq!(fixture.tokens.renewals(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_by_browser_stores_tokens_near_and_far() {
    for is_far in [false, true] {
        let fixture = Fixture::new();
        let settings = fixture.settings("authorize");
        let mut owner = Owner {
            tokens: &fixture.tokens,
            shown: String::new(),
            entered: None,
            is_far,
        };
        log_in(&settings, OWNER, &mut owner).await.unwrap();
        assert!(
            owner.shown.contains("code_challenge_method=S256"),
            "{}",
            owner.shown
        );
        assert!(
            owner.shown.contains("login_hint=owner%40example.test"),
            "{}",
            owner.shown
        );
        assert!(stored(&fixture.token_file()), "far: {is_far}");
    }
}

/// Who knocks at the waiting port without the state that the provider was given brings nothing.
#[tokio::test(flavor = "multi_thread")]
async fn login_by_browser_ignores_a_foreign_code() {
    struct Stranger {
        right: Option<String>,
        knock: Option<std::thread::JoinHandle<String>>,
    }
    impl Person for Stranger {
        fn show_code(&mut self, _: &str, _: &str) {}
        fn show_address(&mut self, url: &str) {
            let right = location_of(url);
            let (wrong, _) = right.split_once("&state=").unwrap();
            let wrong = format!("{wrong}&state=guessed");
            self.knock = Some(std::thread::spawn(move || get(&wrong)));
            self.right = Some(right);
        }
        async fn entered_address(&mut self) -> Option<String> {
            if let Some(knock) = self.knock.take() {
                tokio::task::spawn_blocking(|| knock.join().unwrap())
                    .await
                    .unwrap();
            }
            self.right.take()
        }
    }
    let fixture = Fixture::new();
    let settings = fixture.settings("authorize");
    let mut stranger = Stranger {
        right: None,
        knock: None,
    };
    tokio::time::timeout(PATIENCE, log_in(&settings, OWNER, &mut stranger))
        .await
        .unwrap()
        .unwrap();
    assert!(stored(&fixture.token_file()));
}
