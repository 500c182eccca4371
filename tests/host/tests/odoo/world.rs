//! The world that a drafter acts on, and the judge of what it changed.
//!
//! Lives here: the files of ways and fixtures, their calls, and the judge's SQL (`judge.sql`). The judge is the
//! database, not an answer: what was written and is not part of the drafter's own drafts is a fault.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, bail};
use platinum_testkit::odoo::{OdooRefusal, OdooServer, OdooUser};
use serde_json::Value;

/// Calls under one heading, `= name | tag | tag`. A call is a line `model method {arguments}` over JSON-2, or
/// `rpc model method [positional, named]` over JSON-RPC; `public path {arguments}` or `public path` is a page that needs
/// no login. In all of them `$name` is the id of a fixture, `$1` what the first call of the section answered, and
/// `$1.field` a field of that. `$sink` is the port of a listener: whoever calls it was told something.
#[derive(Debug)]
pub(crate) struct Section {
    /// What it is called.
    pub name: String,
    /// What stands behind the name.
    pub tags: Vec<String>,
    calls: Vec<String>,
}

/// The sections of a file.
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(heading) = line.strip_prefix("= ") {
            let mut parts = heading.split('|').map(|part| part.trim().to_owned());
            sections.push(Section {
                name: parts.next().unwrap_or_default(),
                tags: parts.collect(),
                calls: Vec::new(),
            });
        } else {
            let section = sections.last_mut().expect("a file opens with a heading");
            section.calls.push(line.to_owned());
        }
    }
    sections
}

/// A server with everything that the ways act on.
pub(crate) struct World {
    server: OdooServer,
    ids: BTreeMap<String, Value>,
    /// How often the sink was called since the last verdict.
    calls: Arc<AtomicUsize>,
}

/// Counts who connects to its port, and says nothing.
fn open_sink() -> anyhow::Result<(u16, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    Ok((port, calls))
}

impl World {
    /// Lets the owner and the drafter make the fixtures; from then on the judge watches.
    pub(crate) fn build(server: OdooServer) -> anyhow::Result<Self> {
        let (sink, calls) = open_sink()?;
        let mut world = Self {
            server,
            ids: BTreeMap::from([("sink".to_owned(), Value::from(sink))]),
            calls,
        };
        for fixture in sections(include_str!("fixtures.txt")) {
            let user = match fixture.tags.first().map(String::as_str) {
                Some("owner") => OdooUser::Owner,
                Some("drafter") => OdooUser::PowerfulDrafter,
                _ => bail!("the fixture {} does not say who makes it", fixture.name),
            };
            let answer = world
                .play(user, &fixture)
                .map_err(|refusal| anyhow::anyhow!("the fixture {}: {refusal}", fixture.name))?;
            let id = id_of(&answer)
                .with_context(|| format!("the fixture {}: {answer}", fixture.name))?;
            world.ids.insert(fixture.name, id);
        }
        world.sql(include_str!("judge.sql"))?;
        Ok(world)
    }

    /// The server.
    pub(crate) fn server(&self) -> &OdooServer {
        &self.server
    }

    /// The id of a fixture.
    pub(crate) fn id(&self, name: &str) -> Value {
        self.ids[name].clone()
    }

    /// Calls one after the other, until one is refused; what the last one answered.
    pub(crate) fn play(&self, user: OdooUser, section: &Section) -> Result<Value, OdooRefusal> {
        let mut answers: Vec<Value> = Vec::new();
        for call in &section.calls {
            if let Some(page) = call.strip_prefix("public ") {
                answers.push(self.play_public(page, &answers)?);
                continue;
            }
            let (call, is_jsonrpc) = match call.strip_prefix("rpc ") {
                Some(rest) => (rest, true),
                None => (call.as_str(), false),
            };
            let mut parts = call.splitn(3, ' ');
            let [Some(model), Some(method), Some(arguments)] = [(); 3].map(|()| parts.next())
            else {
                panic!("{}: {call}", section.name);
            };
            let arguments = serde_json::from_str(arguments)
                .unwrap_or_else(|error| panic!("{}: {call}: {error}", section.name));
            let arguments = self.fill(arguments, &answers);
            answers.push(match is_jsonrpc {
                true => {
                    let arguments = arguments.as_array().expect("positional, named");
                    self.server.call_jsonrpc(user, model, method, arguments)?
                }
                false => self.server.call(user, model, method, &arguments)?,
            });
        }
        Ok(answers.pop().unwrap_or_default())
    }

    /// A page, as anybody asks for it.
    fn play_public(&self, page: &str, answers: &[Value]) -> Result<Value, OdooRefusal> {
        let (path, arguments) = page.split_once(' ').unwrap_or((page, ""));
        let path = match self.fill(Value::from(path), answers) {
            Value::String(path) => path,
            other => panic!("{page}: {other}"),
        };
        let arguments = (!arguments.is_empty()).then(|| {
            let arguments =
                serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{page}: {error}"));
            self.fill(arguments, answers)
        });
        self.server.call_public(&path, arguments.as_ref())
    }

    fn fill(&self, value: Value, answers: &[Value]) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => {
                    let (name, field) = name.split_once('.').unwrap_or((name, ""));
                    let value = match name.parse::<usize>() {
                        Ok(number) => one_or_all(&answers[number - 1]),
                        Err(_) => self.id(name),
                    };
                    match field {
                        "" => value,
                        field => value[field].clone(),
                    }
                }
                None => Value::String(self.fill_text(text)),
            },
            Value::Array(values) => values
                .into_iter()
                .map(|value| self.fill(value, answers))
                .collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (self.fill_text(name), self.fill(value, answers)))
                .collect(),
            other => other,
        }
    }

    /// A name inside of a text.
    fn fill_text(&self, mut text: String) -> String {
        if text.contains('$') {
            for (name, id) in self.ids.iter().rev() {
                text = text.replace(&format!("${name}"), &id.to_string());
            }
        }
        text
    }

    /// What was changed and is not drafting; then everything is as it was before.
    pub(crate) fn judge(&self) -> anyhow::Result<Vec<String>> {
        let faults = self.sql("select * from judge.decide()")?;
        let mut faults: Vec<String> = faults.lines().map(|line| line.trim().to_owned()).collect();
        if self.calls.swap(0, Ordering::Relaxed) > 0 {
            faults.push("a call of an address outside".to_owned());
        }
        Ok(faults)
    }

    /// Runs what Odoo does at a time that was set: posting, sending, mails.
    pub(crate) fn run_crons(&self) -> anyhow::Result<()> {
        for (module, name) in [
            ("account", "ir_cron_auto_post_draft_entry"),
            ("account", "ir_cron_account_move_send"),
            ("mail", "ir_cron_mail_scheduler_action"),
            ("mail", "ir_cron_post_scheduled_message"),
            ("mail", "ir_cron_send_scheduled_message"),
        ] {
            let id = self.sql(&format!(
                "select res_id from ir_model_data where module = '{module}' and name = '{name}'"
            ))?;
            let arguments = serde_json::json!({"ids": [id.parse::<i64>()?]});
            self.server.call(
                OdooUser::Owner,
                "ir.cron",
                "method_direct_trigger",
                &arguments,
            )?;
        }
        Ok(())
    }

    /// As PostgreSQL's own superuser.
    pub(crate) fn sql(&self, statement: &str) -> anyhow::Result<String> {
        self.server.sql(statement)
    }
}

fn one_or_all(answer: &Value) -> Value {
    match answer.as_array().map(Vec::as_slice) {
        Some([one]) => one.clone(),
        _ => answer.clone(),
    }
}

/// The id in an answer: itself, the first of a list, or of a record.
fn id_of(answer: &Value) -> Option<Value> {
    match answer {
        Value::Number(_) => Some(answer.clone()),
        Value::Array(values) => id_of(values.first()?),
        Value::Object(fields) => fields.get("res_id").or_else(|| fields.get("id")).cloned(),
        _ => None,
    }
}
