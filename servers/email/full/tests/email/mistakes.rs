//! What an owner gets wrong in a mail file, on real servers: each is told in one sentence with what to write, and soon.

use std::time::{Duration, Instant};

use platinum_email::smtp::{LoginOutcome, SmtpSettings, try_login};
use platinum_mailbox::{Config, Cursor, open};
use platinum_testkit::mail::{MailServers, OWNER, Submission};

const NONE_SEEN: fn(&str) -> bool = |_| false;
/// Far below the patience with a slow server.
const SOON: Duration = Duration::from_secs(12);

fn one_sentence(text: &str) {
    assert!(!text.contains('\n') && text.len() < 450, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_reading_are_told_with_what_to_write() {
    if !MailServers::present().unwrap() {
        return;
    }
    let servers = MailServers::start().unwrap();
    let right = servers.config("owner", Submission::None).unwrap();
    let text = std::fs::read_to_string(&right).unwrap();
    let port = format!("port = {}", servers.imap_port());
    let password = servers.password(OWNER);
    let (starttls, smtps, submission) = (
        servers.starttls_imap_port(),
        servers.smtps_port(),
        servers.submission_port(),
    );
    let closed = platinum_testkit::free_ports::<1>().unwrap()[0];
    let wrong_password = right.with_file_name("wrong.password");
    std::fs::write(&wrong_password, format!("not {password}")).unwrap();
    std::fs::set_permissions(
        &wrong_password,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let cases = [
        (
            text.replace(&port, &format!("port = {starttls}")),
            format!(
                "port {starttls} does not speak TLS from the first byte: write security = \"starttls\""
            ),
        ),
        (
            text.replace(&port, &format!("{port}\nsecurity = \"starttls\"")),
            format!(
                "port {} speaks TLS from the first byte: write security = \"tls\"",
                servers.imap_port()
            ),
        ),
        (
            text.replace(&port, &format!("port = {smtps}")),
            format!(
                "the server does not speak IMAP, port {smtps} speaks SMTP: IMAP is usually on port 993"
            ),
        ),
        (
            text.replace(&port, &format!("port = {submission}")),
            format!("port {submission} does not speak TLS from the first byte but SMTP, not IMAP"),
        ),
        (
            text.replace(&port, &format!("port = {closed}")),
            format!("nothing listens on port {closed} there"),
        ),
        (
            text.replace("owner.password", "wrong.password"),
            format!(
                "refused the login of {OWNER}: [AUTHENTICATIONFAILED] Authentication failed.; check `user` and \
                     `password` of the account"
            ),
        ),
        (
            text.replace("127.0.0.1", "localhost.nowhere.invalid"),
            "its name cannot be looked up".to_owned(),
        ),
    ];
    for (text, words) in cases {
        let config = Config::parse(&text, right.parent().unwrap()).unwrap();
        let mut inbox = open(&config.accounts["owner"]).unwrap();
        let began = Instant::now();
        let error = inbox.poll_new(&Cursor::default(), 1, &NONE_SEEN).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(&words), "{words}\nis not in\n{error}");
        assert!(began.elapsed() < SOON, "{words}: {:?}", began.elapsed());
        one_sentence(&error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_sending_are_told_with_what_to_write() {
    if !MailServers::present().unwrap() {
        return;
    }
    let servers = MailServers::start().unwrap();
    let right = servers.config("owner", Submission::Tls).unwrap();
    let text = std::fs::read_to_string(&right).unwrap();
    let (smtps, submission, imaps) = (
        servers.smtps_port(),
        servers.submission_port(),
        servers.imap_port(),
    );
    let port = format!("port = {smtps}");
    let tried = async |text: &str| {
        let config = Config::parse(text, right.parent().unwrap()).unwrap();
        let account = &config.accounts["owner"];
        let table = account.smtp.as_ref().unwrap();
        let settings = SmtpSettings::read(account, table, &config.folder).unwrap();
        let began = Instant::now();
        let outcome = try_login(&settings).await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        outcome
    };
    assert_eq!(tried(&text).await, LoginOutcome::LetIn);
    // What the table does not say is as for reading.
    let (reading, _) = text.split_once("[account.owner.smtp]").unwrap();
    let short = format!("{reading}[account.owner.smtp]\nhost = \"127.0.0.1\"\n{port}\n");
    assert_eq!(tried(&short).await, LoginOutcome::LetIn);
    let cases = [
        (
            text.replace("security = \"tls\"", "security = \"starttls\""),
            format!(
                "port {smtps} speaks TLS from the first byte: write security = \"tls\", or use port 587"
            ),
        ),
        (
            text.replace(&port, &format!("port = {submission}")),
            format!(
                "port {submission} does not speak TLS from the first byte: write security = \"starttls\""
            ),
        ),
        (
            text.replace(&port, &format!("port = {imaps}")),
            format!(
                "the server does not speak SMTP, port {imaps} speaks IMAP: submission (SMTP) is usually on port 465"
            ),
        ),
    ];
    for (text, words) in cases {
        let LoginOutcome::Unknown(why) = tried(&text).await else {
            panic!("{words}")
        };
        assert!(why.contains(&words), "{words}\nis not in\n{why}");
        one_sentence(&why);
    }
    let (reading, sending) = text.split_once("[account.owner.smtp]").unwrap();
    let user = format!("user = \"{OWNER}\"");
    let nobody = sending.replace(&user, "user = \"nobody@example.test\"");
    let LoginOutcome::Refused(why) = tried(&format!("{reading}[account.owner.smtp]{nobody}")).await
    else {
        panic!("let in")
    };
    assert!(
        why.contains("refused the login of nobody@example.test: "),
        "{why}"
    );
    assert!(
        why.contains("check `user` and `password` of the account"),
        "{why}"
    );
    one_sentence(&why);
}
