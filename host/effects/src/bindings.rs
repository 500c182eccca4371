//! The generated host side of the interfaces that act, once for the whole crate.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "generated code: the contract in wit/ documents it"
)]

wasmtime::component::bindgen!({
    inline: "
        package platinum:effects-host;
        world imports {
            import platinum:approvals/queue@0.1.0;
            import platinum:email/send@0.1.0;
            import platinum:odoo/post@0.1.0;
            import platinum:social/publish@0.1.0;
            import platinum:whatsapp/send@0.1.0;
        }
    ",
    path: [
        "../../wit/actions",
        "../../wit/approvals",
        "../../wit/email",
        "../../wit/odoo",
        "../../wit/social",
        "../../wit/whatsapp",
    ],
    imports: { default: async | trappable },
    with: { "platinum:approvals/queue.approved-action": crate::approvals::Approved },
});
