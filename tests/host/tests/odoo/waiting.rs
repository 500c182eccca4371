//! Drafts that wait in a real Odoo become tasks, once each, read with the key of a drafter, and then a note of each.

use std::{fs, path::Path, process::Command};

use platinum_core::OdooPost;
use platinum_engine::Outcome;
use platinum_testkit::{
    odoo::{OdooServer, OdooUser},
    program,
};
use platinum_vault::note::TaskNote;
use serde_json::{Value, json};

use crate::bills::Office;

/// Saves a bill in Odoo as the owner; answers its number.
fn save_bill(server: &OdooServer, partner: &Value, origin: &str) -> anyhow::Result<i64> {
    let values = json!({
        "move_type": "in_invoice", "partner_id": partner, "invoice_date": "2026-11-30", "invoice_origin": origin,
        "invoice_line_ids": [[0, 0, {"name": "Tea", "quantity": 2, "price_unit": 10.25, "tax_ids": []}]],
    });
    let ids = server.call(
        OdooUser::Owner,
        "account.move",
        "create",
        &json!({"vals_list": [values]}),
    )?;
    Ok(ids[0].as_i64().unwrap())
}

/// Runs the source once, with the key of the drafter, and answers the tasks there are about this partner.
fn poll(
    server: &OdooServer,
    folder: &Path,
    protocol: &str,
    partner: &str,
) -> anyhow::Result<Vec<TaskNote>> {
    let config = server.configure(folder, OdooUser::Drafter, protocol)?;
    let output = Command::new(program("platinum-intake", "platinum-intake")?)
        .args(["odoo", "--once", "--config"])
        .arg(&config)
        .arg("--vault")
        .arg(folder.join("vault"))
        .arg("--state")
        .arg(folder.join("state"))
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let entries = fs::read_dir(folder.join("vault/Needs_Action/accounting"))
        .into_iter()
        .flatten();
    let mut tasks = Vec::new();
    for entry in entries {
        tasks.push(TaskNote::parse(&fs::read_to_string(entry?.path())?)?);
    }
    tasks.retain(|task| task.from == partner);
    Ok(tasks)
}

#[test]
fn waiting_bill_of_a_real_odoo_becomes_one_task() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let server = OdooServer::shared()?;
    let partner = json!({"vals_list": [{"name": "Waiting GmbH"}]});
    let partner = server.call(OdooUser::Owner, "res.partner", "create", &partner)?[0].take();
    let bill = save_bill(&server, &partner, "")?;
    // What Platinum saved has a task.
    save_bill(&server, &partner, "bill-0123456789abcdef0123456789abcdef")?;

    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("vault/Needs_Action"))?;
    let tasks = poll(&server, folder.path(), "json-2", "Waiting GmbH")?;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].fact("odoo-document"), [bill.to_string()]);
    assert!(
        tasks[0]
            .subject
            .starts_with("Draft in Odoo: vendor bill with Waiting GmbH, 20.5"),
        "{}",
        tasks[0].subject
    );

    let changed = json!({"ids": [bill], "vals": {"ref": "R-17"}});
    server.call(OdooUser::Owner, "account.move", "write", &changed)?;
    assert_eq!(
        poll(&server, folder.path(), "json-rpc", "Waiting GmbH")?.len(),
        1
    );
    Ok(())
}

/// What somebody typed in Odoo is put before the owner as it is: nothing of it is changed, and a doubt says what may be
/// wrong. Once it is posted, or gone, its task ends in words.
#[tokio::test]
async fn waiting_bill_of_a_real_odoo_is_proposed_as_it_is() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let server = OdooServer::shared()?;
    let create = |model: &str, values: Value| {
        let values = json!({ "vals_list": [values] });
        server.call(OdooUser::Owner, model, "create", &values)
    };
    let partner = create("res.partner", json!({"name": "Waiting Proposed GmbH"}))?[0].take();
    let mut bills = Vec::new();
    // Two of one number.
    for _ in 0..2 {
        let bill = save_bill(&server, &partner, "")?;
        let reference = json!({"ids": [bill], "vals": {"ref": "R 2026-18"}});
        server.call(OdooUser::Owner, "account.move", "write", &reference)?;
        bills.push(bill);
    }
    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("vault/Needs_Action"))?;
    let tasks = poll(&server, folder.path(), "auto", "Waiting Proposed GmbH")?;
    assert_eq!(tasks.len(), 2);
    let office = Office::open(&server, &folder.path().join("vault")).await?;
    let task_of = |bill: i64| {
        let mut tasks = tasks.iter();
        let task = tasks.find(|task| task.fact("odoo-document") == [bill.to_string()]);
        task.unwrap().clone()
    };
    let changed = |bill: i64| {
        server.sql(&format!(
            "select write_date from account_move where id = {bill}"
        ))
    };
    let before = changed(bills[0])?;
    let outcome = office.run_note(task_of(bills[0])).await;
    let Outcome::Drafted(draft) = outcome else {
        panic!("{outcome:?}");
    };
    let draft = office.note(&draft);
    let post: OdooPost = draft.action.read()?;
    assert_eq!(
        (post.document, post.total.to_string().as_str()),
        (u64::try_from(bills[0])?, "USD 20.50")
    );
    let document = office.document(post.document).await;
    assert_eq!(post.shown, document["shown"].as_str().unwrap());
    let doubt = format!(
        "Odoo has another vendor bill of this partner with this number: a draft ({}).",
        bills[1]
    );
    assert_eq!(draft.doubts, [doubt]);
    assert_eq!(changed(bills[0])?, before);

    let [posted, deleted] = [bills[1], save_bill(&server, &partner, "")?];
    let late = poll(&server, folder.path(), "auto", "Waiting Proposed GmbH")?;
    let late = late
        .into_iter()
        .find(|task| task.fact("odoo-document") == [deleted.to_string()]);
    server.call(
        OdooUser::Owner,
        "account.move",
        "action_post",
        &json!({"ids": [posted]}),
    )?;
    server.call(
        OdooUser::Owner,
        "account.move",
        "unlink",
        &json!({"ids": [deleted]}),
    )?;
    let name = server.sql(&format!(
        "select name from account_move where id = {posted}"
    ))?;
    for (task, start) in [
        (
            task_of(posted),
            format!("vendor bill {name} is no draft any more, it is posted: "),
        ),
        (
            late.unwrap(),
            format!(
                "The draft {deleted} that waited in Odoo cannot be read any more: there is no document {deleted} "
            ),
        ),
    ] {
        match office.run_note(task).await {
            Outcome::Dismissed(words) => assert!(words.starts_with(&start), "{words}"),
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}
