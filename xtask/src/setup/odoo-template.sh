# Makes the database of the tests on a real Odoo: Odoo's modules, our addon, users and their API keys.
# Given: CACHE (where all of it is kept), ADDONS, SCRIPTS (make-drafter.py and the users of the tests), MODULES, PORT.
# Leaves $CACHE/cluster (a PostgreSQL cluster that is stopped), $CACHE/data (Odoo's files) and $CACHE/keys.
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/tmp}/platinum-odoo-XXXXXX")
chmod 755 "$work"
# PostgreSQL refuses to run as root.
as() { "$@"; }
[ "$(id -u)" != 0 ] || as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
trap 'as "$bin/pg_ctl" -D "$work/cluster" -m immediate -w stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

mkdir "$work/cluster" "$work/socket" "$work/data"
# What an earlier addon was installed in is brought up to date; all else is made anew.
if [ -d "$CACHE/cluster" ] && [ "$(cat "$CACHE/cluster/PG_VERSION")" = "$(basename "$(dirname "$bin")")" ]; then
    cp -a "$CACHE/cluster/." "$work/cluster"
    cp -a "$CACHE/data/." "$work/data"
fi
chmod 700 "$work/cluster"
[ "$(id -u)" != 0 ] || chown -R postgres "$work/cluster" "$work/socket"
[ -s "$work/cluster/PG_VERSION" ] ||
    (cd "$work" && as "$bin/initdb" -D cluster -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null)
as "$bin/pg_ctl" -D "$work/cluster" -w -l "$work/cluster/log" start >/dev/null -o "-p $PORT -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories=$work/socket -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"$bin/createuser" -h 127.0.0.1 -p "$PORT" -U postgres --createdb odoo 2>/dev/null || true

packages=$CACHE/odoo/usr/lib/python3/dist-packages
cat >"$work/odoo.conf" <<CONF
[options]
addons_path = $packages/odoo/addons,$ADDONS
data_dir = $work/data
db_host = 127.0.0.1
db_port = $PORT
db_user = odoo
db_password = unused
max_cron_threads = 0
CONF
odoo() {
    # What Python compiles is kept in the cache, also of the addon.
    PYTHONPYCACHEPREFIX=$CACHE/pycache PYTHONPATH=$packages nice -n 1 "$CACHE/venv/bin/python" "$CACHE/odoo/usr/bin/odoo" "$@" \
        -c "$work/odoo.conf" -d odoo --no-http --log-level=error
}
odoo server -i "$MODULES" -u platinum_draft_only --without-demo=True --stop-after-init
cat $SCRIPTS | odoo shell 2>"$work/shell.log" | grep '^[A-Z]*=' >"$work/keys" || { cat "$work/shell.log" >&2; exit 1; }
[ "$(wc -l <"$work/keys")" = 3 ] || { cat "$work/shell.log" >&2; exit 1; }
as "$bin/pg_ctl" -D "$work/cluster" -m fast -w stop >/dev/null
rm -rf "$CACHE/cluster" "$CACHE/data" "$work/data/sessions"
cp -a "$work/cluster" "$CACHE/cluster"
cp -a "$work/data" "$CACHE/data"
(umask 077; cp "$work/keys" "$CACHE/keys")
