//! What `wit-bindgen` makes of the folders of `wit/`, this crate's copy of the contract: every interface that a skill can import,
//! once, so that all skills share the same types.
//!
//! Lives elsewhere: a skill's own world, and with it the list of what the skill asks for, is
//! generated in the skill by [`skill!`](crate::skill).
//! Invariants: a skill's component imports only what the skill calls, never this whole list;
//! `xtask skills` compares each component with its `wit/world.wit`.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::uninlined_format_args,
    reason = "generated code"
)]

wit_bindgen::generate!({
    inline: "
        package platinum:sdk;

        world everything {
            import platinum:skill/types@0.1.0;
            import platinum:skill/context@0.1.0;
            import platinum:skill/log@0.1.0;
            import platinum:actions/types@0.1.0;
            import platinum:tasks/types@0.1.0;
            import platinum:tasks/read@0.1.0;
            import platinum:tasks/ownership@0.1.0;
            import platinum:tasks/claim@0.1.0;
            import platinum:tasks/finish@0.1.0;
            import platinum:plans/write@0.1.0;
            import platinum:updates/types@0.1.0;
            import platinum:updates/publish@0.1.0;
            import platinum:updates/collect@0.1.0;
            import platinum:model/complete@0.1.0;
            import platinum:vault/context@0.1.0;
            import platinum:approvals/queue@0.1.0;
            import platinum:email/types@0.1.0;
            import platinum:email/search@0.1.0;
            import platinum:email/draft@0.1.0;
            import platinum:email/propose@0.1.0;
            import platinum:email/send@0.1.0;
            import platinum:social/types@0.1.0;
            import platinum:social/draft@0.1.0;
            import platinum:social/propose@0.1.0;
            import platinum:social/publish@0.1.0;
            import platinum:odoo/types@0.1.0;
            import platinum:odoo/read@0.1.0;
            import platinum:odoo/draft@0.1.0;
            import platinum:odoo/propose@0.1.0;
            import platinum:odoo/post@0.1.0;
            import platinum:payments/types@0.1.0;
            import platinum:payments/propose@0.1.0;
            import platinum:payments/pay@0.1.0;
            import platinum:browser/session@0.1.0;
            import platinum:whatsapp/types@0.1.0;
            import platinum:whatsapp/read@0.1.0;
            import platinum:whatsapp/propose@0.1.0;
            import platinum:whatsapp/send@0.1.0;
            import platinum:sync/run@0.1.0;
            import platinum:health/types@0.1.0;
            import platinum:health/observe@0.1.0;
            import platinum:health/restart@0.1.0;
            import platinum:health/alert@0.1.0;
            import platinum:dashboard/board@0.1.0;
        }
    ",
    // A folder comes after the folders it uses.
    path: [
        "wit/skill",
        "wit/actions",
        "wit/tasks",
        "wit/plans",
        "wit/updates",
        "wit/model",
        "wit/vault",
        "wit/approvals",
        "wit/email",
        "wit/social",
        "wit/odoo",
        "wit/payments",
        "wit/browser",
        "wit/whatsapp",
        "wit/sync",
        "wit/health",
        "wit/dashboard",
    ],
    generate_all,
    // The types of the handler, which only a skill exports.
    generate_unused_types: true,
    additional_derives: [PartialEq, Eq],
});
