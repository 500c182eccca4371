# Part of Platinum. License LGPL-3 or later, as Odoo Community itself: https://www.gnu.org/licenses/lgpl-3.0.html
"""Every model: a drafter changes nothing, but for what `account_move` allows. Also as superuser."""
from odoo import api, models

from .guard import INNER, KEYS, allowed_call, drafter_of, is_inner, refuse

# These judge by themselves, in `account_move`.
JUDGED = {'account.move', 'account.move.line'}


class Base(models.AbstractModel):
    _inherit = 'base'

    # Only where there is something to change: drafting itself calls these with nothing. Called from outside, a write
    # without values still changes who wrote last, and when.

    @api.model_create_multi
    def create(self, vals_list):
        if vals_list and self._name not in JUDGED and (drafter := drafter_of(self.env)):
            if not self._is_harmless(drafter, vals_list):
                refuse("creating %s" % self._name)
        return super().create(vals_list)

    def write(self, vals):
        if self and (vals or not is_inner()) and self._name not in JUDGED and drafter_of(self.env):
            if not (is_inner() and self._name in INNER['write']):
                refuse("writing %s" % self._name)
        return super().write(vals)

    def unlink(self):
        if self and self._name not in JUDGED and drafter_of(self.env):
            if not (is_inner() and self._name in INNER['unlink']):
                refuse("deleting %s" % self._name)
        return super().unlink()

    def _BaseModel__ensure_xml_id(self, skip=False):
        # An export names records by external ids, and makes those that are missing, past the methods above.
        if self and not skip and drafter_of(self.env):
            refuse("exporting the external id of %s" % self._name)
        return super()._BaseModel__ensure_xml_id(skip=skip)

    @api.model
    def _has_field_access(self, field, operation):
        if field.name in KEYS and not self.env.su and drafter_of(self.env):
            return False
        return super()._has_field_access(field, operation)

    def _is_harmless(self, drafter, vals_list):
        if self._name == 'res.users.log':
            # That it logged in.
            return self.env.su
        if not is_inner():
            return False
        if self._name == 'mail.followers':
            # Anyone else would get a mail when the owner posts.
            return all(vals.get('partner_id') == drafter.partner_id.id for vals in vals_list)
        return self._name in INNER['create']


class MailThread(models.AbstractModel):
    _inherit = 'mail.thread'

    def _track_finalize(self):
        # At the end of the transaction, outside of the call that was allowed: the note of what has changed.
        with allowed_call():
            return super()._track_finalize()


class IrSequence(models.Model):
    _inherit = 'ir.sequence'

    def _next(self, sequence_date=None):
        # It counts past the methods above.
        if not is_inner() and drafter_of(self.env):
            refuse("taking a number")
        return super()._next(sequence_date)


class IrActionsServer(models.Model):
    _inherit = 'ir.actions.server'

    def _run_action_webhook(self, eval_context=None):
        # It tells somebody outside, and leaves nothing in the database.
        if drafter_of(self.env):
            refuse("calling the webhook %s" % self.name)
        return super()._run_action_webhook(eval_context=eval_context)


class BaseModuleUpgrade(models.TransientModel):
    _inherit = 'base.module.upgrade'

    def upgrade_module(self):
        # It loads all modules anew, and applies what waits, without a record and without asking who calls.
        if drafter_of(self.env):
            refuse("upgrading modules")
        return super().upgrade_module()
