# The users of the tests, after those of make-drafter.py: the owner, and a drafter whom other groups allow everything.
accounting = ['account.group_account_manager', 'account.group_account_user', 'account.group_validate_bank_account']
others = ['sales_team.group_sale_manager', 'base.group_partner_manager', 'platinum_draft_only.group_drafter']
powerful = env['res.users'].search([('login', '=', 'powerful-drafter')])
if not powerful:
    powerful = env['res.users'].with_context(no_reset_password=True).create({
        'name': 'Powerful drafter', 'login': 'powerful-drafter', 'email': 'powerful@example.test',
    })
powerful.group_ids = [(6, 0, [env.ref(name).id for name in accounting + others])]
admin = env.ref('base.user_admin')
admin.group_ids = [(4, env.ref(name).id) for name in accounting]
admin.email = 'owner@example.test'
for name, user in [('OWNER', admin), ('POWERFUL', powerful)]:
    keys.search([('user_id', '=', user.id)]).unlink()
    print('%s=%s' % (name, keys.with_user(user).sudo()._generate('rpc', 'tests', None)))
env.cr.commit()
env.registry.signal_changes()
