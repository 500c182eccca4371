//! Posts, with a social network that does what the test says.

mod attempts;
mod returns;

use platinum_core::{Media, PostRequest, SocialPublish};

use super::*;
use crate::social::{
    CheckedPost, FoundParts, FoundPost, OwnPost, PublishPost, PublishRequest, SocialServer,
};

const ACCOUNT: &str = "@ada.test at https://bsky.test";

/// What happens on the network.
type Happening = Box<dyn FnOnce(&TestNetwork) + Send>;

/// A network: what it has, what it answers to what acts, and what it was asked.
struct TestNetwork {
    faults: Mutex<Vec<String>>,
    /// Why it cannot be asked.
    away: Mutex<Option<String>>,
    /// How many parts of what is published are there.
    there: Mutex<usize>,
    own: Mutex<Vec<OwnPost>>,
    answers: Mutex<VecDeque<Result<Outcome, NotDone>>>,
    /// What happens there when it is asked to publish, whatever it answers.
    while_it_acts: Mutex<Option<Happening>>,
    asked: Mutex<Vec<String>>,
    published: Mutex<Vec<PublishRequest>>,
    /// The call that is never answered: which, and the how manieth of them.
    silent: Mutex<Option<(String, usize)>>,
}

fn lost() -> Result<Outcome, NotDone> {
    Ok(Outcome::Unknown {
        reason: "the answer was lost".to_owned(),
    })
}

impl TestNetwork {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            faults: Mutex::default(),
            away: Mutex::default(),
            there: Mutex::default(),
            own: Mutex::default(),
            answers: Mutex::default(),
            while_it_acts: Mutex::default(),
            asked: Mutex::default(),
            published: Mutex::default(),
            silent: Mutex::default(),
        })
    }

    fn answers(&self, answer: Result<Outcome, NotDone>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// So many parts are there.
    fn has(&self, parts: usize) {
        *self.there.lock().unwrap() = parts;
    }

    fn happens(&self, what: impl FnOnce(&Self) + Send + 'static) {
        *self.while_it_acts.lock().unwrap() = Some(Box::new(what));
    }

    fn count(&self, call: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.starts_with(call)).count()
    }

    async fn note(&self, call: String) -> Result<(), AskError> {
        self.asked.lock().unwrap().push(call.clone());
        let silent = self.silent.lock().unwrap().clone();
        let is_silent =
            silent.is_some_and(|(of, nth)| call.starts_with(&of) && self.count(&of) == nth);
        if is_silent {
            std::future::pending::<()>().await;
        }
        let away = self.away.lock().unwrap().clone();
        away.map_or(Ok(()), |why| {
            Err(AskError {
                reason: why,
                is_final: false,
            })
        })
    }
}

#[async_trait]
impl SocialServer for TestNetwork {
    async fn check(&self, post: &PostRequest) -> Result<CheckedPost, AskError> {
        self.note(format!("check {}", post.account)).await?;
        // What has to be checked is all of it, but the content of its files.
        assert!(
            post.media
                .iter()
                .all(|media| media.data.is_none() && media.size > 0)
        );
        Ok(CheckedPost {
            faults: self.faults.lock().unwrap().clone(),
        })
    }

    async fn find(&self, reference: &str, post: &PostRequest) -> Result<FoundParts, AskError> {
        self.note(format!("find {reference}")).await?;
        let there = *self.there.lock().unwrap();
        let parts = (1..=post.parts.len()).map(|part| {
            (part <= there).then(|| FoundPost {
                address: format!("https://bsky.test/{part}"),
            })
        });
        Ok(FoundParts {
            parts: parts.collect(),
            all: there >= post.parts.len(),
            words: format!("{there} of {} posts are published", post.parts.len()),
        })
    }

    async fn own_posts(&self, account: &str) -> Result<Vec<OwnPost>, AskError> {
        self.note(format!("own {account}")).await?;
        Ok(self.own.lock().unwrap().clone())
    }

    async fn publish(&self, request: &PublishRequest) -> Result<Outcome, NotDone> {
        let happens = self.while_it_acts.lock().unwrap().take();
        if let Some(happens) = happens {
            happens(self);
        }
        self.published.lock().unwrap().push(request.clone());
        self.note(format!("publish {}", request.reference)).await?;
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| Ok(crate::done("published")))
    }
}

fn posting(n: u128, post: &SocialPublish) -> DraftNote {
    DraftNote {
        action: Action::new(post),
        ..draft(n)
    }
}

fn post(text: &str) -> SocialPublish {
    SocialPublish {
        account: "me".to_owned(),
        text: text.to_owned(),
        ..SocialPublish::default()
    }
}

fn hello() -> DraftNote {
    posting(1, &post("Hello,\nworld 👩\u{200D}👧\n"))
}

fn thread() -> DraftNote {
    posting(1, &post("One\n\n---\n\nTwo\n\n---\n\nThree\n"))
}

/// Accounts of which `me` is this.
fn accounts_of(address: &'static str) -> SocialAccounts {
    SocialAccounts::new(move || Ok(Some([("me".to_owned(), address.to_owned())].into())))
}

fn with_accounts(social: SocialAccounts) -> ApprovalPolicy {
    ApprovalPolicy {
        social,
        ..policy(0)
    }
}

/// A host with a network.
type Posts = ActingHost<TestNetwork>;

impl Posts {
    fn new() -> Self {
        let fixture = Fixture::new([]).restarted_with(with_accounts(accounts_of(ACCOUNT)));
        Self::with(fixture, TestNetwork::new())
    }

    fn with(fixture: Fixture, network: Arc<TestNetwork>) -> Self {
        Self::of(fixture, network, |network| {
            vec![Arc::new(PublishPost::new(network.clone()))]
        })
    }

    /// Begins what is next, and ends with the process while it waits for this call.
    async fn dies_at(self, call: &str, nth: usize) -> Self {
        *self.server.silent.lock().unwrap() = Some((call.to_owned(), nth));
        let died = self.dies_when(|network| network.count(call) >= nth).await;
        *died.server.silent.lock().unwrap() = None;
        died
    }

    /// Why what was begun went back, and that it waits.
    async fn returned(&self) -> String {
        let admitted = self.fixture.approvals.admit().await.unwrap();
        let returned = admitted.returned.into_iter().next().unwrap();
        assert!(self.fixture.vault.exists(&layout::pending(id(1))).unwrap());
        returned.reason
    }
}
