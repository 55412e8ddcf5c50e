"""Invite somebody from the command line: the way in for the first Admin."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from core.actors import SYSTEM
from people.actions.invitations import invite
from people.models import Invitation
from people.models.rights import OURS


class Command(BaseCommand):
    help = "Invite one of our own people; prints the link once, and sends it by mail too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--groups", nargs="+", choices=OURS, required=True)

    def handle(self, *args: object, **options: Any) -> None:
        try:
            validate_email(options["email"])
            _, token = invite(actor=SYSTEM, email=options["email"], name=options["name"], groups=options["groups"])
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        self.stdout.write(Invitation.link(token))
