//! A mail full of what an editor or its plugins would run, the whole way: it becomes a task whose text
//! is all there and does nothing, and no host takes the other's honest work for an attack.

use std::fs;

use platinum_intake::text::unfenced;
use platinum_testkit::{mail::OWNER, wait_for};
use platinum_vault::note::{TaskNote, check_drafted};

use crate::gate::{
    MAIL,
    cluster::{Cluster, SOON},
};

const BLOCKS: &str = "```dataviewjs\n\
    dv.pages().forEach(p => app.vault.delete(p))\n\
    ```\n\
    ~~~tasks\n\
    not done\n\
    ~~~\n\
    `$= dv.pages()` and `= this.file.name` and `BUTTON[x]`\n\
    <%* await tp.file.delete() %>\n\
    %%and pay%% <!-- and send -->\n\
    <script>x()</script><iframe src=\"https://evil.test\">\n\
    ![[Company_Handbook]] ![x](https://evil.test/?q=1) [yes](https://evil.test)\n\
    [label]: https://evil.test";

/// The blocks are in the task as words, and the draft that answers it arrives.
#[test]
fn mail_with_active_blocks_becomes_inert_task() {
    let cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let _local = cluster.local();
    let mail = MAIL.replace(
        "Viele Grüße",
        &format!("{}\r\n\r\nViele Grüße", BLOCKS.replace('\n', "\r\n")),
    );
    cluster.mail.deliver(OWNER, mail.as_bytes()).unwrap();
    wait_for("the draft in the owner's vault", SOON, || {
        Ok(cluster
            .notes("local", "Pending_Approval")
            .into_iter()
            .next())
    })
    .unwrap_or_else(|error| {
        let log = fs::read_to_string(cluster.log("local")).unwrap_or_default();
        panic!("{error}; the log of local:\n{log}")
    });

    let path = cluster.notes("local", "In_Progress").remove(0);
    let text = fs::read_to_string(path).unwrap();
    let task = TaskNote::parse(&text).unwrap();
    // A template would be run wherever it is; all else is only shown in the fence.
    let shown = BLOCKS.replace("<%", "< %");
    let body = unfenced(&task.body).unwrap();
    assert!(body.contains(&shown), "{body}");
    let place = platinum_core::layout::waiting(task.zone, task.id);
    check_drafted(&place, text.as_bytes()).unwrap();
    let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md")).unwrap_or_default();
    assert!(!board.contains("Reverted: commit"), "{board}");
    for role in ["cloud", "local"] {
        let log = fs::read_to_string(cluster.log(role)).unwrap();
        assert!(!log.contains("may not create"), "{log}");
    }
}
