//! How a [`TestHost`] answers each trait: from its fields, noting what was asked.
//!
//! Lives elsewhere: the fields and what they mean are in the folder's `mod.rs`.

use super::{TestApproval, TestHost};
use crate::actions::types::{EffectError, Proposal, ProposeError, Receipt};
use crate::bindings::platinum::skill;
use crate::host::{
    Approval, Approvals, ClaimTasks, CollectUpdates, Context, Dashboard, DraftEmail, FinishTasks,
    Log, Model, Notes, Ownership, People, PostOdoo, ProposeEmail, PublishUpdates, ReadTasks,
    SearchEmail, SendEmail, Sync, WritePlans,
};
use crate::{approvals, dashboard, email, model, plans, sync, tasks, updates, vault};

impl Context for TestHost {
    fn instructions(&self) -> String {
        self.instructions.clone()
    }

    fn agent(&self) -> String {
        self.agent.clone()
    }

    fn role(&self) -> skill::types::Role {
        self.role
    }

    fn zones(&self) -> Vec<String> {
        self.zones.clone()
    }

    fn now(&self) -> String {
        self.now.clone()
    }
}

impl Log for TestHost {
    fn line(&self, level: skill::log::Level, text: &str) {
        self.lines.borrow_mut().push((level, text.into()));
    }
}

impl ReadTasks for TestHost {
    fn waiting(&self, zone: &str) -> Result<Vec<tasks::types::Summary>, tasks::types::Error> {
        let of_zone = self.tasks.iter().filter(|task| task.zone == zone);
        Ok(of_zone
            .map(|task| tasks::types::Summary {
                id: task.id.clone(),
                zone: zone.into(),
                subject: task.subject.clone(),
            })
            .collect())
    }

    fn get(&self, id: &str) -> Result<tasks::types::Task, tasks::types::Error> {
        let task = self.tasks.iter().find(|task| task.id == id);
        task.cloned().ok_or(tasks::types::Error::NotFound)
    }
}

impl Ownership for TestHost {
    fn owner_of(&self, _: &str) -> Result<tasks::ownership::Owner, tasks::types::Error> {
        self.owner.clone()
    }
}

impl ClaimTasks for TestHost {
    fn claim(&self, _: &str) -> Result<tasks::claim::ClaimOutcome, tasks::types::Error> {
        self.claimed.clone()
    }
}

impl FinishTasks for TestHost {
    fn complete(&self, id: &str, summary: &str) -> Result<(), tasks::types::Error> {
        self.completed
            .borrow_mut()
            .push((id.into(), summary.into()));
        self.finish_error.clone().map_or(Ok(()), Err)
    }

    fn release(&self, _: &str, _: &str) -> Result<(), tasks::types::Error> {
        self.finish_error.clone().map_or(Ok(()), Err)
    }

    fn fail(&self, _: &str, _: &str) -> Result<(), tasks::types::Error> {
        self.finish_error.clone().map_or(Ok(()), Err)
    }
}

impl ProposeEmail for TestHost {
    fn propose(
        &self,
        proposal: &Proposal,
        mail: &email::types::Mail,
    ) -> Result<String, ProposeError> {
        if let Some(error) = &self.propose_error {
            return Err(error.clone());
        }
        let mut proposed = self.proposed.borrow_mut();
        proposed.push((proposal.clone(), mail.clone()));
        Ok(format!("draft_{:026}", proposed.len()))
    }
}

impl WritePlans for TestHost {
    fn write(&self, plan: &plans::write::Plan) -> Result<String, plans::write::Error> {
        self.plans.borrow_mut().push(plan.clone());
        Ok(format!("plan_{:026}", self.plans.borrow().len()))
    }
}

impl PublishUpdates for TestHost {
    fn publish(&self, task: Option<&str>, headline: &str) -> Result<String, updates::types::Error> {
        let mut published = self.published.borrow_mut();
        published.push((task.map(Into::into), headline.into()));
        Ok(format!("update_{:026}", published.len()))
    }
}

impl CollectUpdates for TestHost {
    fn take(&self, limit: u32) -> Result<Vec<updates::types::Update>, updates::types::Error> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.updates.borrow().iter().take(limit).cloned().collect())
    }

    fn remove(&self, ids: &[String]) -> Result<(), updates::types::Error> {
        if let Some(error) = &self.remove_error {
            return Err(error.clone());
        }
        self.updates
            .borrow_mut()
            .retain(|update| !ids.contains(&update.id));
        Ok(())
    }
}

impl Model for TestHost {
    fn complete(
        &self,
        request: &model::complete::Request,
    ) -> Result<model::complete::Completion, model::complete::Error> {
        self.requests.borrow_mut().push(request.clone());
        self.completion.clone()
    }
}

impl Notes for TestHost {
    fn list(&self, folder: &str) -> Result<Vec<String>, vault::context::Error> {
        let prefix = format!("{folder}/");
        Ok(self
            .notes
            .keys()
            .filter(|path| path.starts_with(&prefix))
            .cloned()
            .collect())
    }

    fn read(&self, path: &str) -> Result<String, vault::context::Error> {
        self.notes
            .get(path)
            .cloned()
            .ok_or(vault::context::Error::NotFound)
    }
}

impl SearchEmail for TestHost {
    fn search(
        &self,
        query: &email::search::Query,
    ) -> Result<Vec<email::types::Message>, email::types::Error> {
        self.queries.borrow_mut().push(query.clone());
        self.mails.clone()
    }
}

impl People for TestHost {
    fn find(&self, name: &str) -> Result<email::people::Matches, email::types::Error> {
        if let Some(error) = &self.find_error {
            return Err(error.clone());
        }
        let people = self.people.get(name).cloned().unwrap_or_default();
        let clear = people.len() == 1 && !self.strangers.iter().any(|one| one == name);
        Ok(email::people::Matches { people, clear })
    }

    fn style_for(
        &self,
        recipients: &[String],
    ) -> Result<email::people::Style, email::types::Error> {
        self.styled.borrow_mut().push(recipients.to_vec());
        self.style.clone()
    }
}

impl DraftEmail for TestHost {
    fn save(&self, mail: &email::types::Mail) -> Result<String, email::types::Error> {
        if let Some(error) = &self.save_error {
            return Err(error.clone());
        }
        self.saved.borrow_mut().push(mail.clone());
        Ok(format!("saved-{}@test", self.saved.borrow().len()))
    }
}

impl Sync for TestHost {
    fn run(&self) -> Result<sync::run::Report, sync::run::Error> {
        self.synced.clone()
    }
}

impl Dashboard for TestHost {
    fn read(&self) -> Result<dashboard::board::Page, dashboard::board::Error> {
        Ok(dashboard::board::Page {
            text: self.page.borrow().clone(),
            version: self.replaced.get().to_string(),
        })
    }

    fn count(&self) -> Result<dashboard::board::Counts, dashboard::board::Error> {
        Ok(self.counts)
    }

    fn replace(&self, text: &str, expected: &str) -> Result<String, dashboard::board::Error> {
        if self.conflicts.get() > 0 {
            self.conflicts.set(self.conflicts.get() - 1);
            return Err(dashboard::board::Error::Conflict);
        }
        if expected != self.replaced.get().to_string() {
            return Err(dashboard::board::Error::Conflict);
        }
        *self.page.borrow_mut() = text.into();
        self.replaced.set(self.replaced.get() + 1);
        Ok(self.replaced.get().to_string())
    }
}

impl Approval for TestApproval {
    fn kind(&self) -> String {
        self.kind.clone()
    }

    fn draft(&self) -> String {
        self.draft.clone()
    }

    fn task(&self) -> String {
        self.task.clone()
    }

    fn summary(&self) -> String {
        self.summary.clone()
    }
}

impl Approvals for TestHost {
    type Approved = TestApproval;

    fn next(&self, kinds: &[String]) -> Result<Option<TestApproval>, approvals::queue::Error> {
        let mut queue = self.approvals.borrow_mut();
        let found = queue
            .iter()
            .position(|approval| kinds.contains(&approval.kind));
        Ok(found.and_then(|index| queue.remove(index)))
    }

    fn refuse(&self, approved: TestApproval, reason: &str) -> Result<(), approvals::queue::Error> {
        self.refused.borrow_mut().push((approved, reason.into()));
        Ok(())
    }
}

impl SendEmail for TestHost {
    fn send(&self, approved: TestApproval) -> Result<Receipt, EffectError> {
        let reference = format!("{}@test", approved.draft);
        self.sent.borrow_mut().push(approved);
        self.answers.borrow_mut().pop_front().unwrap_or_else(|| {
            Ok(Receipt {
                at: self.now.clone(),
                reference,
                answer: "250 ok".into(),
            })
        })
    }
}

impl PostOdoo for TestHost {
    fn post(&self, approved: TestApproval) -> Result<Receipt, EffectError> {
        let reference = format!("INV/{}", approved.draft);
        self.posted.borrow_mut().push(approved);
        self.answers.borrow_mut().pop_front().unwrap_or_else(|| {
            Ok(Receipt {
                at: self.now.clone(),
                reference,
                answer: "posted".into(),
            })
        })
    }
}
