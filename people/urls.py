"""People: profile and invitation, our team, customers."""

from django.urls import path

from people.views import customers, invitations, people, profile

app_name = "people"
urlpatterns = [
    path("accounts/profile/", profile.profile, name="profile"),
    path("accounts/invitation/<str:token>/", invitations.accept, name="accept"),

    path("accounts/signup/", profile.nothing, name="no_signup"),
    path("accounts/3rdparty/signup/", profile.nothing, name="no_social_signup"),
    path("accounts/email/", profile.nothing, name="no_email"),
    path("accounts/confirm-email/", profile.nothing, name="no_confirmation"),
    path("accounts/confirm-email/<str:key>/", profile.nothing, name="no_confirmation_key"),
    path("accounts/login/code/confirm/", profile.nothing, name="no_login_code"),

    path("team/", people.team, name="team"),
    path("team/invite/", invitations.invite, name="invite"),
    path("team/invitations/<int:invitation>/revoke/", invitations.revoke, name="revoke"),
    path("team/<int:user>/", people.person, name="person"),
    path("team/<int:user>/details/", people.details, name="details"),
    path("team/<int:user>/groups/", people.groups, name="groups"),
    path("team/<int:user>/disable/", people.disable, name="disable"),
    path("team/<int:user>/enable/", people.enable, name="enable"),
    path("team/<int:user>/sessions/end/", people.end_sessions, name="end_sessions"),

    path("customers/", customers.customers, name="customers"),
    path("customers/new/", customers.add_customer, name="add_customer"),
    path("customers/<slug:slug>/", customers.customer, name="customer"),
    path("customers/<slug:slug>/edit/", customers.edit_customer, name="edit_customer"),
]  # fmt: skip
