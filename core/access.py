"""The fetch is the check: a view never holds an object its user may not touch. The one door to django-guardian.

An object's permissions are rows that tie a user to it (guardian's direct foreign-key models). What a user may do
everywhere (see unrestricted incidents, read everything, administer) are *rights*, given by groups.
"""

from collections.abc import Callable
from functools import reduce, wraps
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models
from django.db.models import OuterRef, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from guardian.models import UserObjectPermissionBase
from guardian.utils import get_user_obj_perms_model

from core.gather import gathered, names

View = Callable[..., HttpResponseBase]
Along = Callable[[QuerySet[Any]], QuerySet[Any]]
Shown = Callable[[Any, Any], None]  # of a request, and of the object that its guard fetched
Audience = Literal["anyone", "everyone", "team", "responders", "managers", "auditors", "admins", "customers"]
NEEDED: dict[str, frozenset[str]] = {
    "team": frozenset({"respond", "oversee", "audit", "administer"}),
    "responders": frozenset({"respond"}),
    "managers": frozenset({"oversee"}),
    "auditors": frozenset({"audit"}),
    "admins": frozenset({"administer"}),
    "customers": frozenset({"portal"}),
}

ObjectGrant = UserObjectPermissionBase  # base of the direct foreign-key table of a guarded root


class Person(Protocol):
    """What access needs to know of a user."""

    is_active: bool
    pk: int

    @property
    def rights(self) -> frozenset[str]: ...


class Root(Protocol):
    """The object that permissions hang on."""

    def permissions_for(self, user: Any) -> frozenset[str]:
        """What this user may do here, view among it; empty for who may not see it.

        Where a model has a `root_path`, its root is also told `granted`, what `object_permissions` would say.
        """


class Guarded(models.Model):
    """A model that URLs may name. `url_fields` says which URL part is compared with which field.

    Its manager has `visible_to(user)`. A model below a root gives that root as `access_root`. Where permissions are
    granted on the root by rows, `root_path` is the lookup that leads to it, empty for the root itself: then the guard
    fetches root and grants along with the object.
    """

    url_fields: ClassVar[dict[str, str]]
    root_path: ClassVar[str | None] = None

    class Meta:
        abstract = True

    @property
    def access_root(self) -> Root:
        """The object whose permissions count; itself unless a model says otherwise."""
        return self  # type: ignore[return-value]


S = TypeVar("S", bound=Shown)
_when_shown: list[Shown] = []


def when_shown(function: S) -> S:
    """Call the function, with request and object, after each guarded view whose answer shows something.

    So no page can forget to write down who read it. What the function raises is answered instead of the page.
    """
    _when_shown.append(function)
    return function


def _shows(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether there is something to read in the answer: not in one without a body, 304 to a poll among them."""
    return request.method != "HEAD" and response.status_code != 204 and not 300 <= response.status_code < 400


def _fetch(model: type[Any], user: Any, kwargs: dict[str, Any], along: Along | None) -> tuple[Any, frozenset[str]]:
    """The object, and what the user may do with its root; one query where the model has a `root_path`."""
    try:
        wanted = {field: kwargs.pop(part) for part, field in model.url_fields.items()}
    except KeyError as missing:
        raise ImproperlyConfigured(f"The URL of a view guarded by {model.__name__} has no part {missing}.") from missing
    if any("\x00" in part for part in wanted.values() if isinstance(part, str)):
        raise Http404  # no database keeps NUL, and PostgreSQL refuses to look for it
    rows = model.objects.visible_to(user).filter(**wanted)
    rows = along(rows) if along else rows
    path: str | None = getattr(model, "root_path", None)
    if path is not None:
        rows = _with_grants(rows, user, path)
    found = rows.first()
    if found is None:
        raise Http404
    if path is None:
        return found, found.access_root.permissions_for(user)
    return found, found.access_root.permissions_for(user, granted=names(found.granted_names))


def guarded(model: type[models.Model], permission: str, *, along: Along | None = None) -> Callable[[View], View]:
    """Turn the reference in the URL into the object: 404 for who may not see it, 403 for who may not do this.

    `request.permissions` holds all the user may do with the object's root, for templates to show the right buttons.
    `along` adds to the query what the view wants to know together with the object.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def run(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            found, permissions = _fetch(model, request.user, kwargs, along)
            if not isinstance(permissions, frozenset):
                raise ImproperlyConfigured("permissions_for must give a frozenset.")
            request.permissions = permissions  # type: ignore[attr-defined]
            if permission not in permissions:
                raise PermissionDenied
            response = view(request, found, **kwargs)
            if _shows(request, response):
                for note in _when_shown:
                    note(request, found)
            return response

        run.access = (model, permission)  # type: ignore[attr-defined]
        return run

    return decorate


def open_to(*audiences: Audience) -> Callable[[View], View]:
    """Say who may use a page without an object: "anyone" needs no login, "everyone" only that."""

    def decorate(view: View) -> View:
        @wraps(view)
        def run(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            request.permissions = frozenset()  # type: ignore[attr-defined]
            if not set(audiences) & {"anyone", "everyone"}:
                rights: frozenset[str] = getattr(request.user, "rights", frozenset())
                if not any(rights & NEEDED[audience] for audience in audiences):
                    raise PermissionDenied
            return view(request, **kwargs)

        run.access = audiences  # type: ignore[attr-defined]
        return login_not_required(run) if "anyone" in audiences else run

    return decorate


def _grants(model: type[models.Model]) -> Any:
    return get_user_obj_perms_model(model)  # type: ignore[arg-type]  # takes a class as well


def _with_grants(rows: QuerySet[Any], user: Any, path: str) -> QuerySet[Any]:
    """With the root that the path leads to, and the names of what the user was granted on it."""
    steps = path.split("__") if path else []
    root: Any = reduce(lambda model, step: model._meta.get_field(step).related_model, steps, rows.model)
    mine = _grants(root).objects.filter(user_id=user.pk, content_object=OuterRef(path or "pk"))
    rows = rows.annotate(granted_names=gathered(mine, "permission__codename"))
    return rows.select_related(path) if path else rows


def granted(user: Any, model: type[models.Model], permission: str) -> models.QuerySet[Any]:
    """Primary keys of the objects on which the user holds the permission, as a subselect for `pk__in`."""
    rows: models.QuerySet[Any] = _grants(model).objects.filter(
        user_id=user.pk, permission__codename=permission, permission__content_type__app_label=model._meta.app_label
    )
    return rows.values("content_object")


def object_permissions(user: Any, obj: models.Model) -> frozenset[str]:
    """The permissions granted to the user on this one object, in one query."""
    if not user.is_active:
        return frozenset()
    rows = _grants(type(obj)).objects.filter(user_id=user.pk, content_object=obj)
    return frozenset(rows.values_list("permission__codename", flat=True))


def set_permissions(*, user: Any, obj: models.Model, permissions: frozenset[str]) -> None:
    """Make the user's permissions on the object exactly these (call it inside the action that journals why).

    Raises:
        ImproperlyConfigured: the model declares no permission of such a name.
    """
    rows = _grants(type(obj)).objects
    rows.filter(user_id=user.pk, content_object=obj).exclude(permission__codename__in=permissions).delete()
    known = Permission.objects.filter(
        codename__in=permissions, content_type__app_label=obj._meta.app_label, content_type__model=obj._meta.model_name
    )
    wanted = {permission.codename: permission for permission in known}
    if missing := permissions - wanted.keys():
        raise ImproperlyConfigured(f"{obj._meta.label} declares no permission named {', '.join(sorted(missing))}.")
    grants = [rows.model(user_id=user.pk, permission=one, content_object=obj) for one in wanted.values()]
    rows.bulk_create(grants, ignore_conflicts=True)
