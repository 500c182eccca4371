//! What a drafter may do, with its group alone and with every other right; and that the owner is not hindered.

use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::{Value, json};

use crate::world;

/// Both kinds of drafter.
const DRAFTERS: [OdooUser; 2] = [OdooUser::Drafter, OdooUser::PowerfulDrafter];

fn call(server: &OdooServer, user: OdooUser, method: &str, arguments: &Value) -> Value {
    server
        .call(user, "account.move", method, arguments)
        .unwrap_or_else(|refusal| panic!("{user:?} {method} {arguments}: {refusal}"))
}

fn read(server: &OdooServer, id: &Value, field: &str) -> Value {
    call(
        server,
        OdooUser::Owner,
        "read",
        &json!({"ids": [id], "fields": [field]}),
    )[0][field]
        .clone()
}

#[test]
fn drafter_makes_and_edits_drafts_of_every_type() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let server = world.server();
    for user in DRAFTERS {
        for (number, kind) in [
            "out_invoice",
            "out_refund",
            "in_invoice",
            "in_refund",
            "out_receipt",
            "in_receipt",
        ]
        .iter()
        .enumerate()
        {
            let created = call(
                server,
                user,
                "create",
                &json!({"vals_list": [{
                    "move_type": kind, "partner_id": world.id("client"), "invoice_date": "2026-11-20",
                    "ref": format!("{user:?} {number}"), "currency_id": world.id("euro"),
                    "invoice_line_ids": [
                        [0, 0, {"name": "Work", "quantity": 3, "price_unit": 100.0, "tax_ids": [[6, 0, [world.id("tax")]]]}],
                        [0, 0, {"display_type": "line_note", "name": "a note"}],
                    ],
                }]}),
            );
            let draft = &created[0];
            assert_eq!(read(server, draft, "state"), "draft");
            assert_eq!(read(server, draft, "amount_untaxed"), 300.0, "{kind}");
            let line = read(server, draft, "invoice_line_ids")[0].clone();
            call(
                server,
                user,
                "write",
                &json!({"ids": [draft], "vals": {
                    "ref": format!("{user:?} {number}, edited"), "invoice_date": "2026-11-21",
                    "partner_id": world.id("vendor"),
                    "invoice_line_ids": [
                        [1, line, {"price_unit": 7.0, "tax_ids": [[5]]}],
                        [0, 0, {"name": "More", "quantity": 2, "price_unit": 5.0, "discount": 50.0}],
                    ],
                }}),
            );
            assert_eq!(read(server, draft, "amount_untaxed"), 26.0, "{kind}");
            call(
                server,
                user,
                "write",
                &json!({"ids": [draft], "vals": {"invoice_line_ids": [[2, line, 0]]}}),
            );
            let more = read(server, draft, "invoice_line_ids")[1].clone();
            let change = json!({"ids": [more], "vals": {"quantity": 4}});
            server.call(user, "account.move.line", "write", &change)?;
            assert_eq!(read(server, draft, "amount_untaxed"), 10.0, "{kind}");
        }
    }
    assert_eq!(faults_of_powerful(&world)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn drafter_makes_and_edits_an_entry() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let server = world.server();
    for user in DRAFTERS {
        let created = call(
            server,
            user,
            "create",
            &json!({"vals_list": [{
                "move_type": "entry", "date": "2026-11-20", "ref": "entry", "line_ids": [
                    [0, 0, {"name": "a", "account_id": world.id("income"), "credit": 10.0}],
                    [0, 0, {"name": "b", "account_id": world.id("other_income"), "debit": 10.0}],
                ],
            }]}),
        );
        let lines = read(server, &created[0], "line_ids");
        call(
            server,
            user,
            "write",
            &json!({"ids": created, "vals": {"line_ids": [
                [1, lines[0], {"credit": 12.0}], [1, lines[1], {"debit": 12.0}],
            ]}}),
        );
        assert_eq!(read(server, &created[0], "amount_total"), 12.0);
    }
    assert_eq!(faults_of_powerful(&world)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn drafter_makes_the_credit_note_of_an_invoice() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let created = call(
        world.server(),
        OdooUser::PowerfulDrafter,
        "create",
        &json!({"vals_list": [{
            "move_type": "out_refund", "partner_id": world.id("client"), "reversed_entry_id": world.id("posted"),
            "invoice_date": "2026-11-21", "invoice_line_ids": [[0, 0, {"name": "Back", "quantity": 1, "price_unit": 30}]],
        }]}),
    );
    assert_eq!(read(world.server(), &created[0], "amount_total"), 30.0);
    assert_eq!(world.judge()?, Vec::<String>::new());
    Ok(())
}

/// What Odoo fills in by itself from a partner and a product is no reason to refuse: a seller, a bank account, terms.
#[test]
fn drafter_drafts_for_a_partner_with_everything() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let server = world.server();
    for user in DRAFTERS {
        for kind in ["out_invoice", "in_invoice"] {
            let created = call(
                server,
                user,
                "create",
                &json!({"vals_list": [{
                    "move_type": kind, "partner_id": world.id("rich_partner"), "currency_id": world.id("euro"),
                    "invoice_date": "2026-11-20", "date": "2026-11-21", "delivery_date": "2026-11-19",
                    "invoice_payment_term_id": world.id("term"), "narration": "<p>Thank you.</p>",
                    "ref": format!("{user:?} {kind}"), "invoice_origin": "an-operation", "invoice_line_ids": [
                        [0, 0, {"display_type": "line_section", "name": "Goods"}],
                        [0, 0, {"product_id": world.id("product"), "quantity": 3, "price_unit": 33.33, "discount": 12.5,
                            "tax_ids": [[6, 0, [world.id("tax")]]],
                            "analytic_distribution": {world.id("analytic").to_string(): 100}}],
                        [0, 0, {"name": "Work", "quantity": 0.5, "price_unit": 99.99, "tax_ids": [[5]],
                            "account_id": world.id("other_income")}],
                    ],
                }], "context": {"lang": "en_US", "tz": "Europe/Berlin", "allowed_company_ids": [world.id("company")]}}),
            );
            let total = read(server, &created[0], "amount_untaxed");
            assert_eq!(total, 137.49, "{kind}");
        }
    }
    assert_eq!(faults_of_powerful(&world)?, Vec::<String>::new());
    Ok(())
}

/// Faults that are not those of the drafter with its group alone, whom the judge does not know.
fn faults_of_powerful(world: &world::World) -> anyhow::Result<Vec<String>> {
    world.sql(
        "delete from judge.change c where exists (select from res_users u where u.login = 'platinum-drafter'
            and u.id = (coalesce(c.now, c.was) ->> 'create_uid')::bigint)
            or c.model = 'mail_followers' and (c.now ->> 'partner_id')::bigint = (select partner_id from res_users
                where login = 'platinum-drafter')
            or c.model = 'account_move_line_account_tax_rel' and exists (
                select from account_move_line l join res_users u on u.id = l.create_uid where u.login = 'platinum-drafter'
                    and l.id = (coalesce(c.now, c.was) ->> 'account_move_line_id')::bigint)",
    )?;
    world.judge()
}

#[test]
fn drafter_reads_what_it_needs_for_a_draft() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    for model in [
        "account.move",
        "account.move.line",
        "account.account",
        "account.journal",
        "account.tax",
        "account.fiscal.position",
        "account.payment.term",
        "res.partner",
        "res.partner.bank",
        "res.currency",
        "res.company",
        "product.product",
        "uom.uom",
    ] {
        let all = json!({"domain": [], "fields": ["id"], "limit": 1});
        let read = world
            .server()
            .call(OdooUser::Drafter, model, "search_read", &all);
        assert!(read.is_ok(), "{model}: {read:?}");
    }
    Ok(())
}

/// A draft of the drafter goes its way, and nobody but the owner is told.
#[test]
fn owner_posts_and_pays_what_the_drafter_made() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let (server, owner) = (world.server(), OdooUser::Owner);
    let own = world.id("own");
    call(server, owner, "action_post", &json!({"ids": [own]}));
    assert_eq!(read(server, &own, "state"), "posted");
    let context = json!({"active_model": "account.move", "active_ids": [own]});
    let register = |method, arguments: Value| {
        server.call(owner, "account.payment.register", method, &arguments)
    };
    let wizard = register(
        "create",
        json!({"vals_list": [{"payment_date": "2026-11-20"}], "context": context}),
    )?;
    register(
        "action_create_payments",
        json!({"ids": wizard, "context": context}),
    )?;
    assert_eq!(read(server, &own, "amount_residual"), 0.0);
    assert_eq!(
        world.sql("select count(*) from judge.change where model in ('mail_mail', 'sms_sms')")?,
        "0"
    );
    world.judge()?;
    Ok(())
}

/// Everything that is refused to the drafter, as a sample of each kind.
#[test]
fn owner_is_not_hindered() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let (server, owner) = (world.server(), OdooUser::Owner);
    let own = world.id("own");
    for (model, method, arguments) in [
        (
            "account.move",
            "write",
            json!({"ids": [own], "vals": {"narration": "by the owner"}}),
        ),
        (
            "account.move",
            "message_post",
            json!({"ids": [own], "body": "hello"}),
        ),
        (
            "account.move",
            "message_subscribe",
            json!({"ids": [own], "partner_ids": [world.id("client")]}),
        ),
        ("account.move", "action_post", json!({"ids": [own]})),
        ("account.move", "button_draft", json!({"ids": [own]})),
        ("account.move", "button_cancel", json!({"ids": [own]})),
        (
            "account.move",
            "unlink",
            json!({"ids": [world.id("own_bare")]}),
        ),
        ("account.move", "copy", json!({"ids": [world.id("other")]})),
        (
            "account.move",
            "load",
            json!({"fields": ["ref"], "data": [["imported"]]}),
        ),
        (
            "res.partner",
            "create",
            json!({"vals_list": [{"name": "x"}]}),
        ),
        (
            "ir.default",
            "set",
            json!({"model_name": "account.move", "field_name": "auto_post", "value": "no"}),
        ),
    ] {
        let answer = server.call(owner, model, method, &arguments);
        assert!(answer.is_ok(), "{model} {method}: {answer:?}");
    }
    world.judge()?;
    Ok(())
}

/// A refusal names what is refused, and no traceback's lines.
#[test]
fn drafter_is_told_what_is_refused() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let refused = |vals: Value| {
        let arguments = json!({"ids": [world.id("own")], "vals": vals});
        world
            .server()
            .call(
                OdooUser::PowerfulDrafter,
                "account.move",
                "write",
                &arguments,
            )
            .unwrap_err()
    };
    let refusal = refused(json!({"state": "posted"}));
    assert_eq!(refusal.status, 403);
    assert_eq!(refusal.name, "odoo.exceptions.AccessError");
    assert_eq!(
        refusal.message,
        "This user can only draft: setting state of account.move is refused by platinum_draft_only. Let the owner \
         do it."
    );
    Ok(())
}
