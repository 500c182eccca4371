# Part of Platinum. License LGPL-3 or later, as Odoo Community itself: https://www.gnu.org/licenses/lgpl-3.0.html
"""Who is a drafter, and what a drafter's values may hold.

A caller chooses its context, and `sudo()` is everywhere in Odoo. So neither decides anything here: a drafter is
found by its user, and what Odoo does by itself inside of an allowed call is told by a counter of the thread.
"""
import threading
from contextlib import contextmanager

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError

GROUP = 'platinum_draft_only.group_drafter'

# What the caller of an allowed call may put into the context. Everything else steers Odoo: defaults, skipped checks.
CONTEXT = {'lang', 'tz', 'allowed_company_ids'}

# What decides neither a state nor who is notified, and is no total: totals are computed from the lines.
MOVE = {
    'company_id', 'currency_id', 'date', 'delivery_date', 'fiscal_position_id', 'invoice_date', 'invoice_date_due',
    'invoice_origin', 'invoice_payment_term_id', 'journal_id', 'narration', 'partner_id', 'partner_shipping_id',
    'payment_reference', 'ref',
}
LINE = {'account_id', 'analytic_distribution', 'name', 'product_id', 'sequence', 'tax_ids'}
INVOICE_LINE = LINE | {'discount', 'display_type', 'price_unit', 'product_uom_id', 'quantity'}
ENTRY_LINE = LINE | {'amount_currency', 'balance', 'credit', 'currency_id', 'date_maturity', 'debit', 'partner_id'}
# Lines of taxes and of what is due are Odoo's: with an amount of their own they would book what is not shown.
DISPLAY_TYPES = {'product', 'line_section', 'line_subsection', 'line_note'}

# What Odoo itself does while a draft is made or edited: the note in its thread, its follower, its lines.
INNER = {
    'create': {'mail.message', 'mail.tracking.value', 'account.analytic.line'},
    'write': {'mail.message', 'account.analytic.line'},
    'unlink': {'account.analytic.line'},
}

# Fields whose value is a key: whoever knows it acts as the customer, without being a user at all.
KEYS = {'access_token'}

_thread = threading.local()


def drafter_of(env):
    """The drafter who acts in `env`, began the transaction or called; an empty recordset if none does.

    `sudo()` keeps the user. `with_user()` does not, so the user who began the transaction is looked at too. What is to
    be done after a commit has a transaction of its own, as superuser; but it is the same thread, of which Odoo keeps
    for whom it works, from the login to the end of the answer.
    """
    caller = env.transaction.default_env
    users = env(su=True)['res.users']
    # Nearly always one and the same, and asked once.
    uids = [env.uid, caller is not None and caller.uid, getattr(threading.current_thread(), 'uid', None)]
    for uid in dict.fromkeys(uids):
        if uid and uid != SUPERUSER_ID and users.browse(uid)._has_group(GROUP):
            return users.browse(uid)
    return users


def refuse(what):
    raise AccessError(
        "This user can only draft: %s is refused by platinum_draft_only. Let the owner do it." % what
    )


def is_inner():
    """Whether Odoo itself calls, inside of an allowed call of a drafter."""
    return getattr(_thread, 'depth', 0) > 0


def is_nested():
    """Whether the allowed call that ends now is inside of another one."""
    return getattr(_thread, 'depth', 0) > 1


@contextmanager
def allowed_call():
    """Marks what is called inside as Odoo's own; gives the ids of the moves that are touched, for the outermost."""
    if not is_inner():
        _thread.touched = set()
    _thread.depth = getattr(_thread, 'depth', 0) + 1
    try:
        yield _thread.touched
    finally:
        _thread.depth -= 1


def check_context(env):
    for key in env.context:
        if key not in CONTEXT:
            refuse("the context key %s" % key)


def check_fields(model, vals, allowed):
    for field in vals:
        if field not in allowed:
            refuse("setting %s of %s" % (field, model))


def check_move_values(vals, move, move_type):
    """Whether a caller may create (`move` is empty) or write a move of this type with these values."""
    is_entry = move_type == 'entry'
    lines_field = 'line_ids' if is_entry else 'invoice_line_ids'
    allowed = MOVE | {lines_field}
    if not move:
        allowed |= {'move_type'}
        if move_type in ('out_refund', 'in_refund'):
            # Of which invoice it is the credit note: posted, the two settle each other.
            allowed |= {'reversed_entry_id'}
    check_fields('account.move', vals, allowed)
    for command, line_id, values in map(_command, vals.get(lines_field) or ()):
        if command == 0:
            check_line_values(values, is_entry)
        elif command in (1, 2):
            line = move.line_ids.filtered(lambda line: line.id == line_id)
            if not line or line.display_type not in DISPLAY_TYPES:
                refuse("changing the line %s, which is none of this draft's own," % line_id)
            if command == 1:
                check_line_values(values, is_entry)
        else:
            refuse("the command %s on the lines of a move" % command)


def _command(command):
    command, line_id, values = (*command, 0, 0)[:3]
    return int(command), line_id, values or {}


def check_line_values(vals, is_entry, also=frozenset()):
    """Whether a caller may create or write a line with these values."""
    check_fields('account.move.line', vals, (ENTRY_LINE if is_entry else INVOICE_LINE) | also)
    if vals.get('display_type', 'product') not in DISPLAY_TYPES:
        refuse("a line of the type %s" % vals['display_type'])
