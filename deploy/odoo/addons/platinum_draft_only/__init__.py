# Part of Platinum. License LGPL-3 or later, as Odoo Community itself: https://www.gnu.org/licenses/lgpl-3.0.html
from . import models
