"""Addresses that stand in messages: they must work for as long as the messages are kept."""

from __future__ import annotations

from django.urls import path

from loop311.notifications import views

urlpatterns = [
    path("r/<str:token>", views.resident_request, name="resident-request"),
    path("a/<str:token>", views.article, name="article"),
    path("digest/<str:token>", views.stop_digest, name="stop-digest"),
    path("unsubscribe/<str:token>", views.unsubscribe, name="unsubscribe"),
]
