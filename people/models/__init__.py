"""People and the organisations they belong to."""

from people.models.customers import Customer
from people.models.drafts import Draft
from people.models.invitations import Invitation
from people.models.mails import AccountMail
from people.models.sessions import Session
from people.models.users import User

__all__ = ["AccountMail", "Customer", "Draft", "Invitation", "Session", "User"]
