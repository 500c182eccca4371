# Part of Platinum. License LGPL-3 or later, as Odoo Community itself: https://www.gnu.org/licenses/lgpl-3.0.html
"""Moves and their lines: what a drafter gives is judged before, and what came of it after."""
from odoo import api, models

from .guard import (
    DISPLAY_TYPES, allowed_call, check_context, check_line_values, check_move_values, drafter_of, is_inner, is_nested,
    refuse,
)


class AccountMove(models.Model):
    _inherit = 'account.move'

    # Two agents that have the same bill at the same moment both find no draft of it; the database takes one.
    _platinum_operation = models.UniqueIndex(
        "(invoice_origin, move_type) WHERE invoice_origin ~ '^bill-[0-9a-f]{32}$' AND state = 'draft'",
        "There is a draft of this bill already.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        drafter = drafter_of(self.env)
        if not drafter:
            return super().create(vals_list)
        if not is_inner():
            check_context(self.env)
            for vals in vals_list:
                check_move_values(vals, self.browse(), vals.get('move_type', 'entry'))
        with allowed_call() as touched:
            moves = super().create(vals_list)
            touched.update(moves.ids)
            self._check_touched(drafter, touched)
        return moves

    def write(self, vals):
        drafter = drafter_of(self.env)
        if not (drafter and self and (vals or not is_inner())):
            return super().write(vals)
        self._check_own_drafts(drafter)
        if not is_inner():
            check_context(self.env)
            for move in self:
                check_move_values(vals, move, move.move_type)
        with allowed_call() as touched:
            touched.update(self.ids)
            result = super().write(vals)
            self._check_touched(drafter, touched)
        return result

    def unlink(self):
        if self and drafter_of(self.env):
            refuse("deleting a move")
        return super().unlink()

    def _post(self, soft=True):
        # A second wall: posting writes the state, which the method above refuses.
        if self and drafter_of(self.env):
            refuse("posting")
        return super()._post(soft)

    def _check_own_drafts(self, drafter):
        """What is changed is a draft, and the drafter's own: record rules are no help, those of groups are OR-ed."""
        for move in self.sudo():
            if move.create_uid != drafter:
                refuse("changing the move %s, which is not its own," % move.id)
            if move.state != 'draft' or move.posted_before:
                refuse("changing the move %s, which is no new draft," % move.id)

    @api.model
    def _check_touched(self, drafter, touched):
        """What came out of the outermost call: each value may have come from a default, a context, another addon."""
        if is_nested():
            return
        # What is still to be computed and written is written now, as Odoo's own; then all values are final.
        self.env.flush_all()
        moves = self.sudo().with_context(active_test=False).browse(touched).exists()
        moves._check_own_drafts(drafter)
        for move in moves:
            followers = move.message_partner_ids - drafter.partner_id
            faults = {
                "a number": move.name not in (False, '/'),
                "posting it by itself": move.auto_post != 'no',
                "sending it": bool(move.sending_data or move.is_move_sent),
                "the follower %s" % followers[:1].id: bool(followers),
                "a payment": move.payment_state not in (False, 'not_paid'),
                "posted or matched lines": any(
                    line.parent_state != 'draft' or line.matching_number or line.reconciled and line.balance
                    for line in move.line_ids
                ),
                "a total that its lines do not have": not move._has_true_total(),
            }
            for what, is_so in faults.items():
                if is_so:
                    refuse("a draft with %s" % what)

    def _has_true_total(self):
        if not self.is_invoice(include_receipts=True):
            return True
        due = self.line_ids.filtered(lambda line: line.display_type == 'payment_term')
        return not self.currency_id.compare_amounts(abs(sum(due.mapped('amount_currency'))), abs(self.amount_total))


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    @api.model_create_multi
    def create(self, vals_list):
        drafter = drafter_of(self.env)
        if not (drafter and vals_list):
            return super().create(vals_list)
        moves = self.env['account.move'].browse({vals.get('move_id') for vals in vals_list} - {None, False})
        moves._check_own_drafts(drafter)
        if not is_inner():
            check_context(self.env)
            for vals in vals_list:
                move = self.env['account.move'].browse(vals.get('move_id') or ())
                check_line_values(vals, move.move_type == 'entry', also={'move_id'})
        with allowed_call() as touched:
            lines = super().create(vals_list)
            touched.update(lines.move_id.ids)
            self.env['account.move']._check_touched(drafter, touched)
        return lines

    def write(self, vals):
        drafter = drafter_of(self.env)
        if not (drafter and self and (vals or not is_inner())):
            return super().write(vals)
        self.move_id._check_own_drafts(drafter)
        if not is_inner():
            self._check_direct_change(vals)
        with allowed_call() as touched:
            touched.update(self.move_id.ids)
            result = super().write(vals)
            touched.update(self.move_id.ids)
            self.env['account.move']._check_touched(drafter, touched)
        return result

    def unlink(self):
        drafter = drafter_of(self.env)
        if not (drafter and self):
            return super().unlink()
        self.move_id._check_own_drafts(drafter)
        if not is_inner():
            self._check_direct_change({})
        with allowed_call() as touched:
            touched.update(self.move_id.ids)
            result = super().unlink()
            self.env['account.move']._check_touched(drafter, touched)
        return result

    def _check_direct_change(self, vals):
        check_context(self.env)
        for line in self:
            if line.display_type not in DISPLAY_TYPES:
                refuse("changing the line %s, which Odoo computes," % line.id)
            check_line_values(vals, line.move_id.move_type == 'entry')
