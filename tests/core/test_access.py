"""The fetch is the check."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from core.access import granted, guarded, object_permissions, open_to, set_permissions
from incidents.models import Incident
from people.models import User

View = Callable[..., HttpResponseBase]


@guarded(Incident, "work")
def work_on(request: HttpRequest, incident: Incident) -> HttpResponse:
    return HttpResponse(incident.number)


def ask(view: View, user: User, **kwargs: object) -> HttpResponseBase:
    request = RequestFactory().get("/")
    request.user = user
    return view(request, **kwargs)


def test_who_may_gets_the_object_who_may_not_403_who_may_not_see_404(bob, carol, mallory, incident, secret) -> None:
    assert ask(work_on, bob, number=incident.number).status_code == 200
    with pytest.raises(PermissionDenied):
        ask(work_on, carol, number=incident.number)
    with pytest.raises(Http404):
        ask(work_on, mallory, number=secret.number)


def test_a_disabled_person_sees_nothing_whatever_they_were_granted(bob: User, secret: Incident) -> None:
    bob.is_active = False
    bob.save()
    fresh = User.objects.get(pk=bob.pk)
    assert not Incident.objects.visible_to(fresh).exists()
    assert object_permissions(fresh, secret) == frozenset()


def test_a_superuser_sees_no_restricted_incident_by_that(admin_user: User, secret: Incident) -> None:
    admin_user.is_superuser = True
    admin_user.save()
    assert not Incident.objects.visible_to(User.objects.get(pk=admin_user.pk)).filter(pk=secret.pk).exists()


def test_the_auditor_reads_everything_and_may_do_nothing(auditor: User, incident: Incident, secret: Incident) -> None:
    assert set(Incident.objects.visible_to(auditor)) == {incident, secret}
    assert secret.permissions_for(auditor) == {"view"}


def test_permissions_become_exactly_what_was_asked(mallory: User, secret: Incident) -> None:
    set_permissions(user=mallory, obj=secret, permissions=frozenset({"view", "work"}))
    assert object_permissions(mallory, secret) == {"view", "work"}
    set_permissions(user=mallory, obj=secret, permissions=frozenset({"view"}))
    assert object_permissions(mallory, secret) == {"view"}
    assert list(granted(mallory, Incident, "work")) == []


def test_a_permission_that_no_model_declares_is_refused(mallory: User, secret: Incident) -> None:
    with pytest.raises(ImproperlyConfigured, match="nope"):
        set_permissions(user=mallory, obj=secret, permissions=frozenset({"nope"}))


def test_a_page_for_admins_is_refused_to_responders_and_customers(alice: User, eve: User, admin_user: User) -> None:
    page = open_to("admins")(lambda request: HttpResponse("ok"))
    assert ask(page, admin_user).status_code == 200
    for user in (alice, eve):
        with pytest.raises(PermissionDenied):
            ask(page, user)


def test_a_guard_whose_url_names_no_object_is_a_mistake_that_shows(alice: User) -> None:
    with pytest.raises(ImproperlyConfigured, match="no part"):
        ask(work_on, alice)
