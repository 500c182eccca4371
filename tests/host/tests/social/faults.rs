//! Answers that are lost, a daemon that dies, keys that expire, a picture that is too large and a thread that is cut: each
//! post is there once, or not at all, and the owner is told which.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use platinum_core::{Action, DraftId, Media, SocialPublish, VaultPath, layout};
use platinum_host_tests::hosts::{Host, notes};
use platinum_testkit::{
    http_proxy::{Fate, HttpProxy},
    social::{BlueskyAccount, FediverseServer as _, MastodonAccount, MastodonMock, Pds, Snac},
};
use serde_json::Value;

use crate::section;

/// The call that publishes on Bluesky.
const PUT: &str = "com.atproto.repo.putRecord";
/// The call that publishes on Mastodon.
const STATUSES: &str = "POST /api/v1/statuses";

/// An owner's machine with these accounts, and nothing else.
fn owner(accounts: impl FnOnce(&Path) -> String) -> Host {
    Host::local_only(&["platinum-intake", "platinum-social"], |home| {
        section(home, &accounts(home))
    })
}

/// An owner with an account on the PDS, over a line that loses what the test says.
fn on_bluesky(name: &str) -> Option<(Host, Arc<Pds>, BlueskyAccount, HttpProxy)> {
    if !Pds::present().unwrap() {
        return None;
    }
    let pds = Pds::shared().unwrap();
    let account = pds.create_account(name).unwrap();
    let proxy = HttpProxy::start(&pds.url()).unwrap();
    let owner = owner(|home| account.section("sky", &proxy.url(), home, true).unwrap());
    Some((owner, pds, account, proxy))
}

fn on_fediverse(url: &str, account: &MastodonAccount) -> (Host, HttpProxy) {
    let proxy = HttpProxy::start(url).unwrap();
    let owner = owner(|home| {
        let token = Some(account.token.as_str());
        account.section("fedi", &proxy.url(), home, token).unwrap()
    });
    (owner, proxy)
}

fn post(account: &str, text: &str) -> SocialPublish {
    SocialPublish {
        account: account.to_owned(),
        text: text.to_owned(),
        ..SocialPublish::default()
    }
}

fn propose(owner: &Host, post: &SocialPublish) -> DraftId {
    owner.propose("social", Action::new(post))
}

/// Proposes a post and approves it.
fn approve(owner: &Host, account: &str, text: &str) -> DraftId {
    let draft = propose(owner, &post(account, text));
    owner.approve(draft);
    draft
}

fn texts(posts: &[Value]) -> Vec<String> {
    let texts = posts
        .iter()
        .map(|post| post["value"]["text"].as_str().unwrap().to_owned());
    texts.collect()
}

/// A daemon dies before it publishes, and after the network has answered.
#[test]
fn death_of_the_daemon_publishes_once() {
    let Some((owner, pds, account, _)) = on_bluesky("adadeath") else {
        return;
    };
    for point in ["effect-prepared", "effect-performed"] {
        let draft = approve(&owner, "sky", &format!("We open on Monday, {point}!"));
        let dying = owner.start(&format!("{point}=return"));
        owner.await_death();
        drop(dying);
        let _daemon = owner.start("");
        owner.await_done(draft);
    }
    let posts = pds.posts(&account).unwrap();
    assert_eq!(
        texts(&posts),
        [
            "We open on Monday, effect-performed!",
            "We open on Monday, effect-prepared!"
        ]
    );
}

/// A daemon dies between the drafts of one task: the account that has none gets one, and the other no second one.
#[test]
fn death_between_two_drafts_loses_neither() {
    if !(Pds::present().unwrap() && MastodonMock::present().unwrap()) {
        return;
    }
    let (pds, mock) = (Pds::shared().unwrap(), MastodonMock::shared().unwrap());
    let sky = pds.create_account("adabetween").unwrap();
    let fedi = mock.create_account("adabetween").unwrap();
    let owner = owner(|home| {
        let fedi = fedi.section("fedi", &mock.url(), home, Some(&fedi.token));
        [sky.section("sky", &pds.url(), home, true), fedi]
            .map(Result::unwrap)
            .concat()
    });
    let await_log = |words: &str| {
        owner.wait(words, || Ok(owner.log().contains(words).then_some(())));
    };
    // The first draft is before its owner then, and the second account was not come to.
    let dying = owner.start("mcp-call-begun=return(draft_post)");
    await_log("the folder watcher: waiting for dropped files");
    let note = "---\nzone: social\n---\nWe open on Monday, at last!\n";
    fs::write(owner.vault().join("Inbox/opening.md"), note).unwrap();
    owner.await_death();
    drop(dying);
    let pending = owner.vault().join(layout::PENDING_APPROVAL);
    assert_eq!(notes(&pending).len(), 1, "{}", owner.log());
    let _daemon = owner.start("");
    let drafts = owner.wait("a draft for each account", || {
        let drafts = notes(&pending);
        Ok((drafts.len() > 1).then_some(drafts))
    });
    // Nothing more comes of it: the run has ended when its update is there.
    await_log("A draft waits for ");
    assert_eq!(notes(&pending), drafts);
    let accounts: BTreeSet<String> = drafts
        .iter()
        .filter_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let line = text.lines().find(|line| line.starts_with("account:"))?;
            Some(line.to_owned())
        })
        .collect();
    assert_eq!(accounts.len(), 2, "{accounts:?}");
}

/// A hundred posts, of which each loses the first answer that the server gives to it.
#[test]
fn hundred_lost_answers_publish_once_each() {
    let Some((owner, pds, account, proxy)) = on_bluesky("adalost") else {
        return;
    };
    let mut seen = BTreeSet::new();
    let lost = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lost);
    proxy.set(move |request| {
        let (_, body) = request.split_once('\n').unwrap_or_default();
        let key = serde_json::from_str::<Value>(body).ok();
        let key = key.and_then(|body| Some(body["rkey"].as_str()?.to_owned()));
        match key.filter(|_| request.contains(PUT)) {
            Some(key) if seen.insert(key.clone()) => {
                count.fetch_add(1, Ordering::SeqCst);
                Fate::LostAfter
            }
            _ => Fate::Passed,
        }
    });
    let drafts: Vec<_> = (0..100)
        .map(|number| approve(&owner, "sky", &format!("We open on day {number}.")))
        .collect();
    let _daemon = owner.start("");
    for draft in drafts {
        owner.await_done(draft);
    }
    let posts = pds.posts(&account).unwrap();
    let different: BTreeSet<String> = texts(&posts).into_iter().collect();
    assert_eq!((posts.len(), different.len()), (100, 100));
    assert_eq!(lost.load(Ordering::SeqCst), 100);
}

/// The server has forgotten the key by which it would know the second attempt.
#[test]
fn retry_after_the_key_expired_publishes_once() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let mock = MastodonMock::start().unwrap();
    let account = mock.create_account("expired").unwrap();
    let (owner, _) = on_fediverse(&mock.url(), &account);
    let draft = approve(&owner, "fedi", "We open on Monday, really!");
    let dying = owner.start("effect-performed=return");
    owner.await_death();
    drop(dying);
    assert_eq!(mock.posts(&account).unwrap().len(), 1);
    mock.expire_keys().unwrap();
    let _daemon = owner.start("");
    owner.await_done(draft);
    assert_eq!(mock.posts(&account).unwrap().len(), 1);
}

/// A server that knows no keys at all.
#[test]
fn lost_answer_of_snac_publishes_once() {
    if !Snac::present().unwrap() {
        return;
    }
    let snac = Snac::shared().unwrap();
    let account = snac.create_account("lost").unwrap();
    let (owner, proxy) = on_fediverse(&snac.url(), &account);
    proxy.lose(STATUSES, Fate::LostAfter);
    let draft = approve(&owner, "fedi", "We open on Monday, with cake!");
    let _daemon = owner.start("");
    owner.await_done(draft);
    assert_eq!(snac.posts(&account).unwrap().len(), 1);
}

/// It is refused before anything leaves, and the owner is told which picture it is.
#[test]
fn picture_too_large_goes_back_before_anything_leaves() {
    let Some((owner, pds, account, proxy)) = on_bluesky("adapicture") else {
        return;
    };
    let has_published = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&has_published);
    proxy.set(move |request| {
        if [PUT, "uploadBlob"]
            .iter()
            .any(|call| request.contains(call))
        {
            flag.store(true, Ordering::SeqCst);
        }
        Fate::Passed
    });
    let path = "Inbox/pictures/large.png";
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    picture.resize(3_000_000, 7);
    fs::create_dir(owner.vault().join("Inbox/pictures")).unwrap();
    fs::write(owner.vault().join(path), picture).unwrap();
    let mut wanted = post("sky", "We open on Monday!");
    wanted.media = vec![Media {
        path: VaultPath::new(path).unwrap(),
        alt: "A desk".to_owned(),
    }];
    let draft = propose(&owner, &wanted);
    let output = owner.run(&["approve", &draft.to_string()]);
    println!("{}", String::from_utf8_lossy(&output.stderr));
    let _daemon = owner.start("");
    let refusal = "`large.png` is too large: 3000000 bytes; Bluesky takes 2000000";
    owner.wait("the refusal", || {
        Ok(owner.log().contains(refusal).then_some(()))
    });
    let pending = owner.vault().join(layout::pending(draft).as_str());
    owner.wait("the draft before its owner again", || {
        Ok(pending.exists().then_some(()))
    });
    let shown = owner.wait("why it came back", || {
        let shown = owner.shows(&["approvals", "--full"]);
        let words = "came back: it cannot be published as it is: ";
        Ok(shown.contains(words).then_some(shown))
    });
    assert!(shown.contains(refusal), "{shown}");
    assert!(pds.posts(&account).unwrap().is_empty());
    assert!(!has_published.load(Ordering::SeqCst));
}

/// The line is cut while a thread is published; when it is back, the rest follows, in its order.
#[test]
fn thread_cut_after_the_third_goes_on() {
    let Some((owner, pds, account, proxy)) = on_bluesky("adathread") else {
        return;
    };
    let is_cut = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&is_cut);
    let mut published = 0;
    proxy.set(move |request| {
        if !flag.load(Ordering::SeqCst) {
            return Fate::Passed;
        }
        if request.contains(PUT) {
            published += 1;
        }
        match published > 3 {
            true => Fate::LostBefore,
            false => Fate::Passed,
        }
    });
    let parts = ["One", "Two", "Three", "Four", "Five"];
    let draft = approve(&owner, "sky", &parts.join("\n\n---\n\n"));
    let _daemon = owner.start("");
    owner.wait("the owner to be told", || {
        let listed = owner.shows(&["approvals", "--full"]);
        Ok(listed.contains("3 of 5").then_some(()))
    });
    assert_eq!(
        texts(&pds.posts(&account).unwrap()),
        ["Three", "Two", "One"]
    );
    is_cut.store(false, Ordering::SeqCst);
    // Whether the fourth is there was not known when the line was cut, so its owner is asked.
    owner.shows(&["resolve", &draft.to_string(), "--send-again"]);
    owner.await_done(draft);
    let posts = pds.posts(&account).unwrap();
    assert_eq!(texts(&posts), ["Five", "Four", "Three", "Two", "One"]);
    for (post, parent) in posts.iter().zip(&posts[1..]) {
        let reply = &post["value"]["reply"];
        assert_eq!(reply["parent"]["uri"], parent["uri"]);
        assert_eq!(reply["root"]["uri"], posts[4]["uri"]);
    }
    println!("{}", owner.shows(&["log"]));
}
