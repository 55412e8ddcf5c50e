"""Inviting people: the only way to an account."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from core.work import wake
from people.actions.groups import check_groups, put_into
from people.models import AccountMail, Customer, Invitation, User
from people.models.invitations import digest, new_token


def _give_up_expired(actor: Actor, email: str) -> None:
    pending = Invitation.objects.select_for_update().pending().filter(email__iexact=email).first()
    if pending is None:
        return
    if not pending.is_expired:
        raise ValidationError({"email": "This address is invited already. Revoke that invitation to send another."})
    pending.revoked_at = timezone.now()
    pending.save(update_fields=["revoked_at"])
    journal.record("invitation.expired", actor=actor, subject=pending)


@action
def invite(
    *, actor: Actor, email: str, name: str, groups: Collection[str], customer: Customer | None = None
) -> tuple[Invitation, str]:
    """Invite somebody; gives the invitation and its token, which is stored nowhere in clear. The mail is on its way.

    Raises:
        ValidationError: the address is taken or already invited, or the groups do not fit.
    """
    email = email.strip().lower()
    groups = check_groups(groups, customer=customer)
    if User.objects.filter(email__iexact=email).exists():
        raise ValidationError({"email": "Somebody with this address has an account already."})
    _give_up_expired(actor, email)
    token = new_token()
    invitation = Invitation(
        email=email, name=name, groups=groups, customer=customer, token_digest=digest(token),
        invited_by=actor if isinstance(actor, User) else None,
    )  # fmt: skip
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
    except IntegrityError as taken:
        raise ValidationError({"email": "This address was invited a moment ago."}) from taken
    journal.record(
        "person.invited", actor=actor, subject=invitation, groups=groups, customer=customer.name if customer else None
    )
    _send(invitation, token=token, inviter=actor)
    return invitation, token


def _send(invitation: Invitation, *, token: str, inviter: Actor) -> None:
    told = {"invitation": invitation, "link": Invitation.link(token), "inviter": getattr(inviter, "name", "Treeline")}
    text = render_to_string("people/mail/invitation.txt", told)
    wake(
        AccountMail.write(to=invitation.email, subject="Your invitation to Treeline", text=text, invitation=invitation)
    )


def _make_user(invitation: Invitation, *, username: str, name: str, password: str) -> User:
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": "This user name is taken."})
    try:
        with transaction.atomic():
            return User.objects.create_user(
                invitation.email, password, username=username, name=name, customer=invitation.customer,
                is_staff="Admin" in invitation.groups,
            )  # fmt: skip
    except IntegrityError as taken:
        raise ValidationError({"username": "This user name is taken."}) from taken


@action
def accept(*, actor: Actor, token: str, username: str, name: str, password: str) -> User:
    """Make the account that the invitation is for. The token opens nothing more afterwards.

    Raises:
        Invitation.DoesNotExist: the token is unknown, used, revoked or expired, or who invited may not do so any more.
        ValidationError: the user name is taken.
    """
    invitation = Invitation.objects.select_for_update(of=("self",)).open().get(token_digest=digest(token))
    if User.objects.filter(email__iexact=invitation.email).exists():
        raise Invitation.DoesNotExist
    user = _make_user(invitation, username=username, name=name, password=password)
    put_into(user, invitation.groups)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    journal.record("person.joined", actor=user, subject=user, invitation=invitation.pk, groups=invitation.groups)
    return user


@action
def revoke(*, actor: Actor, invitation: Invitation) -> Invitation:
    """Take an invitation back: its link opens nothing, its mail is not sent if it was not yet.

    Raises:
        ValidationError: it was accepted already.
    """
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if invitation.accepted_at:
        raise ValidationError(f"{invitation.name} accepted already. Disable the account instead.")
    if invitation.revoked_at:
        return invitation
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    journal.record("invitation.revoked", actor=actor, subject=invitation)
    return invitation
