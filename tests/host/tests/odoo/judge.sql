-- What a drafter changed, as the owner's database sees it: every row of every table that was written is kept, and what
-- is not part of the drafter's own drafts is a fault. `world.rs` says how it is used.

create schema judge;
create table judge.change (
    number bigserial primary key, model text, operation text, was jsonb, now jsonb
);

create function judge.keep() returns trigger language plpgsql security definer as $$
begin
    insert into judge.change (model, operation, was, now) values (
        tg_table_name, tg_op,
        case when tg_op <> 'INSERT' then to_jsonb(old) end,
        case when tg_op <> 'DELETE' then to_jsonb(new) end
    );
    return null;
end $$;

-- Not the tables that Odoo writes by itself, for whoever logs in or whenever a cron runs.
do $$
declare name text;
begin
    for name in
        select table_name from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE'
            and table_name not in ('ir_logging', 'ir_cron', 'ir_cron_progress', 'ir_cron_trigger', 'bus_bus',
                'res_users_log', 'res_device_log', 'ir_profile')
            and table_name not like 'orm\_signaling\_%'
    loop
        execute format('create trigger judge after insert or update or delete on %I
            for each row execute function judge.keep()', name);
    end loop;
end $$;

create function judge.is_own_draft(move bigint) returns boolean language sql as $$
    select exists (
        select from account_move m join res_users u on u.id = m.create_uid
        where m.id = move and u.login = 'powerful-drafter' and m.state = 'draft' and m.auto_post = 'no'
            and not coalesce(m.posted_before, false) and coalesce(m.name, '/') = '/' and m.sending_data is null
            and not coalesce(m.checked, false) and m.inalterable_hash is null and coalesce(m.secure_sequence_number, 0) = 0
            and m.auto_post_until is null and m.auto_post_origin_id is null and coalesce(m.sequence_number, 0) = 0
            and not coalesce(m.is_move_sent, false) and coalesce(m.payment_state, 'not_paid') = 'not_paid'
            and m.access_token is null and m.statement_line_id is null and (m.reversed_entry_id is null or m.move_type like '%refund')
            and (coalesce(m.invoice_user_id, m.create_uid) = m.create_uid
                -- Who sells to this customer, as Odoo fills it in.
                or m.invoice_user_id = (select user_id from res_partner where id = m.partner_id)) and (m.partner_bank_id is null or m.commercial_partner_id = (
                select partner_id from res_partner_bank where id = m.partner_bank_id))
            and m.message_main_attachment_id is null
    )
$$;

-- A draft that shows what it books.
create function judge.is_true_draft(move bigint) returns boolean language sql as $$
    select m.move_type = 'entry' and abs(coalesce(sum(l.balance), 0)) < 0.005
        or abs(coalesce(sum(l.balance), 0)) < 0.005
            and abs(abs(coalesce(sum(l.amount_currency) filter (where l.display_type = 'payment_term'), 0))
                - abs(m.amount_total)) < 0.005
            and abs(coalesce(sum(l.price_subtotal) filter (where l.display_type = 'product'), 0)
                - m.amount_untaxed) < 0.005
            and abs(m.amount_residual - m.amount_total) < 0.005
            and abs(abs(m.amount_total_signed) - abs(coalesce(
                sum(l.balance) filter (where l.display_type = 'payment_term'), 0))) < 0.005
            and coalesce(bool_and(abs(abs(l.amount_currency) - l.price_subtotal) < 0.005)
                filter (where l.display_type = 'product'), true)
            and coalesce(bool_and(l.currency_id = m.currency_id), true)
    from account_move m left join account_move_line l on l.move_id = m.id
    where m.id = move group by m.id
$$;

create function judge.is_drafting(c judge.change) returns boolean language sql as $$
    select case c.model
        when 'account_move' then
            c.operation <> 'DELETE' and judge.is_own_draft((c.now ->> 'id')::bigint)
            and (c.was is null or c.was ->> 'state' = 'draft')
            and judge.is_true_draft((c.now ->> 'id')::bigint)
        when 'account_move_line' then
            judge.is_own_draft((coalesce(c.now, c.was) ->> 'move_id')::bigint)
            and judge.is_own_draft((coalesce(c.was, c.now) ->> 'move_id')::bigint)
            and coalesce(c.now ->> 'parent_state', 'draft') = 'draft' and c.now ->> 'matching_number' is null
            and c.now ->> 'payment_id' is null and c.now ->> 'statement_line_id' is null
            and (c.now ->> 'tax_line_id' is null or c.now ->> 'display_type' = 'tax')
            and judge.is_true_draft((coalesce(c.now, c.was) ->> 'move_id')::bigint)
        when 'account_move_line_account_tax_rel' then
            coalesce((select judge.is_own_draft(move_id) from account_move_line
                where id = (coalesce(c.now, c.was) ->> 'account_move_line_id')::bigint), true)
        -- The note in the draft's thread, which nobody is told of.
        when 'mail_message' then
            c.operation <> 'DELETE' and c.now ->> 'model' = 'account.move' and c.now ->> 'message_type' = 'notification'
            and judge.is_own_draft((c.now ->> 'res_id')::bigint)
            and coalesce(c.now ->> 'body', '') ~* '^(<div[^>]*>)?(<p>[a-z ]+ created</p>)?(</div>)?$'
        when 'mail_tracking_value' then c.operation = 'INSERT'
        when 'mail_followers' then
            c.operation = 'INSERT' and c.now ->> 'res_model' = 'account.move'
            and judge.is_own_draft((c.now ->> 'res_id')::bigint)
            and (c.now ->> 'partner_id')::bigint = (select partner_id from res_users where login = 'powerful-drafter')
        when 'mail_followers_mail_message_subtype_rel' then c.operation = 'INSERT'
        else false
    end
$$;

-- Each fault in a line: what was done, to which row, with which columns.
create function judge.faults() returns setof text language sql as $$
    select c.operation || ' ' || c.model || ' ' || coalesce(coalesce(c.now, c.was) ->> 'id', '') || ' ' || coalesce(
        (select string_agg(n.key, ',') from jsonb_each(c.now) n
            where c.was is not null and n.value is distinct from c.was -> n.key), '')
    from judge.change c where not judge.is_drafting(c) order by c.number
$$;

-- Takes back what was kept, so that the next way finds what it acts on. It needs a superuser.
create function judge.undo() returns void language plpgsql as $$
declare
    c judge.change;
    key text;
begin
    -- Neither these triggers nor those of foreign keys.
    set local session_replication_role = replica;
    for c in select * from judge.change order by number desc loop
        if c.now is not null then
            key := case when c.now ? 'id' then format('t.id = %L', c.now ->> 'id') else format('to_jsonb(t) = %L', c.now) end;
            execute format('delete from public.%I t where %s', c.model, key);
        end if;
        if c.was is not null then
            execute format('insert into public.%I select * from jsonb_populate_record(null::public.%I, %L)',
                c.model, c.model, c.was);
        end if;
    end loop;
    delete from judge.change;
end $$;

-- Both.
create function judge.decide() returns setof text language plpgsql as $$
declare
    faults text[] := array(select judge.faults());
begin
    perform judge.undo();
    return query select unnest(faults);
end $$;
