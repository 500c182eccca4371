# Part of Platinum. License LGPL-3 or later, as Odoo Community itself: https://www.gnu.org/licenses/lgpl-3.0.html
"""Makes the user that can only draft, and prints its API key; the keys it had before end.

    odoo shell --database NAME --no-http < make-drafter.py
"""
import datetime

LOGIN, DAYS = 'platinum-drafter', 365
user = env['res.users'].search([('login', '=', LOGIN)])
if not user:
    companies = env['res.company'].search([])
    user = env['res.users'].with_context(no_reset_password=True).create({
        'name': 'Platinum drafter',
        'login': LOGIN,
        'company_id': companies[0].id,
        'company_ids': [(6, 0, companies.ids)],
    })
user.group_ids = [(6, 0, [env.ref('platinum_draft_only.group_drafter').id])]
keys = env['res.users.apikeys']
keys.search([('user_id', '=', user.id)]).unlink()
end = datetime.datetime.now() + datetime.timedelta(days=DAYS)
key = keys.with_user(user)._generate('rpc', 'Platinum', end)
env.cr.commit()
env.registry.signal_changes()
print('KEY=%s' % key)
