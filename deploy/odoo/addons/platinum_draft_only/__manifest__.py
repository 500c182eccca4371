# Part of Platinum. License LGPL-3 or later, as Odoo Community itself: https://www.gnu.org/licenses/lgpl-3.0.html
{
    'name': 'Platinum: a user that can only draft',
    'summary': 'Members of one group make and edit their own draft entries and change nothing else',
    'description': 'A key of such a user cannot post, pay, send, delete or change anything but its own drafts.',
    'version': '19.0.1.1.0',
    'category': 'Accounting/Accounting',
    'author': 'The Platinum authors',
    'license': 'LGPL-3',
    'depends': ['account'],
    'data': ['security/groups.xml', 'security/ir.model.access.csv'],
}
