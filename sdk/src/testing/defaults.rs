//! The host for tests as it is before a test sets anything.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::{TestHost, TestOdoo, TestSocial, TestWhatsapp};
use crate::bindings::platinum::skill;
use crate::{dashboard, email, model, sync, tasks};

impl Default for TestHost {
    fn default() -> Self {
        Self {
            instructions: "Answer the mail.".into(),
            agent: "cloud".into(),
            role: skill::types::Role::Cloud,
            zones: vec!["email".into()],
            now: "2026-11-20T18:00:00Z".into(),
            lines: RefCell::default(),
            tasks: Vec::new(),
            owner: Ok(tasks::ownership::Owner::Unowned),
            claimed: Ok(tasks::claim::ClaimOutcome::Won(1)),
            completed: RefCell::default(),
            finish_error: None,
            proposed: RefCell::default(),
            propose_error: None,
            plans: RefCell::default(),
            published: RefCell::default(),
            updates: RefCell::default(),
            remove_error: None,
            completion: Ok(model::complete::Completion {
                text: "Thank you, that suits me.".into(),
                model: "test".into(),
                truncated: false,
            }),
            requests: RefCell::default(),
            notes: BTreeMap::new(),
            mails: Ok(Vec::new()),
            queries: RefCell::default(),
            people: BTreeMap::new(),
            strangers: Vec::new(),
            find_error: None,
            style: Ok(email::people::Style {
                signature: None,
                greeting: None,
                closing: None,
                texts: Vec::new(),
                sources: Vec::new(),
            }),
            styled: RefCell::default(),
            saved: RefCell::default(),
            save_error: None,
            odoo: TestOdoo::default(),
            social: TestSocial::default(),
            whatsapp: TestWhatsapp::default(),
            synced: Ok(sync::run::Report {
                pulled: 0,
                pushed: 0,
                conflicts: 0,
                tip: String::new(),
            }),
            page: RefCell::default(),
            replaced: Cell::new(0),
            conflicts: Cell::new(0),
            counts: dashboard::board::Counts {
                waiting: 0,
                in_progress: 0,
                pending: 0,
                approved: 0,
                done: 0,
            },
            approvals: RefCell::default(),
            refused: RefCell::default(),
            answers: RefCell::default(),
            sent: RefCell::default(),
            posted: RefCell::default(),
        }
    }
}
