//! The generated host side of the safe interfaces, once for the whole crate.
//!
//! Lives elsewhere: the implementations, one folder a package; the effects' own in `effects`.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "generated code"
)]

wasmtime::component::bindgen!({
    inline: "
        package platinum:capabilities-host;
        world imports {
            import platinum:skill/context@0.1.0;
            import platinum:skill/log@0.1.0;
            import platinum:tasks/read@0.1.0;
            import platinum:tasks/ownership@0.1.0;
            import platinum:tasks/claim@0.1.0;
            import platinum:tasks/finish@0.1.0;
            import platinum:plans/write@0.1.0;
            import platinum:updates/publish@0.1.0;
            import platinum:updates/collect@0.1.0;
            import platinum:model/complete@0.1.0;
            import platinum:vault/context@0.1.0;
            import platinum:email/search@0.1.0;
            import platinum:email/people@0.1.0;
            import platinum:email/draft@0.1.0;
            import platinum:email/propose@0.1.0;
            import platinum:odoo/read@0.1.0;
            import platinum:odoo/draft@0.1.0;
            import platinum:odoo/propose@0.1.0;
            import platinum:social/draft@0.1.0;
            import platinum:social/propose@0.1.0;
            import platinum:whatsapp/read@0.1.0;
            import platinum:whatsapp/propose@0.1.0;
            import platinum:sync/run@0.1.0;
            import platinum:dashboard/board@0.1.0;
        }
    ",
    path: [
        "../../wit/skill",
        "../../wit/tasks",
        "../../wit/actions",
        "../../wit/plans",
        "../../wit/updates",
        "../../wit/model",
        "../../wit/vault",
        "../../wit/approvals",
        "../../wit/email",
        "../../wit/odoo",
        "../../wit/social",
        "../../wit/whatsapp",
        "../../wit/sync",
        "../../wit/dashboard",
    ],
    imports: { default: async | trappable },
});
