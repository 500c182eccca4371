//! IMAP servers that stall, lie, flood and hang up: a clear error in bounded time and memory, no mail lost, none
//! invented, and the watcher works again when the server does.

use std::time::{Duration, Instant};

use platinum_intake::mail::{Settings, watch};
use platinum_mailbox::{
    Backend, Config, Cursor, Mailbox, MailboxError,
    imap::{Imap, TimeLimits},
};
use platinum_testkit::mail::scripted::{Certificate, Fault, SUBJECT, ScriptedImap};
use platinum_vault::{Vault, note::TaskNote};

const SHORT: TimeLimits = TimeLimits {
    connect: Duration::from_secs(1),
    command: Duration::from_secs(1),
    transfer: Duration::from_secs(15),
};
const AT: Cursor = Cursor {
    uid_validity: 42,
    next_uid: 7,
};
const NONE_SEEN: fn(&str) -> bool = |_| false;

fn mailbox(server: &ScriptedImap) -> Imap {
    let config = Config::load(&server.config().unwrap()).unwrap();
    let Backend::Imap(settings) = &config.accounts["owner"].backend else {
        panic!()
    };
    Imap::with_limits(settings.clone(), SHORT)
}

async fn first_look(certificate: Certificate, fault: Option<Fault>) -> (Imap, MailboxError) {
    let server = ScriptedImap::start(certificate, fault, usize::MAX).unwrap();
    let mut mailbox = mailbox(&server);
    let started = Instant::now();
    let error = mailbox.poll_new(&AT, 5, &NONE_SEEN).await.unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{fault:?} took {:?}",
        started.elapsed()
    );
    (mailbox, error)
}

/// Each fault of a server is said in words and in time.
#[tokio::test]
async fn each_server_fault_has_a_bounded_error_in_time() {
    for (fault, passing, words) in [
        (Fault::Silent, true, "the TLS handshake within 1 s"),
        (Fault::SilentAfterTls, true, "the greeting within 1 s"),
        (Fault::PlainText, true, "does not speak TLS"),
        (Fault::Bye, true, "too many connections"),
        (Fault::NotImap, true, "does not speak IMAP"),
        (Fault::LoginRefused, false, "wrong user or password"),
        (
            Fault::LoginUnavailable,
            true,
            "the users cannot be read now",
        ),
        (Fault::CloseAtExamine, true, "closed the connection"),
        (Fault::NoUidValidity, true, "UIDVALIDITY"),
        (Fault::CloseAtSearch, true, "closed the connection"),
        (Fault::CloseAtFetch, true, "closed the connection"),
        (Fault::CloseInFetch, true, "bytes remaining"),
        (Fault::FetchRefused, true, "try later"),
        (Fault::EndlessLine, true, "endless line"),
        (Fault::Literal(4_294_967_295), true, "too large"),
        (Fault::Literal(400_000_000), true, "too large"),
        (Fault::Flood, true, "too large"),
    ] {
        let (_, error) = first_look(Certificate::Good, Some(fault)).await;
        let text = error.to_string();
        assert!(text.contains(words), "{fault:?}: {text}");
        assert_eq!(error.is_passing(), passing, "{fault:?}: {text}");
        assert!(
            text.starts_with("no connection to 127.0.0.1:") || text.starts_with("127.0.0.1:"),
            "{fault:?}: {text}"
        );
        assert!(
            text.len() < 400 && !text.contains('\n'),
            "{fault:?}: {text}"
        );
    }
}

/// A certificate that is wrong is said to be wrong in its own way.
#[tokio::test]
async fn each_certificate_fault_has_its_own_message() {
    for (certificate, words) in [
        (Certificate::Expired, "has expired"),
        (
            Certificate::OtherName,
            "another name than `host` = \"127.0.0.1\"",
        ),
        (Certificate::Unknown, "goes into `ca-file`"),
        (
            Certificate::SelfSigned,
            "is signed by itself, and by no authority",
        ),
    ] {
        let (_, error) = first_look(certificate, None).await;
        assert!(
            error.to_string().contains(words),
            "{certificate:?}: {error}"
        );
    }
}

/// What is said of a certificate that nobody vouches for is what lets it in, and no other one.
#[tokio::test]
async fn certificate_is_trusted_by_its_fingerprint_alone() {
    let server = ScriptedImap::start(Certificate::SelfSigned, None, 0).unwrap();
    let path = server.config().unwrap();
    let error = mailbox(&server).keys().await.unwrap_err().to_string();
    let (_, line) = error.split_once("write certificate-sha256 = ").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let with = |line: &str| {
        let config = format!("{text}certificate-sha256 = {line}\n");
        let config = Config::parse(&config, server.folder()).unwrap();
        let Backend::Imap(settings) = &config.accounts["owner"].backend else {
            panic!()
        };
        Imap::with_limits(settings.clone(), SHORT)
    };
    assert_eq!(with(line).keys().await.unwrap(), ["42/7"]);
    let other = format!("\"{}\"", "0".repeat(64));
    let error = with(&other).keys().await.unwrap_err().to_string();
    let shown = line.trim_matches('"');
    assert!(
        error.contains("is not the one in `certificate-sha256`") && error.contains(shown),
        "{error}"
    );
}

#[tokio::test]
async fn a_mail_whose_fetching_failed_is_fetched_at_the_next_look() {
    for fault in [
        Fault::CloseAtExamine,
        Fault::NoUidValidity,
        Fault::CloseAtSearch,
        Fault::CloseAtFetch,
        Fault::CloseInFetch,
        Fault::FetchRefused,
        Fault::EndlessLine,
    ] {
        let server = ScriptedImap::start(Certificate::Good, Some(fault), 1).unwrap();
        let mut mailbox = mailbox(&server);
        assert!(
            mailbox.poll_new(&AT, 5, &NONE_SEEN).await.is_err(),
            "{fault:?}"
        );
        let new = mailbox.poll_new(&AT, 5, &NONE_SEEN).await.unwrap();
        let keys: Vec<_> = new.mails.iter().map(|mail| mail.key.as_str()).collect();
        assert_eq!(keys, ["42/7"], "{fault:?}");
        assert_eq!(new.cursor.next_uid, 8, "{fault:?}");
    }
}

/// A mail that the server never gives holds back none: it is said in its place.
#[tokio::test]
async fn mail_that_is_never_given_holds_back_no_other() {
    for (words, failures) in [
        ("NO cannot read it", 0),
        ("BAD internal error", 0),
        ("NO [SERVERBUG] internal error", 5),
    ] {
        let fault = Fault::MailRefused(words);
        let server = ScriptedImap::start(Certificate::Good, Some(fault), usize::MAX).unwrap();
        let mut mailbox = mailbox(&server);
        let cursor = Cursor { next_uid: 6, ..AT };
        let mut new = mailbox.poll_new(&cursor, 5, &NONE_SEEN).await.unwrap();
        if failures > 0 {
            assert_eq!((new.mails.len(), new.more), (1, true), "{words}");
            for _ in 1..failures {
                let error = mailbox.poll_new(&new.cursor, 5, &NONE_SEEN).await;
                assert!(error.unwrap_err().is_passing(), "{words}");
            }
            let before = new.mails;
            new = mailbox.poll_new(&new.cursor, 5, &NONE_SEEN).await.unwrap();
            new.mails.splice(0..0, before);
        }
        let keys: Vec<_> = new.mails.iter().map(|mail| mail.key.as_str()).collect();
        assert_eq!(keys, ["42/6", "42/7", "42/8"], "{words}");
        assert_eq!((new.cursor.next_uid, new.more), (9, false), "{words}");
        let text = String::from_utf8_lossy(&new.mails[1].bytes);
        let said = words.split_once(' ').unwrap().1;
        assert!(text.contains(said) && new.mails[1].is_read, "{text}");
    }
}

/// A server that hangs up does not make the inbox look empty or new.
#[tokio::test]
async fn lost_connection_does_not_make_the_inbox_look_empty() {
    for fault in [Fault::CloseAtExamine, Fault::NoUidValidity] {
        let server = ScriptedImap::start(Certificate::Good, Some(fault), 1).unwrap();
        let mut mailbox = mailbox(&server);
        assert!(mailbox.cursor_at_end().await.is_err(), "{fault:?}");
        let end = mailbox.cursor_at_end().await.unwrap();
        assert_eq!((end.uid_validity, end.next_uid), (42, 8));
    }
}

/// A refused login is asked again only after a while or with another password.
#[tokio::test]
async fn refused_login_is_retried_later_or_with_a_new_password() {
    let server = ScriptedImap::start(Certificate::Good, Some(Fault::LoginRefused), 1).unwrap();
    let mut mailbox = mailbox(&server);
    for _ in 0..20 {
        let error = mailbox.keys().await.unwrap_err();
        assert!(
            matches!(&error, MailboxError::Login { pause, .. } if *pause == Duration::from_secs(60)),
            "{error}"
        );
    }
    assert_eq!((server.connections(), server.logins()), (1, 1));
    std::fs::write(server.password_file(), "another").unwrap();
    assert_eq!(mailbox.keys().await.unwrap(), ["42/7"]);
    assert_eq!(server.logins(), 2);
}

/// Watches until a condition holds, and answers the tasks there are then.
async fn watch_until(
    server: &ScriptedImap,
    at_most: Duration,
    backlog: usize,
    holds: impl Fn(&[TaskNote]) -> bool,
) -> Vec<TaskNote> {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    std::fs::create_dir(&vault).unwrap();
    let settings = Settings {
        config: server.config().unwrap(),
        account: "owner".to_owned(),
        vault: vault.clone(),
        state: folder.path().join("state"),
        accounting: false,
        once: false,
        backlog,
        past: None,
        every: Duration::from_secs(60),
    };
    let tasks = || -> Vec<TaskNote> {
        let vault = Vault::open(&vault).unwrap();
        let entries = vault.walk().unwrap();
        let read = |path| TaskNote::parse(&vault.read_text(path, 1 << 20).unwrap()).unwrap();
        entries.iter().map(|entry| read(&entry.path)).collect()
    };
    let until = async {
        let deadline = Instant::now() + at_most;
        while Instant::now() < deadline && !holds(&tasks()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        ended = watch(&settings) => panic!("the watcher ended: {ended:?}"),
        () = until => {}
    }
    tasks()
}

/// The watcher gets over a fault and takes the mail in once.
#[tokio::test(flavor = "multi_thread")]
async fn watcher_recovers_from_a_fault_and_takes_a_mail_in_once() {
    for (fault, times) in [
        (Fault::PlainText, 2),
        (Fault::Bye, 2),
        (Fault::LoginUnavailable, 2),
        (Fault::CloseAtExamine, 1),
        (Fault::CloseAtFetch, 2),
        (Fault::CloseInFetch, 1),
        (Fault::FetchRefused, 1),
        (Fault::Literal(4_294_967_295), 1),
    ] {
        let server = ScriptedImap::start(Certificate::Good, Some(fault), times).unwrap();
        let tasks = watch_until(&server, Duration::from_secs(20), 1, |tasks| {
            !tasks.is_empty()
        });
        let tasks = tasks.await;
        let subjects: Vec<_> = tasks.iter().map(|task| task.subject.as_str()).collect();
        assert_eq!(subjects, [SUBJECT], "{fault:?}");
        assert!(server.connections() <= 2 * times + 2, "{fault:?}");
    }
}

/// An old mail does not become a task because the first look was cut.
#[tokio::test(flavor = "multi_thread")]
async fn first_poll_cut_off_makes_no_task_of_an_old_mail() {
    let server = ScriptedImap::start(Certificate::Good, Some(Fault::CloseAtExamine), 1).unwrap();
    let looked = |_: &[TaskNote]| server.looks() >= 4;
    let tasks = watch_until(&server, Duration::from_secs(10), 0, looked).await;
    assert!(server.looks() >= 4);
    assert!(tasks.is_empty(), "{tasks:?}");
}

/// The watcher stays with a refused login and asks the server once.
#[tokio::test(flavor = "multi_thread")]
async fn watcher_with_a_refused_login_asks_the_server_once() {
    let server =
        ScriptedImap::start(Certificate::Good, Some(Fault::LoginRefused), usize::MAX).unwrap();
    let tasks = watch_until(&server, Duration::from_secs(12), 1, |_| false).await;
    assert!(tasks.is_empty());
    assert_eq!(server.logins(), 1);
}

/// A server that cries wolf is followed ever more slowly.
#[tokio::test(flavor = "multi_thread")]
async fn false_news_is_polled_ever_more_slowly() {
    let server =
        ScriptedImap::start(Certificate::Good, Some(Fault::FalseNews), usize::MAX).unwrap();
    watch_until(&server, Duration::from_secs(6), 0, |_| false).await;
    assert!(server.looks() < 40, "{} looks in 6 s", server.looks());
}
