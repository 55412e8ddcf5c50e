"""Who may do what, at every URL: the one table. tests/test_access.py walks the resolver and compares.

A row names a URL and says for each method who is answered how. A method that no row names is answered 405 to everybody
who is logged in. An *answer* is a word:

    yes    it is done or shown (200–204; after a write also 302 elsewhere, 409 and 422, because the walk sends nothing)
    403    the person may see it, and may not do this
    404    it does not exist for this person
    login  redirected to the login page (htmx: told to go there)
    moved  302 to another page of the site
    405    not this method
    closed not shown and not done, whatever is said instead: 403, 404, 405, moved or login
    lib    a page of the login library, which decides more finely by the state of the session: yes, moved, 403, 404, 405

Everything is asked twice: of the things of an open incident, and of those of a restricted one.
"""

from dataclasses import dataclass

Answers = dict[str, str]

OURS = ("alice", "bob", "carol", "mallory", "dora", "auditor", "admin")
CUSTOMERS = ("eve", "frank")
NOBODY = ("nobody",)
PEOPLE = (*OURS, *CUSTOMERS, *NOBODY)
"""Of the incidents, Alice is commander, Bob member and Carol observer (of the open one only); Mallory is a responder
without a role, Dora a manager, the auditor reads everything, the admin administers; Eve and Frank are customers."""


@dataclass(frozen=True)
class Policy:
    """Who is answered how about things of the open incident, and about those of the restricted one."""

    open: Answers
    secret: Answers

    def answer(self, person: str, *, secret: bool) -> str:
        return (self.secret if secret else self.open)[person]


@dataclass(frozen=True)
class Row:
    """The policies of one URL by method; HEAD is as GET."""

    get: Policy | None = None
    post: Policy | None = None
    other: Policy | None = None  # of all other methods, where they are not simply refused
    htmx: Policy | None = None  # of GET, where a fragment is answered to other people than the page

    def policy(self, method: str, *, htmx: bool = False) -> Policy | None:
        if method in ("GET", "HEAD"):
            return (self.htmx or self.get) if htmx else self.get
        return self.post if method == "POST" else self.other


def _answers(yes: str, *, ours: str, customers: str, nobody: str = "login") -> Answers:
    base = dict.fromkeys(OURS, ours) | dict.fromkeys(CUSTOMERS, customers) | dict.fromkeys(NOBODY, nobody)
    return base | dict.fromkeys(yes.split(), "yes")


def _same(answers: Answers) -> Policy:
    return Policy(open=answers, secret=answers)


# -- Pages without an object ------------------------------------------------------------------------------------------
ANYONE = _same(dict.fromkeys(PEOPLE, "yes"))
LIBRARY = _same(dict.fromkeys(PEOPLE, "lib"))
LIBRARY_LOGGED_IN = _same(dict.fromkeys(OURS + CUSTOMERS, "lib") | {"nobody": "login"})
GONE = _same(dict.fromkeys(PEOPLE, "404"))
EVERYONE = _same(_answers("", ours="yes", customers="yes"))
EVERYONE_IS_SENT_ON = _same(_answers("", ours="moved", customers="moved"))
TEAM_OR_PROFILE = _same(_answers("", ours="yes", customers="moved"))
TEAM = _same(_answers("", ours="yes", customers="403"))
RESPONDERS = _same(_answers("alice bob carol mallory", ours="403", customers="403"))
ADMINS = _same(_answers("admin", ours="403", customers="403"))

# -- People, customers, invitations, imports: the same for every incident ---------------------------------------------
DIRECTORY = _same(_answers("", ours="yes", customers="404"))
ADMINISTER = _same(_answers("admin", ours="403", customers="404"))
IMPORTS = DIRECTORY
WORK_IMPORTS = _same(_answers("alice bob carol mallory", ours="403", customers="404"))

WRITERS = _same(_answers("alice bob carol mallory dora admin", ours="403", customers="403"))
WRITE_DOCUMENTS = _same(_answers("alice bob carol mallory dora admin", ours="403", customers="404"))
APPROVE_DOCUMENTS = _same(_answers("dora", ours="403", customers="404"))
DOCUMENT_IS_SENT_ON = _same(_answers("", ours="moved", customers="404"))


# -- Incidents and what hangs on them ---------------------------------------------------------------------------------
def _incident(yes_open: str, yes_secret: str) -> Policy:
    seen = _answers("", ours="403", customers="404")
    hidden = _answers("", ours="404", customers="404") | dict.fromkeys(("alice", "bob", "auditor"), "403")
    return Policy(
        open=seen | dict.fromkeys(yes_open.split(), "yes"), secret=hidden | dict.fromkeys(yes_secret.split(), "yes")
    )


VIEW = _incident(" ".join(OURS), "alice bob auditor")
WORK = _incident("alice bob", "alice bob")
WORK_OR_AUDIT = _incident("alice bob auditor", "alice bob auditor")
LEAD = _incident("alice", "alice")
APPROVE = _incident("alice", "alice")
PURGE = _incident("admin", "")
RESPOND = _incident("alice bob carol mallory", "alice bob")
AUTHOR = _incident("alice", "alice")
RECEIVER = _incident("alice", "alice")
VIEW_IS_SENT_ON = Policy(
    open={p: "moved" if a == "yes" else a for p, a in VIEW.open.items()},
    secret={p: "moved" if a == "yes" else a for p, a in VIEW.secret.items()},
)
WRITE_SEEN = _incident("alice bob carol mallory dora admin", "alice bob")
ALERTS = Policy(open=DIRECTORY.open, secret=VIEW.secret)
TRIAGE = Policy(open=WORK_IMPORTS.open, secret=WORK.secret)

LIBRARY_PAGE = Row(get=LIBRARY, post=LIBRARY, other=LIBRARY)
LIBRARY_OWN_PAGE = Row(get=LIBRARY_LOGGED_IN, post=LIBRARY_LOGGED_IN, other=LIBRARY_LOGGED_IN)
NOTHING = Row(get=GONE, post=GONE, other=GONE)
_ADMINS_ONLY = _same(dict.fromkeys(PEOPLE, "closed") | {"admin": "lib"})
ADMIN_SITE = Row(get=_ADMINS_ONLY, post=_ADMINS_ONLY, other=_ADMINS_ONLY)

ROWS: dict[str, Row] = {
    "core:live": Row(get=ANYONE),
    "core:ready": Row(get=ANYONE),

    "incidents:list": Row(get=TEAM_OR_PROFILE),
    "incidents:declare": Row(get=RESPONDERS, post=RESPONDERS),
    "incidents:break_glass": Row(get=ADMINS, post=ADMINS),
    "incidents:overview": Row(get=VIEW),
    "incidents:head": Row(get=VIEW),
    "incidents:edit": Row(get=WORK, post=WORK),
    "incidents:status": Row(get=LEAD, post=LEAD),
    "incidents:severity": Row(get=LEAD, post=LEAD),
    "incidents:approve_post_mortem": Row(get=APPROVE, post=APPROVE),
    "incidents:restrict": Row(get=LEAD, post=LEAD),
    "incidents:members": Row(get=VIEW),
    "incidents:assign": Row(get=LEAD, post=LEAD),
    "incidents:unassign": Row(get=LEAD, post=LEAD),
    "incidents:join": Row(post=RESPOND),
    "incidents:take_command": Row(post=RESPOND),
    "incidents:link": Row(get=LEAD, post=LEAD),
    "incidents:unlink": Row(post=LEAD),
    "incidents:log": Row(get=VIEW),
    "incidents:audit": Row(get=VIEW),
    "incidents:audit_csv": Row(get=WORK_OR_AUDIT),

    "runbooks:search": Row(get=TEAM),
    "runbooks:overdue": Row(get=TEAM),
    "runbooks:library": Row(get=TEAM),
    "runbooks:new": Row(get=WRITERS, post=WRITERS),
    "runbooks:by_slug": Row(get=DOCUMENT_IS_SENT_ON),
    "runbooks:document": Row(get=DIRECTORY),
    "runbooks:guide": Row(get=DIRECTORY),
    "runbooks:insert": Row(get=DIRECTORY),
    "runbooks:version": Row(get=DIRECTORY),
    "runbooks:compare": Row(get=DIRECTORY),
    "runbooks:facts": Row(get=WRITE_DOCUMENTS, post=WRITE_DOCUMENTS),
    "runbooks:archive": Row(get=WRITE_DOCUMENTS, post=WRITE_DOCUMENTS),
    "runbooks:edit": Row(get=WRITE_DOCUMENTS, post=WRITE_DOCUMENTS),
    "runbooks:submit": Row(post=WRITE_DOCUMENTS),
    "runbooks:withdraw": Row(post=WRITE_DOCUMENTS),
    "runbooks:activate": Row(post=WRITE_DOCUMENTS),
    "runbooks:approve": Row(get=APPROVE_DOCUMENTS, post=APPROVE_DOCUMENTS),
    "runbooks:review": Row(get=WRITE_DOCUMENTS, post=WRITE_DOCUMENTS),
    "runbooks:guides": Row(get=VIEW),

    "tickets:tree": Row(get=VIEW),
    "tickets:leads": Row(get=VIEW),
    "tickets:rows": Row(get=VIEW),
    "tickets:map": Row(get=VIEW),
    "tickets:board": Row(get=VIEW),
    "tickets:look": Row(post=VIEW),
    "tickets:subtree": Row(get=VIEW),
    "tickets:headline": Row(get=WORK, post=WORK),
    "tickets:next": Row(get=VIEW),
    "intake:joined": Row(get=VIEW),
    "tickets:ticket": Row(get=VIEW),
    "tickets:add": Row(get=WORK, post=WORK),
    "tickets:edit": Row(get=WORK, post=WORK),
    "tickets:assign": Row(get=WORK, post=WORK),
    "tickets:status": Row(get=WORK, post=WORK),
    "tickets:lead": Row(get=WORK, post=WORK),
    "tickets:move": Row(get=WORK, post=WORK),
    "tickets:undo": Row(post=WORK),
    "tickets:table": Row(get=VIEW),
    "tickets:table_csv": Row(get=WORK_OR_AUDIT),
    "runbooks:quick": Row(get=WORK, post=WORK),
    "runbooks:palette": Row(get=WORK),
    "runbooks:start": Row(get=WORK, post=WORK),
    "runbooks:escalations": Row(get=VIEW),
    "runbooks:automations": Row(get=VIEW),
    "runbooks:automation": Row(get=VIEW),
    "runbooks:automation_edit": Row(get=WORK, post=WORK),
    "runbooks:automation_remove": Row(post=WORK),
    "runbooks:automation_run": Row(post=WORK),
    "runbooks:automation_dry_run": Row(post=WORK),
    "runbooks:execution": Row(get=VIEW),
    "runbooks:execution_approve": Row(post=LEAD),
    "runbooks:execution_decline": Row(post=LEAD),
    "runbooks:execution_answer": Row(post=WORK),
    "runbooks:execution_cancel": Row(post=WORK),
    "runbooks:runs": Row(get=VIEW),
    "runbooks:run": Row(get=VIEW),
    "runbooks:finish": Row(get=WORK, post=WORK),
    "runbooks:stop": Row(get=WORK, post=WORK),
    "runbooks:answer_suggestion": Row(post=WRITE_SEEN),
    "runbooks:update_runbook": Row(get=WORK, post=WORK),
    "runbooks:save_branch": Row(get=WORK, post=WORK),
    "tickets:bulk": Row(get=WORK, post=WORK),
    "tickets:undo_batch": Row(post=WORK),
    "tickets:undo_last": Row(post=WORK),
    "tickets:undo_drop_all": Row(post=LEAD),
    "tickets:delete": Row(get=PURGE, post=PURGE),
    "tickets:drop": Row(get=LEAD, post=LEAD),
    "tickets:drop_all": Row(get=LEAD, post=LEAD),
    "tickets:merge": Row(get=LEAD, post=LEAD),
    "tickets:hand_over": Row(get=WORK, post=WORK),
    "tickets:accept": Row(post=RECEIVER),
    "tickets:decline": Row(get=RECEIVER, post=RECEIVER),
    "tickets:withdraw": Row(post=WORK),
    "tickets:shifts": Row(get=VIEW),
    "tickets:write_shift": Row(get=WORK, post=WORK),
    "tickets:shift": Row(get=VIEW),
    "tickets:comment": Row(post=WORK),
    "tickets:edit_comment": Row(get=AUTHOR, post=AUTHOR),
    "tickets:report_comment": Row(post=WORK),
    "tickets:comment_history": Row(get=VIEW),
    "tickets:talk": Row(get=VIEW),
    "tickets:say": Row(post=WORK),
    "tickets:attach_here": Row(post=WORK),
    "tickets:preview": Row(post=VIEW),
    "tickets:people": Row(get=VIEW),
    "tickets:tags": Row(get=WORK, post=WORK),
    "tickets:watch": Row(post=VIEW),
    "tickets:block": Row(get=WORK, post=WORK),
    "tickets:unblock": Row(post=WORK),
    "tickets:log_time": Row(get=WORK, post=WORK),
    "tickets:remove_time": Row(post=AUTHOR),
    "tickets:attach": Row(post=WORK),
    "tickets:download": Row(get=VIEW),

    "people:profile": Row(get=EVERYONE, post=EVERYONE),
    "people:accept": Row(get=ANYONE, post=ANYONE),
    "people:no_signup": NOTHING,
    "people:no_social_signup": NOTHING,
    "people:no_email": NOTHING,
    "people:no_confirmation": NOTHING,
    "people:no_confirmation_key": NOTHING,
    "people:no_login_code": NOTHING,
    "people:team": Row(get=TEAM),
    "people:invite": Row(get=ADMINS, post=ADMINS),
    "people:revoke": Row(post=ADMINISTER),
    "people:person": Row(get=DIRECTORY),
    "people:details": Row(post=ADMINISTER),
    "people:groups": Row(post=ADMINISTER),
    "people:disable": Row(post=ADMINISTER),
    "people:enable": Row(post=ADMINISTER),
    "people:end_sessions": Row(post=ADMINISTER),
    "people:customers": Row(get=TEAM),
    "people:add_customer": Row(get=ADMINS, post=ADMINS),
    "people:customer": Row(get=DIRECTORY),
    "people:edit_customer": Row(get=ADMINISTER, post=ADMINISTER),

    "comms:notifications": Row(get=EVERYONE),
    "comms:read": Row(post=EVERYONE),
    "comms:count": Row(get=EVERYONE),

    "intake:alerts": Row(get=TEAM),
    "intake:alert": Row(get=ALERTS),
    "intake:promote": Row(post=TRIAGE),
    "intake:join": Row(post=TRIAGE),
    "intake:dismiss": Row(post=TRIAGE),
    "intake:put_back": Row(post=TRIAGE),
    "intake:imports": Row(get=TEAM, post=RESPONDERS),
    "intake:job": Row(get=IMPORTS),
    "intake:errors": Row(get=IMPORTS),
    "intake:cancel": Row(post=WORK_IMPORTS),

    "reporting:my": Row(get=TEAM),
    "reporting:news": Row(get=TEAM),
    "reporting:seen": Row(post=TEAM),
    "reporting:report": Row(get=VIEW),
    "reporting:make": Row(post=WORK),
    "reporting:job": Row(get=VIEW_IS_SENT_ON, htmx=VIEW),
    "reporting:cancel": Row(post=WORK),
    "reporting:pdf": Row(get=VIEW),

    # Reference data in Django's admin, which asks core.admin.ReferenceSite.has_permission everywhere.
    "admin:index": ADMIN_SITE,
    "admin:login": LIBRARY_PAGE,
    "admin:logout": LIBRARY_PAGE,
    "admin:password_change": ADMIN_SITE,
    "admin:password_change_done": ADMIN_SITE,
    "admin:autocomplete": ADMIN_SITE,
    "admin:jsi18n": ADMIN_SITE,
    "admin:view_on_site": ADMIN_SITE,
    "admin:app_list": ADMIN_SITE,
    "admin:people_customer_changelist": ADMIN_SITE,
    "admin:people_customer_add": ADMIN_SITE,
    "admin:people_customer_history": ADMIN_SITE,
    "admin:people_customer_delete": ADMIN_SITE,
    "admin:people_customer_change": ADMIN_SITE,
    "admin:admin/people/customer/<path:object_id>/": ADMIN_SITE,
    "admin:runbooks_actionswitch_changelist": ADMIN_SITE,
    "admin:runbooks_actionswitch_add": ADMIN_SITE,
    "admin:runbooks_actionswitch_history": ADMIN_SITE,
    "admin:runbooks_actionswitch_delete": ADMIN_SITE,
    "admin:runbooks_actionswitch_change": ADMIN_SITE,
    "admin:admin/runbooks/actionswitch/<path:object_id>/": ADMIN_SITE,
    "admin:runbooks_secret_changelist": ADMIN_SITE,
    "admin:runbooks_secret_add": ADMIN_SITE,
    "admin:runbooks_secret_history": ADMIN_SITE,
    "admin:runbooks_secret_delete": ADMIN_SITE,
    "admin:runbooks_secret_change": ADMIN_SITE,
    "admin:admin/runbooks/secret/<path:object_id>/": ADMIN_SITE,
    "admin:runbooks_allowedhost_changelist": ADMIN_SITE,
    "admin:runbooks_allowedhost_add": ADMIN_SITE,
    "admin:runbooks_allowedhost_history": ADMIN_SITE,
    "admin:runbooks_allowedhost_delete": ADMIN_SITE,
    "admin:runbooks_allowedhost_change": ADMIN_SITE,
    "admin:admin/runbooks/allowedhost/<path:object_id>/": ADMIN_SITE,
    "admin:runbooks_escalationrule_changelist": ADMIN_SITE,
    "admin:runbooks_escalationrule_add": ADMIN_SITE,
    "admin:runbooks_escalationrule_history": ADMIN_SITE,
    "admin:runbooks_escalationrule_delete": ADMIN_SITE,
    "admin:runbooks_escalationrule_change": ADMIN_SITE,
    "admin:admin/runbooks/escalationrule/<path:object_id>/": ADMIN_SITE,
    "admin:tickets_ticketstatus_changelist": ADMIN_SITE,
    "admin:tickets_ticketstatus_add": ADMIN_SITE,
    "admin:tickets_ticketstatus_history": ADMIN_SITE,
    "admin:tickets_ticketstatus_delete": ADMIN_SITE,
    "admin:tickets_ticketstatus_change": ADMIN_SITE,
    "admin:tickets_ticketpriority_changelist": ADMIN_SITE,
    "admin:tickets_ticketpriority_add": ADMIN_SITE,
    "admin:tickets_ticketpriority_history": ADMIN_SITE,
    "admin:tickets_ticketpriority_delete": ADMIN_SITE,
    "admin:tickets_ticketpriority_change": ADMIN_SITE,
    "admin:tickets_clocktarget_changelist": ADMIN_SITE,
    "admin:tickets_clocktarget_add": ADMIN_SITE,
    "admin:tickets_clocktarget_history": ADMIN_SITE,
    "admin:tickets_clocktarget_delete": ADMIN_SITE,
    "admin:tickets_clocktarget_change": ADMIN_SITE,
    "admin:admin/tickets/ticketstatus/<path:object_id>/": ADMIN_SITE,
    "admin:admin/tickets/ticketpriority/<path:object_id>/": ADMIN_SITE,
    "admin:admin/tickets/clocktarget/<path:object_id>/": ADMIN_SITE,
    "admin:tickets_ticketstatus_replace": ADMIN_SITE,
    "admin:tickets_ticketpriority_replace": ADMIN_SITE,
    "admin:admin/(?P<url>.*)$": ADMIN_SITE,

    # The login library: whoever is not logged in may see the first group, nobody else's account is ever named.
    "account_login": LIBRARY_PAGE,
    "account_signup": NOTHING,
    "account_inactive": LIBRARY_PAGE,
    "account_reset_password": LIBRARY_PAGE,
    "account_reset_password_done": LIBRARY_PAGE,
    "account_reset_password_from_key": LIBRARY_PAGE,
    "account_reset_password_from_key_done": LIBRARY_PAGE,
    "account_confirm_login_code": NOTHING,
    "account_confirm_email": NOTHING,
    "account_email_verification_sent": NOTHING,
    "mfa_authenticate": LIBRARY_PAGE,
    "mfa_login_webauthn": LIBRARY_PAGE,
    "socialaccount_login_cancelled": LIBRARY_PAGE,
    "socialaccount_login_error": LIBRARY_PAGE,
    "socialaccount_signup": NOTHING,
    "accounts/social/login/cancelled/": LIBRARY_PAGE,
    "accounts/social/login/error/": LIBRARY_PAGE,
    "accounts/social/signup/": LIBRARY_PAGE,
    "accounts/social/connections/": LIBRARY_PAGE,
    "account_logout": LIBRARY_PAGE,
    "account_reauthenticate": LIBRARY_OWN_PAGE,
    "account_email": NOTHING,
    "account_change_password": LIBRARY_OWN_PAGE,
    "account_set_password": LIBRARY_OWN_PAGE,
    "mfa_index": LIBRARY_OWN_PAGE,
    "mfa_reauthenticate": LIBRARY_OWN_PAGE,
    "mfa_activate_totp": LIBRARY_OWN_PAGE,
    "mfa_deactivate_totp": LIBRARY_OWN_PAGE,
    "mfa_view_recovery_codes": LIBRARY_OWN_PAGE,
    "mfa_generate_recovery_codes": LIBRARY_OWN_PAGE,
    "mfa_download_recovery_codes": LIBRARY_OWN_PAGE,
    "mfa_list_webauthn": LIBRARY_OWN_PAGE,
    "mfa_add_webauthn": LIBRARY_OWN_PAGE,
    "mfa_reauthenticate_webauthn": LIBRARY_OWN_PAGE,
    "mfa_remove_webauthn": LIBRARY_OWN_PAGE,
    "mfa_edit_webauthn": LIBRARY_OWN_PAGE,
    "socialaccount_connections": LIBRARY_OWN_PAGE,
    "usersessions_list": LIBRARY_OWN_PAGE,
}  # fmt: skip
